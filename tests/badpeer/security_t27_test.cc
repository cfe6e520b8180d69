// T27, extension bombs: a repeated one is refused in every message that has extensions, and their
// number is bounded; GREASE (RFC 8701) is tolerated. The control is the sound message, and as many
// extensions as are allowed. (Each body's own bounds: tests/tls/wire.)
#include <set>

#include "tests/badpeer/edit_message.h"
#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {
namespace {

template <class M>
void ExpectNoneTwice(const Side& side) {
  Meeting sound(side);
  sound.options.alpn = {"h2"};
  sound.peer_options.alpn = {"h2"};
  const std::unique_ptr<Peer> peer = sound.MakePeer();
  Tested tested(sound);
  ASSERT_TRUE(Succeeded(Meet(tested, *peer)));
  const Place place = Find(peer->sound(), M::kType);
  const Bytes message = peer->sound()[place.flight][place.record].content;
  const size_t count = Parse<M>(ByteView(message).subspan(kHandshakeHeaderSize))->extensions.size();
  EXPECT_GT(count, 0u);
  for (size_t i = 0; i < count; ++i) {
    Meeting twice = sound;
    twice.script = {EditAs<M>(place, "Twice", [i](M& m) {
      // Next to itself, for some must be last.
      m.extensions.insert(m.extensions.begin() + static_cast<std::ptrdiff_t>(i), m.extensions[i]);
    })};
    EXPECT_TRUE(Refused(Try(twice), Reason::kDuplicateExtension, Alert::kIllegalParameter)) << i;
  }
}

TEST(T27_Extensions, NoneTwice) {
  ExpectNoneTwice<ClientHello>(kServer13);
  ExpectNoneTwice<ClientHello>(kServer12);
  ExpectNoneTwice<ServerHello>(kClient13);
  ExpectNoneTwice<ServerHello>(kClient12);
  ExpectNoneTwice<EncryptedExtensions>(kClient13);
  ExpectNoneTwice<tls13::CertificateRequest>(kClient13);
}

// Adds unknown ones behind those that are there, until there are `count`. By hand: Writer knows the
// bound too.
template <class M>
void Fill(Bytes& content, size_t count) {
  const Bytes before = content;
  const auto sound = Parse<M>(ByteView(before).subspan(kHandshakeHeaderSize));
  size_t block = 2;
  for (const Extension& extension : sound->extensions) block += 4 + extension.data.size();
  const size_t at = content.size() - block;
  for (size_t i = sound->extensions.size(); i < count; ++i) {
    Append(content, Bytes{static_cast<uint8_t>(0x60 + (i >> 8)), static_cast<uint8_t>(i), 0, 0});
  }
  content = test::WithLength(content, {at, 2}, content.size() - at - 2);
  FixHeader(content);
}

template <class M>
Outcome WithCount(const Side& side, size_t count) {
  const Place place = Find(SoundFlights(side), M::kType);
  const Edit fill =
      Mutate(place, "Count", [count](Outgoing& record) { Fill<M>(record.content, count); });
  // 10,000 do not fit into one record.
  return Try(Meeting(side, {fill, Split(place, {16'000, 16'000})}));
}

TEST(T27_Extensions, AreCounted) {
  for (const size_t count : {65, 1000, 10'000}) {
    EXPECT_TRUE(Refused(WithCount<ClientHello>(kServer13, count), Reason::kDecodeError,
                        Alert::kDecodeError))
        << count;
    EXPECT_TRUE(Refused(WithCount<ClientHello>(kServer12, count), Reason::kDecodeError,
                        Alert::kDecodeError));
    EXPECT_TRUE(Refused(WithCount<ServerHello>(kClient13, count), Reason::kDecodeError,
                        Alert::kDecodeError));
    EXPECT_TRUE(Refused(WithCount<EncryptedExtensions>(kClient13, count), Reason::kDecodeError,
                        Alert::kDecodeError));
  }
  // The controls: as many as may be. A client takes none that it did not ask for.
  EXPECT_TRUE(Succeeded(WithCount<ClientHello>(kServer13, 64)));
  EXPECT_TRUE(Refused(WithCount<EncryptedExtensions>(kClient13, 64), Reason::kUnsolicitedExtension,
                      Alert::kUnsupportedExtension));
}

// RFC 8701 §3.1: a server ignores what it does not know, wherever a client may put it.
TEST(T27_Grease, IsToleratedByAServer) {
  constexpr Place kHello{0, 0};
  static const Bytes one_byte = {0};
  for (int i = 0; i < 16; ++i) {
    const auto value = static_cast<uint16_t>(0x0a0a + 0x1010 * i);
    const Script script = {EditAs<ClientHello>(kHello, "Grease", [value](ClientHello& m) {
      m.cipher_suites.insert(m.cipher_suites.begin(), static_cast<CipherSuite>(value));
      const auto type = static_cast<ExtensionType>(value);
      m.extensions.insert(m.extensions.begin(), {type, {}});
      m.extensions.push_back({static_cast<ExtensionType>(value ^ 0x1010), one_byte});
    })};
    EXPECT_TRUE(Succeeded(Try(Meeting(kServer13, script)))) << i;
  }
}

// RFC 8701 §3.1 and §4.1: a client refuses what it did not offer, GREASE or not.
TEST(T27_Grease, IsRefusedByAClient) {
  const std::vector<Flight> flights = SoundFlights(kClient13);
  const auto type = static_cast<ExtensionType>(0x3a3a);
  const Script hello = {
      SetExtension<ServerHello>(Find(flights, HandshakeType::kServerHello), type, {})};
  const Script extensions = {SetExtension<EncryptedExtensions>(
      Find(flights, HandshakeType::kEncryptedExtensions), type, {})};
  for (const Script& script : {hello, extensions}) {
    EXPECT_TRUE(Refused(Try(Meeting(kClient13, script)), Reason::kUnsolicitedExtension,
                        Alert::kUnsupportedExtension));
  }
  // RFC 8446 §4.3.2: of a CertificateRequest "clients MUST ignore unrecognized extensions"; that it
  // was not in the server's own transcript is noticed later.
  const Script request = {SetExtension<tls13::CertificateRequest>(
      Find(flights, HandshakeType::kCertificateRequest), type, {})};
  EXPECT_TRUE(
      Refused(Try(Meeting(kClient13, request)), Reason::kBadSignature, Alert::kDecryptError));
}

}  // namespace
}  // namespace handfast::tls::badpeer
