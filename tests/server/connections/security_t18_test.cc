// T18, floods and overflows, of connections whose keys stay in the service: at each limit, and one
// beyond. The control is the limit itself, and that what is told in between begins the count anew.
// (The AEADs' own limits: tests/tls/record/key_limit_test.)
#include <gtest/gtest.h>

#include "tests/server/connections/kept_fixture.h"
#include "tls/base/reason.h"
#include "tls/record/record_layer.h"

namespace handfast::connections {
namespace {

using tls::Bytes;
using tls::ContentType;
using tls::Reason;

constexpr uint8_t kKeyUpdate[] = {24, 0, 0, 1, 0};
constexpr uint8_t kUserCanceled[] = {1, 90};  // a warning in both versions

// A client that seals whatever it is told to.
class Flooder {
 public:
  explicit Flooder(tls::ProtocolVersion version) {
    const tls::test::TestCa ca = tls::test::TestCa::Create("CA");
    const tls::test::Leaf leaf = ca.Issue({.dns = {"example.test"}});
    const tls::test::ServerKit kit = tls::test::ServerKit::For(leaf);
    tls::test::ServerKit peer_kit;
    peer_kit.as_client = true;
    peer_kit.profile.versions = {version};
    peer_kit.clients = std::make_shared<const tls::TrustBundle>(ca.Bundle());
    tls::test::ServerDriver server(kit);
    tls::test::ServerDriver peer(peer_kit, {.server_name = "example.test"});
    for (Bytes to_server = peer.Begin(); !to_server.empty();) {
      to_server = peer.Receive(server.Receive(to_server));
    }
    EXPECT_TRUE(server.established());
    auto keys = tls::ReleaseKeys(peer.Take());
    EXPECT_TRUE(keys.ok());
    sealer_.Install(*tls::RecordKeys::Create(std::move(keys->write), tls::AeadDirection::kSeal));
    kept_ = std::make_unique<KeptConnection>(server.Take(), clock_,
                                             std::make_shared<KeptReplyBytes>(0));
  }

  Flooder& Say(ContentType type, tls::ByteView content, int times = 1) {
    for (int i = 0; i < times; ++i) {
      EXPECT_TRUE(sealer_.Seal(type, content, tls::kMaxPlaintext, records_).ok());
      if (type == ContentType::kHandshake) {
        EXPECT_TRUE(sealer_.keys()->Update().ok());
      }
    }
    return *this;
  }
  // What came of it.
  std::optional<Reason> Open() {
    std::optional<Reason> failed;
    for (tls::ByteView rest = records_; !rest.empty() && !failed;) {
      const auto opened =
          kept_->Open({std::nullopt, rest.first(std::min(rest.size(), kMaxCallBytes))});
      if (!opened.ok()) return Reason::kInternalError;
      if (opened->reply->failure) failed = opened->reply->failure->reason;
      rest = rest.subspan(opened->reply->consumed);
    }
    records_.clear();
    return failed;
  }
  Bytes& records() { return records_; }

 private:
  test::TurnedClock clock_;
  std::unique_ptr<KeptConnection> kept_;
  tls::RecordSealer sealer_;
  Bytes records_;
};

class T18_Floods : public testing::TestWithParam<tls::ProtocolVersion> {};
INSTANTIATE_TEST_SUITE_P(Versions, T18_Floods,
                         testing::Values(tls::ProtocolVersion::kTls12,
                                         tls::ProtocolVersion::kTls13));

TEST_P(T18_Floods, EmptyRecords) {
  const auto data = ContentType::kApplicationData;
  EXPECT_EQ(Flooder(GetParam()).Say(data, {}, tls::kMaxEmptyRecords).Open(), std::nullopt);
  EXPECT_EQ(Flooder(GetParam()).Say(data, {}, tls::kMaxEmptyRecords + 1).Open(),
            Reason::kTooManyEmptyRecords);
  Flooder flooder(GetParam());
  for (int i = 0; i < 3; ++i) {
    flooder.Say(data, {}, tls::kMaxEmptyRecords).Say(data, tls::AsBytes("data"));
  }
  EXPECT_EQ(flooder.Open(), std::nullopt);
}

TEST_P(T18_Floods, Warnings) {
  const auto alert = ContentType::kAlert;
  EXPECT_EQ(Flooder(GetParam()).Say(alert, kUserCanceled, tls::kMaxWarnings).Open(), std::nullopt);
  EXPECT_EQ(Flooder(GetParam()).Say(alert, kUserCanceled, tls::kMaxWarnings + 1).Open(),
            Reason::kTooManyWarnings);
}

TEST_P(T18_Floods, KeyUpdates) {
  if (GetParam() == tls::ProtocolVersion::kTls12) GTEST_SKIP() << "TLS 1.2 has none";
  const auto handshake = ContentType::kHandshake;
  EXPECT_EQ(Flooder(GetParam()).Say(handshake, kKeyUpdate, tls::kMaxKeyUpdates).Open(),
            std::nullopt);
  EXPECT_EQ(Flooder(GetParam()).Say(handshake, kKeyUpdate, tls::kMaxKeyUpdates + 1).Open(),
            Reason::kTooManyPostHandshakeMessages);
  Flooder flooder(GetParam());
  for (int i = 0; i < 3; ++i) {
    flooder.Say(handshake, kKeyUpdate, tls::kMaxKeyUpdates)
        .Say(ContentType::kApplicationData, tls::AsBytes("data"));
  }
  EXPECT_EQ(flooder.Open(), std::nullopt);
}

TEST_P(T18_Floods, RecordsAtTheLimitAndBeyond) {
  const Bytes full(tls::kMaxPlaintext, 'x');
  EXPECT_EQ(Flooder(GetParam()).Say(ContentType::kApplicationData, full).Open(), std::nullopt);
  Flooder flooder(GetParam());
  flooder.Say(ContentType::kApplicationData, full);
  // The length alone, in the header: nobody waits for what cannot be right.
  flooder.records()[3] = 0x41;
  flooder.records()[4] = 0x01;  // 2^14 + 257
  EXPECT_EQ(flooder.Open(), Reason::kRecordOverflow);
}

}  // namespace
}  // namespace handfast::connections
