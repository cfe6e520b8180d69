// RecordService: megabytes in both directions with libssl as the peer, in both versions and roles,
// call by call and on a stream.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "handfast/v1/connections.grpc.pb.h"
#include "tests/server/rpc/record_call.h"
#include "tests/server/rpc/test_service.h"
#include "tls/crypto/hash.h"

namespace handfast::rpc::test {
namespace {

using tls::Bytes;
using tls::ByteView;
using tls::test::LibsslClient;

constexpr size_t kMegabytes = size_t{3} << 20;

Bytes Stream(size_t size) {
  Bytes bytes(size);
  uint32_t x = 7;
  for (uint8_t& byte : bytes) {
    x = x * 1664525 + 1013904223;
    byte = static_cast<uint8_t>(x >> 24);
  }
  return bytes;
}

std::string Sha256(ByteView bytes) {
  return tls::ToHex(tls::Hash(tls::HashAlgorithm::kSha256, bytes).view());
}

class Records : public testing::TestWithParam<int> {
 protected:
  Records() : peer_({.version = GetParam()}), caller_(service_.Channel(As::kEdge)) {
    RelayCall call(service_.Channel(As::kEdge));
    const v1::RelayResponse last = RunHandshake(call, 1, PlainStart(), peer_);
    name_ = last.established().connection();
  }
  bool tls13() const { return GetParam() == TLS1_3_VERSION; }
  // Asks the peer to, now and then.
  void UpdateKeys(int piece) {
    if (!tls13() || piece % 3 != 0) return;
    EXPECT_EQ(SSL_key_update(peer_.ssl(), piece % 2 == 0 ? SSL_KEY_UPDATE_REQUESTED
                                                         : SSL_KEY_UPDATE_NOT_REQUESTED),
              1);
  }

  TestService service_;
  LibsslClient peer_;
  RecordCaller caller_;
  std::string name_;
};
INSTANTIATE_TEST_SUITE_P(Versions, Records, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_P(Records, MegabytesEachWayCallByCall) {
  const Bytes stream = Stream(kMegabytes);
  Bytes heard_by_peer;
  Bytes heard_by_us;
  uint64_t seal_seq = 0;
  uint64_t open_seq = 0;
  uint64_t sent = 0;
  int piece = 0;
  Bytes waiting;
  for (size_t at = 0; at < stream.size(); ++piece) {
    const size_t size = std::min(stream.size() - at, size_t{1} + (piece * 37'123) % 131'072);
    const ByteView part = ByteView(stream).subspan(at, size);
    at += size;
    v1::SealResponse sealed;
    ASSERT_TRUE(caller_.Seal(name_, seal_seq, part, &sealed).ok());
    ASSERT_EQ(sealed.to_peer_offset(), sent);
    sent += sealed.to_peer().size();
    seal_seq = sealed.next_seq();
    tls::Append(heard_by_peer, peer_.Read(tls::AsBytes(sealed.to_peer())));

    UpdateKeys(piece);
    tls::Append(waiting, peer_.Write(part));
    while (true) {
      v1::OpenResponse opened;
      ASSERT_TRUE(caller_
                      .Open(name_, open_seq,
                            ByteView(waiting).first(std::min<size_t>(waiting.size(), 100'000)),
                            &opened)
                      .ok());
      ASSERT_FALSE(opened.has_failure()) << opened.failure().reason();
      ASSERT_TRUE(opened.to_peer().empty());
      open_seq = opened.next_seq();
      tls::Append(heard_by_us, tls::AsBytes(opened.plaintext()));
      waiting.erase(waiting.begin(), waiting.begin() + opened.consumed());
      if (opened.consumed() == 0) break;
    }
    ASSERT_TRUE(waiting.empty());
  }
  EXPECT_EQ(Sha256(heard_by_peer), Sha256(stream));
  EXPECT_EQ(Sha256(heard_by_us), Sha256(stream));
  EXPECT_EQ(service_.metrics.bytes_sealed, kMegabytes);
  EXPECT_EQ(service_.metrics.bytes_opened, kMegabytes);
  EXPECT_EQ(service_.metrics.records_sealed, seal_seq);
  EXPECT_EQ(service_.metrics.records_opened, open_seq);
}

TEST_P(Records, MegabytesEachWayOnAStream) {
  const Bytes stream = Stream(kMegabytes);
  ProtectCall call(service_.Channel(As::kEdge));
  Bytes heard_by_peer;
  Bytes heard_by_us;
  uint64_t sent = 0;
  v1::ProtectRequest request;
  request.set_connection(name_);
  int piece = 0;
  for (size_t at = 0; at < stream.size(); at += 65'536, ++piece) {
    const ByteView part = ByteView(stream).subspan(at, 65'536);
    request.set_plaintext(part.data(), part.size());
    ASSERT_TRUE(call.Send(request));
    request.clear_connection();
    UpdateKeys(piece);
    const Bytes records = peer_.Write(part);
    request.set_from_peer(records.data(), records.size());
    ASSERT_TRUE(call.Send(request));
    for (int i = 0; i < 2; ++i) {
      const auto reply = call.Next();
      ASSERT_TRUE(reply);
      ASSERT_EQ(reply->to_peer_offset(), sent);
      sent += reply->to_peer().size();
      tls::Append(heard_by_peer, peer_.Read(tls::AsBytes(reply->to_peer())));
      tls::Append(heard_by_us, tls::AsBytes(reply->plaintext()));
    }
  }
  EXPECT_EQ(Sha256(heard_by_peer), Sha256(stream));
  EXPECT_EQ(Sha256(heard_by_us), Sha256(stream));
  // The end, from both sides.
  request.mutable_close_write();
  ASSERT_TRUE(call.Send(request));
  peer_.Read(tls::AsBytes(call.Next()->to_peer()));
  EXPECT_NE(SSL_get_shutdown(peer_.ssl()) & SSL_RECEIVED_SHUTDOWN, 0);
  const Bytes end = peer_.Close();
  request.set_last_from_peer(end.data(), end.size());
  ASSERT_TRUE(call.Send(request));
  const auto last = call.Next();
  ASSERT_TRUE(last);
  EXPECT_TRUE(last->peer_closed());
  EXPECT_FALSE(last->has_failure());
  call.HalfClose();
  EXPECT_FALSE(call.Next());
  EXPECT_TRUE(call.Finish().ok());
}

TEST_P(Records, AStreamGoesOnWhereCallsStood) {
  v1::SealResponse sealed;
  ASSERT_TRUE(caller_.Seal(name_, 0, tls::AsBytes("one"), &sealed).ok());
  EXPECT_EQ(tls::AsText(peer_.Read(tls::AsBytes(sealed.to_peer()))), "one");
  {
    ProtectCall call(service_.Channel(As::kEdge));
    v1::ProtectRequest request;
    request.set_connection(name_);
    request.set_plaintext("two");
    ASSERT_TRUE(call.Send(request));
    const auto reply = call.Next();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->next_seal_seq(), 2u);
    EXPECT_EQ(tls::AsText(peer_.Read(tls::AsBytes(reply->to_peer()))), "two");
    call.HalfClose();
    EXPECT_TRUE(call.Finish().ok());
  }
  ASSERT_TRUE(caller_.Seal(name_, 2, tls::AsBytes("three"), &sealed).ok());
  EXPECT_EQ(tls::AsText(peer_.Read(tls::AsBytes(sealed.to_peer()))), "three");
}

TEST(RecordsOfAClient, BothWaysAndItsTickets) {
  TestService service;
  const tls::test::Leaf leaf = service.server_ca().Issue({.dns = {"db.example.test"}});
  SSL_CTX* context = tls::test::LibsslServerContext(leaf, /*tickets=*/2);
  {
    tls::test::LibsslServer peer(context);
    RelayCall relay(service.Channel(As::kEdge));
    relay.Start(1, ClientStart("db.example.test"));
    // What the server says behind the handshake, its tickets, stays with the caller.
    Bytes records;
    std::optional<v1::RelayResponse> last;
    do {
      last = relay.Next();
      ASSERT_TRUE(last);
      records = peer.Receive(tls::AsBytes(last->to_peer()));
      if (!last->has_established()) relay.FromPeer(1, records);
    } while (last->outcome_case() == v1::RelayResponse::OUTCOME_NOT_SET);
    ASSERT_TRUE(last->has_established()) << last->failure().reason();
    const std::string& name = last->established().connection();
    RecordCaller caller(service.Channel(As::kEdge));
    tls::Append(records, peer.Write(tls::AsBytes("rows")));
    v1::OpenResponse opened;
    ASSERT_TRUE(caller.Open(name, 0, records, &opened).ok());
    ASSERT_FALSE(opened.has_failure()) << opened.failure().reason();
    EXPECT_EQ(opened.plaintext(), "rows");
    EXPECT_EQ(opened.consumed(), records.size());
    EXPECT_EQ(opened.new_session_tickets(), 2u);
    v1::SealResponse sealed;
    ASSERT_TRUE(caller.Seal(name, 0, tls::AsBytes("select"), &sealed).ok());
    EXPECT_EQ(tls::AsText(peer.Read(tls::AsBytes(sealed.to_peer()))), "select");
  }
  SSL_CTX_free(context);
}

}  // namespace
}  // namespace handfast::rpc::test
