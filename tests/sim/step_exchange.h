// A caller by steps: each call at whichever replica, the same again where no reply came.
#ifndef HANDFAST_TESTS_SIM_STEP_EXCHANGE_H_
#define HANDFAST_TESTS_SIM_STEP_EXCHANGE_H_

#include <optional>
#include <string>
#include <vector>

#include "tests/sim/exchange.h"

namespace handfast::sim {

class StepExchange final : public Exchange {
 public:
  using Exchange::Exchange;
  void Act() override;
  void OnCrash(size_t) override {}
  void HearOut() override {}

 private:
  struct Call {
    uint64_t number = 0;
    std::optional<tls::MessageName> message;
    tls::Bytes input;
    bool peer_closed = false;
    bool garbage = false;
    bool made_before = false;
  };
  // A reply that is still under way to the caller.
  struct Late {
    Call call;
    tls::Bytes encoded;
  };

  void Begin(size_t replica);
  void Abort(size_t replica);
  void Describe(size_t replica);
  // One of those that were tried for the step that is due, or a new one.
  size_t PickCall();
  Call NewCall(bool rival);
  void Make(size_t replica, const Call& call);
  void OnRefused(const Call& call, const absl::Status& status);
  void Arrive(const Call& call, const tls::Bytes& encoded);

  std::optional<handshakes::Handle> handle_;
  uint64_t number_ = 0;  // of the last reply that arrived
  std::vector<handshakes::NextStep> next_;
  size_t used_ = 0;  // of from_peer()
  std::vector<Call> tried_;
  std::vector<Late> late_;
};

}  // namespace handfast::sim

#endif  // HANDFAST_TESTS_SIM_STEP_EXCHANGE_H_
