#include "tests/badpeer/meeting.h"

#include <algorithm>
#include <utility>

namespace handfast::tls::badpeer {
namespace {

constexpr char kName[] = "example.test";

test::ServerKit ClientKit(const Side& side) {
  test::ServerKit kit = test::ServerKit::For(
      test::FixedClient(), side.tls13() ? ModernProfile() : IntermediateProfile());
  kit.profile.versions = {side.version};
  kit.as_client = true;
  kit.clients = test::FixedKit(ClientAuth::kRequired).clients;
  return kit;
}

test::ServerKit ServerKitOf(const Side& side) {
  test::ServerKit kit = test::FixedKit(ClientAuth::kRequired);
  if (!side.server) kit.profile.versions = {side.version};
  return kit;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  if (outcome.established) return out << "established";
  if (outcome.reason.empty()) return out << "waits";
  out << outcome.reason << ", alert ";
  if (!outcome.alert) return out << "none";
  return out << AlertName(*outcome.alert) << (outcome.alert == outcome.alert_at_peer ? "" : "?");
}

Meeting::Meeting(const Side& side_in, Script script_in)
    : side(side_in),
      script(std::move(script_in)),
      kit(side.server ? ServerKitOf(side) : ClientKit(side)),
      peer_kit(side.server ? ClientKit(side) : ServerKitOf(side)),
      hello(test::HelloFor(side.version)),
      certificate(std::make_shared<const test::Leaf>(test::FixedClient())) {
  (side.server ? peer_options : options).server_name = kName;
}

std::unique_ptr<Peer> Meeting::MakePeer() const {
  if (side.server && !side.tls13() && !session) {
    test::ClientScript client{.version = side.version, .hello = hello};
    client.certificate = certificate.get();
    client.scheme = scheme;
    client.edit_signed_content = edit_signed_content;
    client.edit_rsa_block = edit_rsa_block;
    return std::make_unique<ScriptedPeer>(std::move(client), script);
  }
  return std::make_unique<EnginePeer>(
      EnginePeerOptions{peer_kit, peer_options, script, session, edit_signed_content, {}});
}

Outcome Meet(Endpoint& tested, Endpoint& peer) {
  Bytes to_peer = tested.Begin();
  Bytes to_tested = peer.Begin();
  while (!to_peer.empty() || !to_tested.empty()) {
    if (!to_tested.empty()) Append(to_peer, tested.Receive(std::exchange(to_tested, {})));
    if (!to_peer.empty()) to_tested = peer.Receive(std::exchange(to_peer, {}));
  }
  return {tested.established(), tested.reason(), tested.alert(), peer.alert(), peer.established()};
}

Outcome Try(const Meeting& meeting) {
  const std::unique_ptr<Peer> peer = meeting.MakePeer();
  Tested tested(meeting);
  return Meet(tested, *peer);
}

Outcome TryMutant(const Meeting& meeting, const Lenience& lenience) {
  const std::unique_ptr<Peer> peer = meeting.MakePeer();
  EnginePeer mutant({meeting.kit, meeting.options, {}, meeting.session, {}, lenience});
  return Meet(mutant, *peer);
}

std::vector<Flight> SoundFlights(const Side& side) {
  const Meeting meeting(side);
  const std::unique_ptr<Peer> peer = meeting.MakePeer();
  Tested tested(meeting);
  EXPECT_TRUE(Succeeded(Meet(tested, *peer))) << side.name;
  return peer->sound();
}

testing::AssertionResult Refused(const Outcome& outcome, Reason reason, Alert alert) {
  if (outcome.reason != Describe(reason).label) return testing::AssertionFailure() << outcome;
  return RefusedWith(outcome, {alert});
}

testing::AssertionResult RefusedWith(const Outcome& outcome, const std::vector<Alert>& alerts) {
  const bool expected = outcome.alert && std::count(alerts.begin(), alerts.end(),
                                                    static_cast<Alert>(*outcome.alert)) > 0;
  if (outcome.established || !expected || outcome.alert_at_peer != outcome.alert) {
    return testing::AssertionFailure() << outcome;
  }
  return testing::AssertionSuccess() << outcome;
}

testing::AssertionResult Succeeded(const Outcome& outcome) {
  if (outcome.established && outcome.peer_established && !outcome.alert_at_peer) {
    return testing::AssertionSuccess() << outcome;
  }
  return testing::AssertionFailure() << outcome;
}

testing::AssertionResult Waits(const Outcome& outcome) {
  if (!outcome.established && outcome.reason.empty()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << outcome;
}

Tested::Tested(const Meeting& meeting)
    : kit_(meeting.kit),
      driver_(meeting.session && kit_.as_client
                  ? test::ServerDriver(kit_, meeting.options, meeting.session())
                  : test::ServerDriver(kit_, meeting.options, randomness_)) {}

std::string Tested::reason() const {
  return driver_.failure() ? std::string(Describe(driver_.failure()->reason).label) : "";
}

std::optional<uint8_t> Tested::alert() const {
  if (!driver_.failure() || driver_.failure()->origin != Origin::kLocal) return std::nullopt;
  return driver_.failure()->alert;
}

std::vector<Place> PlacesOf(const std::vector<Flight>& flights) {
  std::vector<Place> places;
  for (size_t flight = 0; flight < flights.size(); ++flight) {
    for (size_t record = 0; record < flights[flight].size(); ++record) {
      places.push_back({flight, record});
    }
  }
  return places;
}

const Outgoing& DueAt(const Side& side, const Flight& flight, size_t record) {
  const bool handshake = flight[record].type == ContentType::kHandshake;
  return side.tls13() && !handshake ? flight[record + 1] : flight[record];
}

}  // namespace handfast::tls::badpeer
