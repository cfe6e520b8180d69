// A caller that has several replicas to turn to and drives one handshake at a time through them, as
// the contract says: what a replica did not answer is asked of another, with the same input.
#ifndef HANDFAST_TESTS_CHAOS_CALLER_H_
#define HANDFAST_TESTS_CHAOS_CALLER_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include <grpcpp/grpcpp.h>

#include "handfast/v1/handshake.pb.h"
#include "tests/chaos/fleet.h"
#include "tests/chaos/peer.h"
#include "tests/server/rpc/relay_call.h"

namespace handfast::chaos {

// What befell its handshakes.
struct Tally {
  uint64_t calls = 0;     // steps, starts and streams that were begun
  uint64_t failures = 0;  // of these: nobody answered, or said UNAVAILABLE
  uint64_t repeats = 0;   // steps asked for again on purpose, and answered with the same bytes
  uint64_t resumed = 0;   // Relays that went on in another stream
  uint64_t anew = 0;      // Relays that began anew, for the peer had heard nothing yet

  void Add(const Tally& other);
};

class Caller {
 public:
  // `answered` is called after each answer. The fleet outlives it.
  Caller(const Fleet& fleet, uint64_t seed, std::function<void()> answered);

  // Each returns nullopt when the handshake is established and the peer has finished, else how it
  // was lost. `advance`: by Advance alone. A step goes to any replica, and one in four a second
  // time.
  std::optional<std::string> RunSteps(const v1::Start& start, Peer& peer, bool advance);
  std::optional<std::string> RunRelay(const v1::Start& start, Peer& peer);

  // All goes to this replica, until it does not answer.
  void Prefer(size_t replica) { preferred_ = replica; }
  std::mt19937_64& random() { return random_; }
  const Tally& tally() const { return tally_; }

 private:
  struct Relayed;
  using Call = std::function<grpc::Status(const std::shared_ptr<grpc::Channel>&)>;

  // At one replica after the other, until one answers.
  grpc::Status Insist(const Call& call);
  grpc::Status StepSomewhere(const std::string& rpc, const v1::StepRequest& request,
                             v1::StepResponse& response);
  std::optional<std::string> RunStream(Relayed& relayed, Peer& peer);
  std::optional<std::string> OnReply(Relayed& relayed, Peer& peer, const v1::RelayResponse& reply);
  // A piece of what the service lacks, or all.
  void SendRest(rpc::test::RelayCall& call, Relayed& relayed);

  size_t Choose();
  // It did not answer: another is next.
  bool Failed(size_t replica);
  std::shared_ptr<grpc::Channel> To(size_t replica);
  bool OneIn(uint64_t n) { return random_() % n == 0; }

  struct Line {
    std::string address;
    std::shared_ptr<grpc::Channel> channel;
  };

  const Fleet& fleet_;
  std::mt19937_64 random_;
  const std::function<void()> answered_;
  std::array<Line, kReplicas> lines_;
  std::optional<size_t> preferred_;
  std::optional<size_t> avoided_;
  Tally tally_;
};

// Under this profile, with its keys released.
v1::Start Releasing(const std::string& profile, v1::Role role = v1::ROLE_SERVER);

}  // namespace handfast::chaos

#endif  // HANDFAST_TESTS_CHAOS_CALLER_H_
