// A meeting: the side under test, in each role and version that it has, and its bad peer. What
// became of it is an Outcome; Refused and Succeeded judge it.
#ifndef HANDFAST_TESTS_BADPEER_MEETING_H_
#define HANDFAST_TESTS_BADPEER_MEETING_H_

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/badpeer/engine_peer.h"
#include "tests/badpeer/scripted_peer.h"
#include "tests/tls/connection/fixed_credentials.h"
#include "tests/tls/connection/server_driver.h"

namespace handfast::tls::badpeer {

// What is under test.
struct Side {
  const char* name;
  bool server;
  ProtocolVersion version;
  bool tls13() const { return version == ProtocolVersion::kTls13; }
};
inline void PrintTo(const Side& side, std::ostream* out) { *out << side.name; }

inline constexpr Side kServer13{"Server13", true, ProtocolVersion::kTls13};
inline constexpr Side kServer12{"Server12", true, ProtocolVersion::kTls12};
inline constexpr Side kClient13{"Client13", false, ProtocolVersion::kTls13};
inline constexpr Side kClient12{"Client12", false, ProtocolVersion::kTls12};
inline constexpr Side kSides[] = {kServer13, kServer12, kClient13, kClient12};

struct Outcome {
  bool established = false;
  // A label of tls/base/reason.h; empty: it goes on, or succeeded.
  std::string reason = {};
  std::optional<uint8_t> alert = {};
  std::optional<uint8_t> alert_at_peer = {};
  // The peer saw all that it should have seen.
  bool peer_established = false;
};
std::ostream& operator<<(std::ostream& out, const Outcome& outcome);

// Sound, with client authentication so that all flights are as long as they get, until a test
// changes something.
struct Meeting {
  explicit Meeting(const Side& side) : Meeting(side, {}) {}
  Meeting(const Side& side, Script script);

  Side side;
  Script script;
  test::ServerKit kit;       // of the side under test
  test::ServerKit peer_kit;  // of the peer
  ConnectionOptions options;
  ConnectionOptions peer_options;
  // Of a peer that is a TLS 1.2 client.
  test::HelloFields hello;
  std::function<void(Bytes&)> edit_rsa_block;  // likewise; see ClientScript
  std::function<void(Bytes&)> edit_signed_content;
  // What the client, whichever side that is, offers to be resumed; see sessions.h.
  std::function<Session()> session;
  SignatureScheme scheme = SignatureScheme::kEd25519;
  std::shared_ptr<const test::Leaf> certificate;  // likewise; null: it shows none

  std::unique_ptr<Peer> MakePeer() const;
};

// The bytes go to and fro until nobody says anything.
Outcome Meet(Endpoint& tested, Endpoint& peer);
// The connection of tls/ is under test.
Outcome Try(const Meeting& meeting);
// A mutant of it: see engine_peer.h.
Outcome TryMutant(const Meeting& meeting, const Lenience& lenience = {});
// What the peer sends when it has no script.
std::vector<Flight> SoundFlights(const Side& side);

// Refused for `reason`, and the peer was told `alert`.
testing::AssertionResult Refused(const Outcome& outcome, Reason reason, Alert alert);
// Refused with one of these alerts, whatever the reason.
testing::AssertionResult RefusedWith(const Outcome& outcome, const std::vector<Alert>& alerts);
testing::AssertionResult Succeeded(const Outcome& outcome);
// It waits for more.
testing::AssertionResult Waits(const Outcome& outcome);

// The connection of tls/, as an Endpoint.
class Tested final : public Endpoint {
 public:
  explicit Tested(const Meeting& meeting);

  Bytes Begin() override { return kit_.as_client ? driver_.Begin() : Bytes(); }
  Bytes Receive(ByteView bytes) override { return driver_.Receive(bytes); }
  bool established() const override { return driver_.established() != nullptr; }
  std::string reason() const override;
  std::optional<uint8_t> alert() const override;
  test::ServerDriver& driver() { return driver_; }

 private:
  const test::ServerKit kit_;
  test::FixedRandomness randomness_{Bytes{0x7e}};
  test::ServerDriver driver_;
};

// One per place where a record can be put: before each record of each flight.
std::vector<Place> PlacesOf(const std::vector<Flight>& flights);
// What is due at a place: TLS 1.3's ChangeCipherSpec means nothing, so it is what stands behind it.
const Outgoing& DueAt(const Side& side, const Flight& flight, size_t record);

class EverySide : public testing::TestWithParam<Side> {
 protected:
  const Side& side() const { return GetParam(); }
};
inline std::string SideName(const testing::TestParamInfo<Side>& info) { return info.param.name; }

}  // namespace handfast::tls::badpeer

#endif  // HANDFAST_TESTS_BADPEER_MEETING_H_
