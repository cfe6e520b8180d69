// T16, signatures that prove something else: another context, a cut transcript, another scheme's
// name. The control is that each signature made as it should be is taken. (Keys and paddings of
// clients in all combinations: tests/tls/connection, wrong_certificate_test.)
#include <algorithm>

#include "tests/badpeer/edit_message.h"
#include "tests/badpeer/meeting.h"
#include "tests/badpeer/proof.h"

namespace handfast::tls::badpeer {
namespace {

using T16_Signatures = EverySide;
INSTANTIATE_TEST_SUITE_P(All, T16_Signatures, testing::ValuesIn(kSides), SideName);

TEST_P(T16_Signatures, OverOtherContents) {
  const std::string_view server = "TLS 1.3, server CertificateVerify";
  const std::string_view client = "TLS 1.3, client CertificateVerify";
  const std::function<void(Bytes&)> edits[] = {
      // The context of the other side, in place.
      [&](Bytes& content) {
        const auto ours = AsBytes(side().server ? client : server);
        const auto theirs = AsBytes(side().server ? server : client);
        const auto at = std::search(content.begin(), content.end(), ours.begin(), ours.end());
        if (at == content.end()) return content.push_back(0);  // TLS 1.2 has none
        std::copy(theirs.begin(), theirs.end(), at);
      },
      [](Bytes& content) { content.pop_back(); },
      [](Bytes& content) { content.push_back(0); },
      [](Bytes& content) { content.back() ^= 1; },
      [](Bytes& content) { content.front() ^= 1; },
      // Without TLS 1.3's 64 spaces, or with them in TLS 1.2.
      [&](Bytes& content) {
        const auto count = std::ptrdiff_t{64};
        if (side().tls13()) {
          content.erase(content.begin(), content.begin() + count);
        } else {
          content.insert(content.begin(), count, 0x20);
        }
      },
      [](Bytes& content) { content.clear(); },
  };
  for (const auto& edit : edits) {
    Meeting meeting(side());
    meeting.edit_signed_content = edit;
    EXPECT_TRUE(Refused(Try(meeting), Reason::kBadSignature, Alert::kDecryptError))
        << &edit - edits;
  }
  Meeting control(side());
  bool signed_once = false;
  control.edit_signed_content = [&](Bytes&) { signed_once = true; };
  const Outcome outcome = Try(control);
  EXPECT_TRUE(Succeeded(outcome));
  EXPECT_FALSE(Refused(outcome, Reason::kBadSignature, Alert::kDecryptError));
  EXPECT_TRUE(signed_once);
}

// Where IANA has schemes, and others around them.
std::vector<int> SchemeNumbers() {
  std::vector<int> numbers;
  for (int hash = 0; hash <= 10; ++hash) {
    for (int algorithm = 0; algorithm < 16; ++algorithm) numbers.push_back(hash << 8 | algorithm);
  }
  for (const int number : {0x7f7f, 0xeded, 0xfe00, 0xffff}) numbers.push_back(number);
  return numbers;
}

// The signature is right and its name is not: T9's SHA-1 and MD5 among the names.
TEST_P(T16_Signatures, UnderAnotherName) {
  const Meeting sound(side());
  const Place place = ProofIn(side(), SoundFlights(side()));
  int not_offered = 0;
  for (const int number : SchemeNumbers()) {
    const auto scheme = static_cast<SignatureScheme>(number);
    if (scheme == SignatureScheme::kEd25519) continue;
    const Meeting meeting(side(), {SetScheme(side(), place, scheme)});
    const auto& offered = sound.kit.profile.signature_schemes;
    const bool pkcs1 = (number & 0xff) == 1;
    // RFC 8446 §4.4.3 and §4.2.3: TLS 1.3 has PKCS#1 in certificates alone, whoever lists it.
    // A TLS 1.2 server's is of the suite's kind (RFC 5246 §7.4.3), here ECDSA.
    const bool of_suite = !ProvesInKeyExchange(side()) || (number & 0xff) == 3;
    const bool listed = (!side().tls13() || !pkcs1) && of_suite;
    const bool known = listed && std::count(offered.begin(), offered.end(), scheme) > 0;
    ASSERT_TRUE(known ? Refused(Try(meeting), Reason::kBadSignature, Alert::kDecryptError)
                      : Refused(Try(meeting), Reason::kSchemeNotOffered, Alert::kIllegalParameter))
        << number;
    not_offered += known ? 0 : 1;
  }
  EXPECT_GT(not_offered, 150);
}

TEST_P(T16_Signatures, EachBit) {
  const std::vector<Flight> flights = SoundFlights(side());
  const Place place = ProofIn(side(), flights);
  constexpr size_t kSignature = 64;  // Ed25519; it is the last field
  const size_t before = flights[place.flight][place.record].content.size() - kSignature;
  for (size_t bit = 0; bit < 8 * kSignature; ++bit) {
    const Meeting meeting(side(), {FlipBit(place, 8 * before + bit)});
    ASSERT_TRUE(Refused(Try(meeting), Reason::kBadSignature, Alert::kDecryptError)) << bit;
  }
}

// Of the right form, by the key of another certificate of the same authority.
TEST_P(T16_Signatures, OfAnotherKey) {
  const test::TestCa& ca = []() -> const test::TestCa& {
    static const test::TestCa made = test::TestCa::Create("root");
    return made;
  }();
  const auto leaf = [&] {
    return ca.Issue({.type = KeyType::kEd25519, .dns = {"example.test"}, .client = true});
  };
  const test::Leaf shown = leaf();
  test::Leaf stranger = shown;
  stranger.key_pkcs8 = leaf().key_pkcs8;
  for (const test::Leaf* used : std::initializer_list<const test::Leaf*>{&shown, &stranger}) {
    Meeting meeting(side());
    meeting.kit.clients = std::make_shared<const TrustBundle>(ca.Bundle());
    test::ServerKit identity = test::ServerKit::For(*used);
    meeting.peer_kit.credential = identity.credential;
    meeting.peer_kit.key = identity.key;
    meeting.certificate = std::make_shared<const test::Leaf>(*used);
    if (used == &shown) {
      EXPECT_TRUE(Try(meeting).established);  // the control
    } else {
      EXPECT_TRUE(Refused(Try(meeting), Reason::kBadSignature, Alert::kDecryptError));
    }
  }
}

}  // namespace
}  // namespace handfast::tls::badpeer
