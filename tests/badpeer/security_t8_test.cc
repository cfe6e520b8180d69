// T8, Raccoon and reused keys: ten thousand handshakes, and no share is seen twice, in either
// version and either role. The negative control is a source of keys that repeats itself.
#include <set>

#include "tests/badpeer/meeting.h"
#include "tls/crypto/random.h"

namespace handfast::tls::badpeer {
namespace {

// Of the row's ServerKeyExchange; the others' shares come from the same source.
int HandshakesOf(const Side& side) { return side.server && !side.tls13() ? 10'000 : 1000; }

// The share in a flight of handshake messages in the clear: of ServerKeyExchange,
// ClientKeyExchange, a ServerHello, or a ClientHello.
Bytes ShareIn(ByteView flight) {
  Bytes messages;
  while (!flight.empty() && flight[0] == 22) {
    const size_t size = size_t{flight[3]} << 8 | flight[4];
    Append(messages, flight.subspan(kRecordHeaderSize, size));
    flight = flight.subspan(kRecordHeaderSize + size);
  }
  ByteView left = messages;
  while (!left.empty()) {
    const size_t size = size_t{left[1]} << 16 | size_t{left[2]} << 8 | left[3];
    const ByteView body = left.subspan(kHandshakeHeaderSize, size);
    const auto type = static_cast<HandshakeType>(left[0]);
    left = left.subspan(kHandshakeHeaderSize + size);
    const auto in_extension = [&](const auto& hello) {
      const Extension* extension = tls::Find(hello->extensions, ExtensionType::kKeyShare);
      return extension == nullptr ? Bytes() : Copy(extension->data);
    };
    Bytes share;
    if (type == HandshakeType::kServerKeyExchange) {
      share = Copy(Parse<tls12::ServerKeyExchange>(body)->params.point);
    } else if (type == HandshakeType::kClientKeyExchange) {
      share = Copy(Parse<tls12::ClientKeyExchange>(body)->exchange_keys);
    } else if (type == HandshakeType::kServerHello) {
      share = in_extension(Parse<ServerHello>(body));
    } else if (type == HandshakeType::kClientHello) {
      share = in_extension(Parse<ClientHello>(body));
    }
    if (!share.empty()) return share;
  }
  return {};
}

// How many different shares the side shows to the same hello.
size_t DistinctShares(const Side& side, int handshakes, Randomness& randomness) {
  const Meeting meeting(side);
  const Bytes hello = meeting.MakePeer()->Begin();
  std::set<Bytes> shares;
  for (int i = 0; i < handshakes; ++i) {
    test::ServerDriver driver(meeting.kit, meeting.options, randomness);
    Bytes flight = side.server ? driver.Receive(hello) : driver.Begin();
    // A TLS 1.2 client shows its share when it has seen the server's.
    if (!side.server && !side.tls13()) {
      flight = driver.Receive(meeting.MakePeer()->Receive(flight));
    }
    const Bytes share = ShareIn(flight);
    EXPECT_GE(share.size(), 32u);
    shares.insert(share);
  }
  return shares.size();
}

using T8_Shares = EverySide;
INSTANTIATE_TEST_SUITE_P(All, T8_Shares, testing::ValuesIn(kSides), SideName);

TEST_P(T8_Shares, AreAllDistinct) {
  const int handshakes = HandshakesOf(side());
  EXPECT_EQ(DistinctShares(side(), handshakes, SystemRandomness()),
            static_cast<size_t>(handshakes));
}

TEST_P(T8_Shares, AreAllDistinct_Control) {
  test::FixedRandomness same;
  EXPECT_EQ(DistinctShares(side(), 10, same), 1u);
}

}  // namespace
}  // namespace handfast::tls::badpeer
