// The bad peer through a Relay stream to a whole service in process: each script ends as it ends at
// the connection of tls/ alone, with the same reason and the same alert on the wire. What a script
// leaves waiting is left out: there is no reply to compare.
#include <set>

#include "tests/badpeer/edit_message.h"
#include "tests/badpeer/meeting.h"
#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/test_service.h"
#include "tests/tls/connection/malformed_block.h"

namespace handfast::tls::badpeer {
namespace {

using rpc::test::RelayCall;
using rpc::test::TestService;

std::optional<uint8_t> AlertOf(const v1::Failure& failure) {
  if (failure.origin() != v1::Failure::LOCAL || !failure.has_alert()) return std::nullopt;
  return static_cast<uint8_t>(failure.alert());
}

Outcome TryRelay(RelayCall& call, uint64_t tag, const Meeting& meeting,
                 const char* profile = "mutual") {
  const std::unique_ptr<Peer> peer = meeting.MakePeer();
  v1::Start start;
  if (meeting.kit.as_client) {
    start = rpc::test::ClientStart(meeting.options.server_name);
  } else {
    const Bytes hello = peer->Begin();
    start = rpc::test::PlainStart();
    start.set_profile(profile);
    start.set_from_peer(hello.data(), hello.size());
  }
  call.Start(tag, start);
  Outcome outcome;
  for (bool over = false; !over;) {
    const std::optional<v1::RelayResponse> response = call.Next();
    if (!response) return {.reason = "the stream ended"};
    const Bytes more = peer->Receive(AsBytes(response->to_peer()));
    over = response->outcome_case() != v1::RelayResponse::OUTCOME_NOT_SET;
    outcome.established = response->has_established();
    if (response->has_failure()) {
      outcome.reason = response->failure().reason();
      outcome.alert = AlertOf(response->failure());
    }
    if (response->has_error()) outcome.reason = response->error().message();
    if (!over && !more.empty()) call.FromPeer(tag, more);
  }
  outcome.alert_at_peer = peer->alert();
  outcome.peer_established = peer->established();
  return outcome;
}

testing::AssertionResult Same(const Outcome& a, const Outcome& b) {
  const bool same = a.established == b.established && a.reason == b.reason && a.alert == b.alert &&
                    a.alert_at_peer == b.alert_at_peer && a.peer_established == b.peer_established;
  return (same ? testing::AssertionSuccess() : testing::AssertionFailure()) << a << " v " << b;
}

Outgoing Extra(ContentType type, Bytes content, const Outgoing& due) {
  return {type, std::move(content), type == ContentType::kChangeCipherSpec ? 0 : due.epoch};
}

// What can go wrong at one place.
std::vector<Script> ScriptsAt(Place place, const Flight& flight) {
  const Outgoing& due = flight[place.record];
  const size_t bits = 8 * due.content.size();
  const auto insert = [&](ContentType type, Bytes content, size_t times = 1) {
    return Script{InsertRecord(place, Extra(type, std::move(content), due), times)};
  };
  std::vector<Script> scripts = {
      {Drop(place)},
      {Duplicate(place)},
      {Split(place, {1})},
      {FlipBit(place, bits / 2)},
      {FlipBit(place, bits - 1)},
      {OnWire(place, [](Bytes& record) { record.back() ^= 0x10; })},
      {OnWire(place, [](Bytes& record) { record[0] = 24; })},
      {OnWire(place, [](Bytes& record) { record[1] = 2; })},
      {OnWire(place,
              [](Bytes& record) {
                record = test::WithLength(record, {3, 2}, 0xffff);
              })},
      insert(ContentType::kChangeCipherSpec, {1}),
      insert(ContentType::kChangeCipherSpec, {1}, 3),
      insert(ContentType::kChangeCipherSpec, {2}),
      insert(ContentType::kApplicationData, {'x'}),
      insert(ContentType::kAlert, {2, 40}),
      insert(ContentType::kAlert, {1, 0}),
      insert(ContentType::kAlert, {1, 90}, 4),
      insert(ContentType::kAlert, {1, 90}, 5),
      insert(ContentType::kAlert, {2}),
      insert(ContentType::kHandshake, {}),
      insert(ContentType::kHandshake, {24, 0, 0, 1, 0}),
      insert(ContentType::kHandshake, {1, 0, 0, 0}),
  };
  if (place.record + 1 < flight.size()) scripts.push_back({Swap(place)});
  if (due.epoch > 0) scripts.push_back({WrongEpoch(place, 0)});
  if (due.type == ContentType::kHandshake) {
    scripts.push_back({SetLength(place, {1, 3}, 0xffffff)});
    scripts.push_back({SetLength(place, {1, 3}, 0)});
  }
  return scripts;
}

// Both sides have certificates of this authority, as they have at the service.
Meeting MeetingUnder(const test::TestCa& ca, const Side& side) {
  Meeting meeting(side);
  const auto bundle = std::make_shared<const TrustBundle>(ca.Bundle());
  const test::Leaf own = ca.Issue({.dns = {"example.test"}});
  meeting.kit = test::ServerKit::For(own);
  meeting.kit.clients = bundle;
  meeting.kit.profile.client_auth = ClientAuth::kRequired;
  meeting.kit.profile.certificate_authorities = bundle->subjects();
  const test::Leaf shown = ca.Issue({.type = KeyType::kEd25519, .server = false, .client = true});
  const test::ServerKit identity = test::ServerKit::For(shown);
  meeting.peer_kit.credential = identity.credential;
  meeting.peer_kit.key = identity.key;
  meeting.peer_kit.clients = bundle;
  meeting.certificate = std::make_shared<const test::Leaf>(shown);
  return meeting;
}

// A client that trusts this authority and has no certificate, of whatever version the server picks.
Meeting ClientMeetingUnder(const test::TestCa& ca, const Side& side) {
  Meeting meeting(side);
  meeting.kit = {};
  meeting.kit.as_client = true;
  meeting.kit.clients = std::make_shared<const TrustBundle>(ca.Bundle());
  // Ed25519, so that a signature has always the same size, and a script its place.
  const test::Leaf leaf = ca.Issue({.type = KeyType::kEd25519, .dns = {"example.test"}});
  const test::ServerKit identity = test::ServerKit::For(leaf);
  meeting.peer_kit.credential = identity.credential;
  meeting.peer_kit.key = identity.key;
  meeting.peer_kit.profile.client_auth = ClientAuth::kNone;
  meeting.peer_kit.profile.certificate_authorities.clear();
  return meeting;
}

class RelayTest : public testing::TestWithParam<Side> {
 protected:
  RelayTest()
      : call_(service_.Channel(rpc::test::As::kEdge)),
        sound_(GetParam().server ? MeetingUnder(service_.ca(), GetParam())
                                 : ClientMeetingUnder(service_.server_ca(), GetParam())) {}
  Meeting With(const Script& script) const {
    Meeting meeting = sound_;
    meeting.script = script;
    return meeting;
  }

  TestService service_;
  RelayCall call_;
  Meeting sound_;
  uint64_t tag_ = 0;
};
INSTANTIATE_TEST_SUITE_P(All, RelayTest, testing::ValuesIn(kSides), SideName);

TEST_P(RelayTest, EndsAsTheConnectionAloneDoes) {
  const std::unique_ptr<Peer> peer = sound_.MakePeer();
  Tested tested(sound_);
  ASSERT_TRUE(Succeeded(Meet(tested, *peer)));
  const Outcome sound = TryRelay(call_, ++tag_, sound_);
  ASSERT_TRUE(Succeeded(sound)) << sound;
  std::set<std::string> reasons;
  int refused = 0;
  for (const Place place : PlacesOf(peer->sound())) {
    for (const Script& script : ScriptsAt(place, peer->sound()[place.flight])) {
      const Outcome alone = Try(With(script));
      if (Waits(alone)) continue;
      EXPECT_TRUE(Same(alone, TryRelay(call_, ++tag_, With(script)))) << What(script);
      if (alone.reason.empty()) continue;
      // The control: it does not end as the sound one does, which the comparison says.
      EXPECT_FALSE(Same(alone, sound)) << What(script);
      reasons.insert(alone.reason);
      ++refused;
    }
  }
  EXPECT_GT(refused, 80);
  EXPECT_GE(reasons.size(), 10u);
}

TEST_P(RelayTest, CutAndPackedFlightsAreTaken) {
  const size_t flights = 2;
  for (const auto& edit : {SplitAll, Pack}) {
    Script script;
    for (size_t flight = 0; flight < flights; ++flight) script.push_back(edit(flight));
    const Outcome outcome = TryRelay(call_, ++tag_, With(script));
    EXPECT_TRUE(Succeeded(outcome)) << What(script) << " " << outcome;
  }
}

// ---- What only a profile that accepts it has.

// The client offers one suite, and the service has an RSA key for it.
struct LegacyCall {
  explicit LegacyCall(CipherSuite suite) : sound(MeetingUnder(service.ca(), kServer12)) {
    sound.hello.cipher_suites = {suite};
  }
  Outcome Try(const Meeting& meeting) { return TryRelay(call, ++tag, meeting, "legacy"); }

  TestService service{{.key_type = KeyType::kRsa2048}};
  RelayCall call{service.Channel(rpc::test::As::kEdge)};
  Meeting sound;
  uint64_t tag = 0;
};

testing::AssertionResult FailsAtFinished(const Outcome& outcome) {
  return Refused(outcome, Reason::kBadRecordMac, Alert::kBadRecordMac);
}

TEST(T1_Relay, EachMalformedBlockFailsAlike) {
  LegacyCall legacy(CipherSuite::kRsaAes128GcmSha256);
  const Outcome sound = legacy.Try(legacy.sound);
  EXPECT_TRUE(Succeeded(sound)) << sound;  // the control
  EXPECT_FALSE(FailsAtFinished(sound));
  for (const test::MalformedBlock& malformed : test::kMalformedBlocks) {
    Meeting meeting = legacy.sound;
    meeting.edit_rsa_block = malformed.spoil;
    EXPECT_TRUE(FailsAtFinished(legacy.Try(meeting))) << malformed.what;
  }
  // Each asked the key once, and so did the sound one.
  EXPECT_EQ(legacy.service.metrics.signatures.load(),
            static_cast<int>(std::size(test::kMalformedBlocks)) + 1);
}

TEST(T2_Relay, EachFlippedByteOfFinishedFailsAlike) {
  for (const bool encrypt_then_mac : {false, true}) {
    LegacyCall legacy(CipherSuite::kEcdheRsaAes128CbcSha);
    if (encrypt_then_mac) legacy.sound.hello.SetHex(ExtensionType::kEncryptThenMac, "");
    // Behind Certificate, ClientKeyExchange, CertificateVerify and ChangeCipherSpec.
    constexpr Place kFinished{1, 4};
    size_t size = 0;
    Meeting meeting = legacy.sound;
    meeting.script = {OnWire(kFinished, [&](Bytes& record) { size = record.size(); })};
    EXPECT_TRUE(Succeeded(legacy.Try(meeting)));  // the control
    ASSERT_GT(size, kRecordHeaderSize + 48);
    for (size_t i = kRecordHeaderSize; i < size; ++i) {
      meeting.script = {OnWire(kFinished, [i](Bytes& record) { record[i] ^= 0x40; })};
      EXPECT_TRUE(FailsAtFinished(legacy.Try(meeting))) << i;
    }
  }
}

// T25: wrong certificates, judged by the service's own trust.
TEST_P(RelayTest, T25_WrongCertificatesAreRefused) {
  const auto showing = [&](const test::Leaf& leaf) {
    Meeting meeting = sound_;
    const test::ServerKit shown = test::ServerKit::For(leaf);
    meeting.peer_kit.credential = shown.credential;
    meeting.peer_kit.key = shown.key;
    meeting.certificate = std::make_shared<const test::Leaf>(leaf);
    return TryRelay(call_, ++tag_, meeting);
  };
  const bool server = GetParam().server;
  const test::TestCa& ca = server ? service_.ca() : service_.server_ca();
  const auto issue = [&](const test::TestCa& issuer, bool other_role, int64_t not_after) {
    const bool for_clients = server != other_role;
    return issuer.Issue({.type = KeyType::kEd25519,
                         .dns = {"example.test"},
                         .not_after_unix_s = not_after,
                         .server = !for_clients,
                         .client = for_clients});
  };
  EXPECT_TRUE(Succeeded(showing(issue(ca, false, test::kNotAfter))));  // the control
  const test::TestCa stranger = test::TestCa::Create("CA");
  EXPECT_TRUE(RefusedWith(showing(issue(stranger, false, test::kNotAfter)),
                          {Alert::kUnknownCa, Alert::kBadCertificate}));
  EXPECT_TRUE(
      RefusedWith(showing(issue(ca, true, test::kNotAfter)), {Alert::kUnsupportedCertificate}));
  EXPECT_TRUE(RefusedWith(showing(issue(ca, false, test::kNow - test::kDay)),
                          {Alert::kCertificateExpired}));
}

// T20: announced, sent, and passed over by the service as well.
TEST_P(RelayTest, T20_EarlyDataIsPassedOver) {
  if (!GetParam().tls13()) GTEST_SKIP() << "TLS 1.2 has no early data";
  if (!GetParam().server) GTEST_SKIP() << "servers send none";
  const auto with = [&](size_t records, bool announced) {
    Script script = {
        InsertRecord({0, 1}, {ContentType::kApplicationData, Bytes(16'000, 0x0e), 0}, records)};
    if (announced) {
      script.push_back(SetExtension<ClientHello>({0, 0}, ExtensionType::kEarlyData, {}));
    }
    return TryRelay(call_, ++tag_, With(script));
  };
  EXPECT_TRUE(Succeeded(with(2, true)));
  EXPECT_TRUE(RefusedWith(with(1, false), {Alert::kBadRecordMac}));  // the control
}

}  // namespace
}  // namespace handfast::tls::badpeer
