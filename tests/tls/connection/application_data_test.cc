// A connection whose keys stay in the core, after its handshake: application data, KeyUpdate and
// the end, in both roles, with libssl at the other end.
#include <algorithm>

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "tests/tls/connection/client_fixture.h"
#include "tests/tls/connection/libssl_client.h"
#include "tests/tls/connection/libssl_server.h"
#include "tests/tls/connection/server_driver.h"
#include "tls/record/protection.h"

namespace handfast::tls::test {
namespace {

const Leaf& ServerLeaf() {
  static const Leaf leaf = Ca().Issue({.dns = {"example.test"}});
  return leaf;
}

// One established connection. `peer_*` is libssl's side, whichever its role.
class Both {
 public:
  static std::unique_ptr<Both> AsServer(int version) {
    auto made = std::make_unique<Both>();
    made->kit_ = ServerKit::For(ServerLeaf());
    LibsslOptions options;
    options.version = version;
    options.server_name = "example.test";
    made->client_.emplace(options);
    made->ours_.emplace(made->kit_);
    Bytes to_server = made->client_->Receive({});
    while (!to_server.empty()) to_server = made->client_->Receive(made->ours_->Receive(to_server));
    return made;
  }
  static std::unique_ptr<Both> AsClient() {
    auto made = std::make_unique<Both>();
    made->kit_ = ClientKit();
    made->context_.reset(LibsslServerContext(ServerLeaf(), 2));
    made->server_.emplace(made->context_.get());
    made->ours_.emplace(made->kit_, ConnectionOptions{.server_name = "example.test"});
    Bytes to_server = made->ours_->Begin();
    while (!to_server.empty()) to_server = made->ours_->Receive(made->server_->Receive(to_server));
    return made;
  }

  ServerDriver& ours() { return *ours_; }
  SSL* ssl() { return client_ ? client_->ssl() : server_->ssl(); }
  Bytes PeerWrites(std::string_view text) {
    return client_ ? client_->Write(AsBytes(text)) : server_->Write(AsBytes(text));
  }
  std::string PeerReads(ByteView bytes) {
    const Bytes text = client_ ? client_->Read(bytes) : server_->Read(bytes);
    return std::string(AsText(text));
  }
  // What we say reaches the peer, and what the peer says reaches us.
  void ExpectBothWays() {
    EXPECT_EQ(PeerReads(ours_->Give(PlaintextToSend{AsBytes("from us")})), "from us");
    const size_t before = ours_->application_data().size();
    EXPECT_TRUE(ours_->Give(FromPeer{PeerWrites("from libssl")}).empty());
    EXPECT_EQ(ours_->application_data().substr(before), "from libssl");
    EXPECT_FALSE(ours_->failure());
  }
  void PeerUpdates(bool request) {
    const int type = request ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED;
    ASSERT_EQ(SSL_key_update(ssl(), type), 1);
  }

 private:
  ServerKit kit_;
  LibsslContext context_;
  std::optional<LibsslClient> client_;
  std::optional<LibsslServer> server_;
  std::optional<ServerDriver> ours_;
};

struct Cell {
  std::string name;
  bool as_client;
  int version;
};

class ApplicationDataTest : public testing::TestWithParam<Cell> {
 protected:
  static std::unique_ptr<Both> Connect() {
    auto both = GetParam().as_client ? Both::AsClient() : Both::AsServer(GetParam().version);
    EXPECT_TRUE(both->ours().established());
    return both;
  }
  static bool tls13() { return GetParam().version == TLS1_3_VERSION; }
};

TEST_P(ApplicationDataTest, BothWaysAndAcrossASave) {
  for (const bool amnesia : {false, true}) {
    auto both = Connect();
    both->ours().amnesia = amnesia;
    for (int i = 0; i < 3; ++i) both->ExpectBothWays();
    const std::string large(50'000, 'x');
    EXPECT_EQ(both->PeerReads(both->ours().Give(PlaintextToSend{AsBytes(large)})), large);
    const Bytes records = both->PeerWrites(large);
    const size_t before = both->ours().application_data().size();
    // In pieces that no record is cut at.
    for (size_t at = 0; at < records.size(); at += 7777) {
      both->ours().Give(
          FromPeer{ByteView(records).subspan(at, std::min<size_t>(7777, records.size() - at))});
    }
    EXPECT_EQ(both->ours().application_data().substr(before), large);
  }
}

TEST_P(ApplicationDataTest, KeysAreUpdatedFromEitherSide) {
  if (!tls13()) {
    auto both = Connect();
    EXPECT_TRUE(both->ours().Give(UpdateKeys{}).empty());
    EXPECT_TRUE(both->ours().refused()) << "TLS 1.2 has no KeyUpdate";
    return both->ExpectBothWays();
  }
  for (const bool amnesia : {false, true}) {
    for (const bool request : {false, true}) {
      auto both = Connect();
      both->ours().amnesia = amnesia;
      both->PeerUpdates(request);
      EXPECT_TRUE(both->ours().Give(FromPeer{both->PeerWrites("updated")}).empty());
      EXPECT_TRUE(both->ours().application_data().ends_with("updated"));
      both->ExpectBothWays();
      const Bytes update = both->ours().Give(UpdateKeys{.request_update = request});
      EXPECT_EQ(update.size(), kRecordHeaderSize + 5 + 1 + 16);
      EXPECT_EQ(both->PeerReads(update), "");
      both->ExpectBothWays();
      both->ExpectBothWays();
    }
  }
}

TEST_P(ApplicationDataTest, SaysAndHearsCloseNotify) {
  auto both = Connect();
  EXPECT_EQ(both->PeerReads(both->ours().Give(CloseWrite{})), "");
  EXPECT_EQ(SSL_get_shutdown(both->ssl()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
  EXPECT_TRUE(both->ours().Give(CloseWrite{}).empty());
  EXPECT_FALSE(both->ours().refused());
  EXPECT_TRUE(both->ours().Give(PlaintextToSend{AsBytes("late")}).empty());
  EXPECT_TRUE(both->ours().refused());
  EXPECT_FALSE(both->ours().peer_closed());
  both->ours().Give(FromPeer{both->PeerWrites("the other way goes on")});
  EXPECT_TRUE(both->ours().application_data().ends_with("goes on"));
  EXPECT_FALSE(both->ours().failure());
}

// T23: without close_notify the data may have been cut.
TEST_P(ApplicationDataTest, T23_TheEndOfTheStreamAloneIsATruncation) {
  auto both = Connect();
  both->ours().Give(FromPeer{both->PeerWrites("first part")});
  both->ours().Give(PeerClosed{});
  ASSERT_TRUE(both->ours().failure());
  EXPECT_EQ(both->ours().failure()->reason, Reason::kPeerClosed);
  EXPECT_EQ(both->ours().failure()->origin, Origin::kClosed);
  EXPECT_TRUE(both->ours().connection().failed());
}

TEST_P(ApplicationDataTest, AWrongRecordEndsItWithAnAlert) {
  auto both = Connect();
  Bytes record = both->PeerWrites("spoilt");
  record.back() ^= 1;
  const Bytes alert = both->ours().Give(FromPeer{record});
  ASSERT_TRUE(both->ours().failure());
  EXPECT_EQ(both->ours().failure()->reason, Reason::kBadRecordMac);
  EXPECT_EQ(both->ours().failure()->alert, static_cast<uint8_t>(Alert::kBadRecordMac));
  EXPECT_EQ(both->PeerReads(alert), "");
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
  ERR_clear_error();
  EXPECT_TRUE(both->ours().Give(PlaintextToSend{AsBytes("x")}).empty());
  EXPECT_TRUE(both->ours().refused());
}

TEST_P(ApplicationDataTest, TheOwnerMayGiveUp) {
  auto both = Connect();
  EXPECT_FALSE(both->ours().Give(GiveUp{Reason::kDeadlineExceeded}).empty());
  ASSERT_TRUE(both->ours().failure());
  EXPECT_EQ(both->ours().failure()->alert, static_cast<uint8_t>(Alert::kInternalError));
}

// The keys can be given away at any time, and then nothing is protected here.
TEST_P(ApplicationDataTest, ReleasedKeysGoOnWhereItStood) {
  auto both = Connect();
  both->ExpectBothWays();
  Result<ReleasedKeys> keys = ReleaseKeys(both->ours().connection());
  ASSERT_TRUE(keys.ok());
  EXPECT_FALSE(ReleaseKeys(both->ours().connection()).ok());
  EXPECT_TRUE(both->ours().Give(PlaintextToSend{AsBytes("x")}).empty());
  EXPECT_TRUE(both->ours().refused());
  both->ours().Give(PeerClosed{});
  EXPECT_FALSE(both->ours().failure()) << "how it ended is for their holder to tell";
  RecordSealer sealer(*RecordKeys::Create(std::move(keys->write), AeadDirection::kSeal));
  Bytes record;
  ASSERT_TRUE(sealer.Seal(ContentType::kApplicationData, AsBytes("hi"), 16384, record).ok());
  EXPECT_EQ(both->PeerReads(record), "hi");
}

TEST_P(ApplicationDataTest, ClosedOneWayItsKeysStay) {
  auto both = Connect();
  both->ours().Give(CloseWrite{});
  EXPECT_FALSE(ReleaseKeys(both->ours().connection()).ok());
}

// An answer that is due is not forgotten with the keys.
TEST_P(ApplicationDataTest, AnOwedKeyUpdateComesBeforeTheRelease) {
  if (!tls13()) GTEST_SKIP() << "TLS 1.2 has no KeyUpdate";
  auto both = Connect();
  both->PeerUpdates(/*request=*/true);
  both->ours().Give(FromPeer{both->PeerWrites("x")});
  EXPECT_FALSE(ReleaseKeys(both->ours().connection()).ok());
  EXPECT_EQ(both->PeerReads(both->ours().Give(UpdateKeys{})), "");
  EXPECT_TRUE(ReleaseKeys(both->ours().connection()).ok());
}

INSTANTIATE_TEST_SUITE_P(All, ApplicationDataTest,
                         testing::Values(Cell{"Tls13Server", false, TLS1_3_VERSION},
                                         Cell{"Tls12Server", false, TLS1_2_VERSION},
                                         Cell{"Tls13Client", true, TLS1_3_VERSION}),
                         [](const auto& info) { return info.param.name; });

TEST(ApplicationInput, IsRefusedBeforeTheEndOfTheHandshake) {
  const ServerKit kit = ServerKit::For(ServerLeaf());
  ServerDriver server(kit);
  for (const Input& input :
       {Input(PlaintextToSend{AsBytes("x")}), Input(UpdateKeys{}), Input(CloseWrite{})}) {
    EXPECT_TRUE(server.Give(input).empty());
    EXPECT_TRUE(server.refused());
    EXPECT_EQ(server.connection().state_name(), "WaitClientHello");
  }
  // The control.
  LibsslClient client({});
  Bytes to_server = client.Receive({});
  while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
  EXPECT_FALSE(server.Give(UpdateKeys{}).empty());
  EXPECT_FALSE(server.refused());
}

// What follows the handshake's end in the same bytes is given again, and not lost.
TEST(ApplicationInput, BytesBehindTheEndAreGivenAgain) {
  const ServerKit kit = ServerKit::For(ServerLeaf());
  LibsslClient client({});
  ServerDriver server(kit);
  Bytes stream = client.Receive(server.Receive(client.Receive({})));
  Append(stream, client.Write(AsBytes("first request")));
  const uint64_t before = server.connection().consumed();
  server.Receive(stream);
  ASSERT_TRUE(server.established());
  EXPECT_EQ(server.application_data(), "");
  const size_t used = server.connection().consumed() - before;
  ASSERT_LT(used, stream.size());
  server.Receive(ByteView(stream).subspan(used));
  EXPECT_EQ(server.application_data(), "first request");
  EXPECT_EQ(server.connection().consumed() - before, stream.size());
}

// T4: libssl's client asks for a renegotiation, is told no, and may go on.
TEST(Renegotiation, T4_IsRefusedWithAWarning) {
  auto both = Both::AsServer(TLS1_2_VERSION);
  ASSERT_TRUE(both->ours().established());
  ASSERT_EQ(SSL_renegotiate(both->ssl()), 1);
  SSL_do_handshake(both->ssl());
  Bytes hello(BIO_ctrl_pending(SSL_get_wbio(both->ssl())));
  ASSERT_FALSE(hello.empty());
  BIO_read(SSL_get_wbio(both->ssl()), hello.data(), static_cast<int>(hello.size()));
  const Bytes warning = both->ours().Give(FromPeer{hello});
  EXPECT_EQ(warning.size(), kRecordHeaderSize + 8 + 2 + 16);
  EXPECT_FALSE(both->ours().failure());
  both->PeerReads(warning);
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_NO_RENEGOTIATION);
  ERR_clear_error();
}

// A ticket that cannot be parsed (RFC 8446 §6.2), from a server that we are at the other end of.
TEST(NewSessionTicket, AMalformedOneIsDecodeError) {
  auto both = Both::AsClient();
  ASSERT_TRUE(both->ours().established());
  EXPECT_EQ(both->ours().new_session_tickets().size(), 2u);
  // Keys are given to a sealer that says what libssl would not.
  const ServerKit server_kit = ServerKit::For(ServerLeaf(), ModernProfile());
  const ServerKit kit = ClientKit();
  for (const bool sound : {true, false}) {
    ServerDriver server(server_kit);
    ServerDriver client(kit);
    Bytes to_server = client.Begin();
    while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
    Result<ReleasedKeys> keys = ReleaseKeys(server.Take());
    ASSERT_TRUE(keys.ok());
    RecordSealer sealer(*RecordKeys::Create(std::move(keys->write), AeadDirection::kSeal));
    Bytes ticket = *FromHex("0400000e00000e1001020304000001aa0000");
    if (!sound) ticket[12] = 5;  // a nonce that reaches beyond the end
    Bytes record;
    ASSERT_TRUE(sealer.Seal(ContentType::kHandshake, ticket, 16384, record).ok());
    client.Give(FromPeer{record});
    EXPECT_EQ(client.failure().has_value(), !sound);
    EXPECT_EQ(client.new_session_tickets().size(), sound ? 1u : 0u);
    if (!sound) {
      EXPECT_EQ(client.failure()->alert, static_cast<uint8_t>(Alert::kDecodeError));
    }
  }
}

}  // namespace
}  // namespace handfast::tls::test
