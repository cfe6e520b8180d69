// What stands behind the `void*` of a completion queue: whoever waits for that operation.
#ifndef HANDFAST_SERVER_RPC_COMPLETION_H_
#define HANDFAST_SERVER_RPC_COMPLETION_H_

namespace handfast::rpc {

class Completion {
 public:
  // `ok` as gRPC gives it: false where the operation did not come about.
  virtual void OnCompleted(bool ok) = 0;

 protected:
  ~Completion() = default;
};

// Calls one method of `Waiter`.
template <class Waiter, void (Waiter::*kMethod)(bool)>
class CompletionOf final : public Completion {
 public:
  explicit CompletionOf(Waiter* waiter) : waiter_(waiter) {}
  void OnCompleted(bool ok) override { (waiter_->*kMethod)(ok); }

 private:
  Waiter* const waiter_;
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_COMPLETION_H_
