// Released keys become the record layer of the server's side; what it does is tested in
// tests/tls/record.
#include "client/core/record_layer.h"

#include <gtest/gtest.h>

namespace handfast::client {
namespace {

using tls::Bytes;
using tls::ByteView;
using tls::Reason;

tls::TrafficKeys13 Keys13(uint8_t fill, size_t size = 32) {
  return {tls::CipherSuite::kTlsAes128GcmSha256, *tls::HashSecret::From(Bytes(size, fill)), 0};
}

tls::TrafficKeys12 Keys12(uint8_t fill) {
  return {tls::CipherSuite::kEcdheEcdsaAes128GcmSha256, *tls::AeadKey::From(Bytes(16, fill)),
          *tls::AeadIv::From(Bytes(4, fill)), 0};
}

TEST(RecordLayerTest, NeedsKeysThatFitTheirSuite) {
  EXPECT_FALSE(CreateRecordLayer({}, 16384).ok());
  EXPECT_FALSE(CreateRecordLayer(ReleasedKeys13{Keys13(1, 31), Keys13(2)}, 16384).ok());
  EXPECT_FALSE(CreateRecordLayer(ReleasedKeys13{Keys13(1), Keys13(2, 31)}, 16384).ok());
  EXPECT_TRUE(CreateRecordLayer(ReleasedKeys13{Keys13(1), Keys13(2)}, 16384).ok());
}

// Each direction under its own keys, in records of the size that the peer takes, as a server.
TEST(RecordLayerTest, IsTheServersSide) {
  for (const bool tls13 : {true, false}) {
    ReleasedKeys keys;
    if (tls13) {
      keys = ReleasedKeys13{Keys13(1), Keys13(2)};
    } else {
      keys = ReleasedKeys12{Keys12(1), Keys12(2)};
    }
    auto layer = CreateRecordLayer(std::move(keys), 100);
    ASSERT_TRUE(layer.ok());
    tls::TrafficKeys theirs = Keys12(2);
    if (tls13) theirs = Keys13(2);
    tls::RecordSealer peer(*tls::RecordKeys::Create(std::move(theirs), tls::AeadDirection::kSeal));
    Bytes out;
    ASSERT_TRUE(layer->Seal(Bytes(101, 'x'), out).ok());
    const size_t overhead = tls::kRecordHeaderSize + (tls13 ? 1 : 8) + 16;
    EXPECT_EQ(out.size(), 101 + 2 * overhead);
    Bytes ticket;
    const Bytes message = {4, 0, 0, 1, 0};
    ASSERT_TRUE(peer.Seal(tls::ContentType::kHandshake, message, 16384, ticket).ok());
    std::vector<ByteView> pieces;
    EXPECT_EQ(layer->Open(ticket, pieces, out).failure, Reason::kUnexpectedMessage);
  }
}

TEST(RecordLayerTest, AnAlertInTheClear) {
  EXPECT_EQ(PlaintextAlert(tls::Alert::kInternalError), (Bytes{21, 3, 3, 0, 2, 2, 80}));
}

}  // namespace
}  // namespace handfast::client
