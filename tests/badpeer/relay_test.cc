// The bad peer through a Relay stream to a whole service in process: each script ends as it ends at
// the connection of tls/ alone, with the same reason and the same alert on the wire. What a script
// leaves waiting is left out: there is no reply to compare.
#include <set>

#include "tests/badpeer/meeting.h"
#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/test_service.h"

namespace handfast::tls::badpeer {
namespace {

using rpc::test::RelayCall;
using rpc::test::TestService;

std::optional<uint8_t> AlertOf(const v1::Failure& failure) {
  if (failure.origin() != v1::Failure::LOCAL || !failure.has_alert()) return std::nullopt;
  return static_cast<uint8_t>(failure.alert());
}

Outcome TryRelay(RelayCall& call, uint64_t tag, const Meeting& meeting) {
  const std::unique_ptr<Peer> peer = meeting.MakePeer();
  const Bytes hello = peer->Begin();
  v1::Start start = rpc::test::PlainStart();
  start.set_profile("mutual");
  start.set_from_peer(hello.data(), hello.size());
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

class RelayTest : public testing::TestWithParam<Side> {
 protected:
  RelayTest() : call_(service_.Channel(rpc::test::As::kEdge)) {
    const test::TestCa& ca = service_.ca();
    const auto bundle = std::make_shared<const TrustBundle>(ca.Bundle());
    const test::Leaf own = ca.Issue({.dns = {"example.test"}});
    sound_.kit = test::ServerKit::For(own);
    sound_.kit.clients = bundle;
    sound_.kit.profile.client_auth = ClientAuth::kRequired;
    sound_.kit.profile.certificate_authorities = bundle->subjects();
    const test::Leaf shown = ca.Issue({.type = KeyType::kEd25519, .server = false, .client = true});
    const test::ServerKit identity = test::ServerKit::For(shown);
    sound_.peer_kit.credential = identity.credential;
    sound_.peer_kit.key = identity.key;
    sound_.peer_kit.clients = bundle;
    sound_.certificate = std::make_shared<const test::Leaf>(shown);
  }
  Meeting With(const Script& script) const {
    Meeting meeting = sound_;
    meeting.script = script;
    return meeting;
  }

  TestService service_;
  RelayCall call_;
  Meeting sound_{GetParam()};
  uint64_t tag_ = 0;
};
INSTANTIATE_TEST_SUITE_P(All, RelayTest, testing::Values(kServer13, kServer12), SideName);

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

}  // namespace
}  // namespace handfast::tls::badpeer
