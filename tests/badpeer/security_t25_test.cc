// T25, certificates that prove nothing, shown to each side: none where one is due, another purpose,
// out of time, of a stranger, of an issuer that may not issue, of another name's branch, in a chain
// that is too long, or no certificate at all. The control is the sound one of the same authority,
// and an owner who trusts blindly. (Policies one by one: tests/tls/crypto, trust_test.)
#include "tests/badpeer/asking.h"
#include "tests/badpeer/edit_message.h"
#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {
namespace {

using T25_Certificates = EverySide;
INSTANTIATE_TEST_SUITE_P(All, T25_Certificates, testing::ValuesIn(kSides), SideName);

const test::TestCa& Root() {
  static const test::TestCa root = test::TestCa::Create("root");
  return root;
}

// For both purposes, until a row says otherwise.
test::LeafOptions Sound() {
  return {.type = KeyType::kEd25519, .dns = {"example.test"}, .server = true, .client = true};
}

Meeting Showing(const Side& side, const test::Leaf& leaf) {
  Meeting meeting(side);
  meeting.kit.clients = std::make_shared<const TrustBundle>(Root().Bundle());
  const test::ServerKit shown = test::ServerKit::For(leaf);
  meeting.peer_kit.credential = shown.credential;
  meeting.peer_kit.key = shown.key;
  meeting.certificate = std::make_shared<const test::Leaf>(leaf);
  return meeting;
}

struct Wrong {
  std::string what;
  test::Leaf leaf;
  std::vector<Alert> alerts;
};

test::Leaf With(const std::function<void(test::LeafOptions&)>& change,
                const test::TestCa& issuer = Root()) {
  test::LeafOptions options = Sound();
  change(options);
  return issuer.Issue(options);
}
void Unchanged(test::LeafOptions&) {}

std::vector<Wrong> WrongFor(const Side& side) {
  using enum Alert;
  std::vector<Wrong> all = {
      {"expired",
       With([](auto& o) { o.not_after_unix_s = test::kNow - test::kDay; }),
       {kCertificateExpired}},
      {"not yet valid",
       With([](auto& o) { o.not_before_unix_s = test::kNow + test::kDay; }),
       {kCertificateExpired}},
      {"of the other role",
       With([&](auto& o) {
         o.server = side.server;
         o.client = !side.server;
       }),
       {kUnsupportedCertificate}},
      {"of another key usage",
       With([](auto& o) { o.key_usage = "cRLSign"; }),
       {kUnsupportedCertificate, kBadCertificate}},
      {"of a stranger",
       With(Unchanged, test::TestCa::Create("root")),
       {kUnknownCa, kBadCertificate}},
      {"of an issuer that is none",
       With(Unchanged, Root().Intermediate("leaf", {.ca = false})),
       {kUnknownCa, kBadCertificate, kUnsupportedCertificate}},
      {"of an issuer for other names",
       With(Unchanged, Root().Intermediate("branch", {.permitted_dns = {"other.test"}})),
       {kBadCertificate, kUnsupportedCertificate, kUnknownCa}},
      {"of an issuer that was not to have issuers below",
       With(Unchanged, Root().Intermediate("short", {.path_length = 0}).Intermediate("below")),
       {kBadCertificate, kUnsupportedCertificate, kUnknownCa}},
      {"with what nobody knows and all must",
       With([](auto& o) { o.unknown_critical = true; }),
       {kUnsupportedCertificate, kBadCertificate}},
  };
  test::Leaf spoilt = With(Unchanged);
  spoilt.chain.front().back() ^= 1;
  all.push_back({"with a signature that is wrong", spoilt, {kBadCertificate}});
  test::Leaf garbage = With(Unchanged);
  garbage.chain = {{0x30, 0x03, 0x01, 0x01, 0x01}};
  all.push_back({"no certificate", garbage, {kBadCertificate}});
  test::Leaf bomb = With(Unchanged);
  bomb.chain.resize(11, bomb.chain.front());
  all.push_back({"a chain of eleven", bomb, {kBadCertificate}});
  return all;
}

TEST_P(T25_Certificates, WrongOnesAreRefused) {
  for (const Wrong& wrong : WrongFor(side())) {
    EXPECT_TRUE(RefusedWith(Try(Showing(side(), wrong.leaf)), wrong.alerts)) << wrong.what;
  }
}

// Sound ones are taken; and an owner who trusts whatever is shown takes the wrong ones as well, but
// for those that never become a question.
TEST_P(T25_Certificates, Control) {
  EXPECT_TRUE(Succeeded(Try(Showing(side(), With(Unchanged)))));
  EXPECT_TRUE(Succeeded(Try(Showing(side(), With(Unchanged, Root().Intermediate("issuing"))))));
  int trusted = 0;
  for (const Wrong& wrong : WrongFor(side())) {
    const Outcome outcome = TryAsking(Showing(side(), wrong.leaf), [](const Question& question) {
      const auto* verify = std::get_if<VerifyPeer>(&question);
      return verify == nullptr ? std::nullopt
                               : std::optional<Input>(Answer(PeerVerdict{verify->id, {}}));
    });
    trusted += outcome.established ? 1 : 0;
  }
  EXPECT_EQ(trusted, 10);
}

// RFC 8446 §4.4.2.4, RFC 5246 §7.4.2 and §7.4.6: an empty list, where one is demanded.
TEST_P(T25_Certificates, AnEmptyOneIsRefused) {
  const Meeting sound(side());
  const Place place = Find(SoundFlights(side()), HandshakeType::kCertificate);
  const auto clear = [](auto& m) { m.certificate_list.clear(); };
  Meeting meeting = sound;
  meeting.script = {side().tls13() ? EditAs<tls13::Certificate>(place, "Empty", clear)
                                   : EditAs<tls12::Certificate>(place, "Empty", clear)};
  const Alert alert = !side().server   ? Alert::kDecodeError
                      : side().tls13() ? Alert::kCertificateRequired
                                       : Alert::kHandshakeFailure;
  EXPECT_TRUE(RefusedWith(Try(meeting), {alert}));
  if (!side().server) return;
  // The control: a server that only asks goes on, and misses what the client's Finished covers.
  meeting.kit.profile.client_auth = ClientAuth::kOptional;
  EXPECT_FALSE(RefusedWith(Try(meeting), {alert}));
}

}  // namespace
}  // namespace handfast::tls::badpeer
