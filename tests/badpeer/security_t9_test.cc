// T9, SLOTH: no signature with MD5 or SHA-1, neither made nor taken, in either role and version.
// The control of each is the same with a scheme that holds.
#include "tests/badpeer/edit_message.h"
#include "tests/badpeer/meeting.h"
#include "tests/badpeer/proof.h"

namespace handfast::tls::badpeer {
namespace {

using T9_WeakHashes = EverySide;
INSTANTIATE_TEST_SUITE_P(All, T9_WeakHashes, testing::ValuesIn(kSides), SideName);

// RSA, DSA and ECDSA with MD5, SHA-1 and SHA-224; the identity hash; anonymous.
std::vector<uint16_t> WeakSchemes() {
  std::vector<uint16_t> schemes;
  for (uint16_t hash : {0, 1, 2, 3}) {
    for (uint16_t algorithm : {0, 1, 2, 3}) {
      schemes.push_back(static_cast<uint16_t>(hash << 8 | algorithm));
    }
  }
  return schemes;
}

Bytes ListOf(const std::vector<uint16_t>& schemes) {
  Bytes body = {0, static_cast<uint8_t>(2 * schemes.size())};
  for (uint16_t scheme : schemes) {
    body.push_back(static_cast<uint8_t>(scheme >> 8));
    body.push_back(static_cast<uint8_t>(scheme));
  }
  return body;
}

TEST_P(T9_WeakHashes, AreNotTakenFromThePeer) {
  const Place place = ProofIn(side(), SoundFlights(side()));
  const auto with = [&](uint16_t scheme) {
    return Try(Meeting(side(), {SetScheme(side(), place, static_cast<SignatureScheme>(scheme))}));
  };
  for (const uint16_t scheme : WeakSchemes()) {
    EXPECT_TRUE(Refused(with(scheme), Reason::kSchemeNotOffered, Alert::kIllegalParameter))
        << scheme;
  }
  EXPECT_TRUE(Succeeded(with(0x0807)));
}

// A server that may sign with nothing else does not sign.
TEST(T9_WeakHashesOffered, AreNotUsedByAServer) {
  for (const Side& side : {kServer13, kServer12}) {
    const auto with = [&](const std::vector<uint16_t>& schemes) {
      Meeting meeting(side);
      // A TLS 1.2 hello must be right from the start for its transcript to hold.
      if (side.tls13()) {
        meeting.script = {SetExtension<ClientHello>({0, 0}, ExtensionType::kSignatureAlgorithms,
                                                    ListOf(schemes))};
      } else {
        meeting.hello.Set(ExtensionType::kSignatureAlgorithms, ListOf(schemes));
      }
      return Try(meeting);
    };
    EXPECT_TRUE(
        Refused(with(WeakSchemes()), Reason::kNoCommonSignatureScheme, Alert::kHandshakeFailure));
    std::vector<uint16_t> and_a_strong_one = WeakSchemes();
    and_a_strong_one.push_back(0x0807);
    EXPECT_TRUE(Succeeded(with(and_a_strong_one)));
  }
}

// Nor by a client: it shows no certificate, and a server that demands one says so.
TEST(T9_WeakHashesOffered, AreNotUsedByAClient) {
  const Place request = Find(SoundFlights(kClient13), HandshakeType::kCertificateRequest);
  // The list is written where the other one stood, before the transcript is known to the peer; so
  // what is looked at is what the client would sign with.
  Tested tested(Meeting{kClient13});
  const Meeting meeting(kClient13,
                        {SetExtension<tls13::CertificateRequest>(
                            request, ExtensionType::kSignatureAlgorithms, ListOf(WeakSchemes()))});
  const std::unique_ptr<Peer> peer = meeting.MakePeer();
  const Bytes flight = peer->Receive(tested.Begin());
  test::FixedRandomness randomness;
  Stepped stepped =
      Step(tested.driver().Take(), FromPeer{flight}, Context{meeting.kit.profile, randomness});
  ASSERT_TRUE(stepped.output.question);
  const auto& choose = std::get<Choose>(*stepped.output.question);
  EXPECT_TRUE(choose.as_client);
  EXPECT_TRUE(choose.schemes.empty());
}

}  // namespace
}  // namespace handfast::tls::badpeer
