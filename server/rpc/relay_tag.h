// One handshake of a Relay stream, and what it is still to be told, in order.
#ifndef HANDFAST_SERVER_RPC_RELAY_TAG_H_
#define HANDFAST_SERVER_RPC_RELAY_TAG_H_

#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "handfast/v1/handshake.pb.h"
#include "server/handshakes/handshake.h"
#include "server/rpc/completion_loop.h"
#include "server/rpc/relay_stream.h"

namespace handfast::rpc {

class RelayStream::Tag final : public Task {
 public:
  Tag(std::shared_ptr<RelayStream> stream, std::shared_ptr<handshakes::Handshake> handshake)
      : stream_(std::move(stream)), handshake_(std::move(handshake)) {}

  const std::string& tenant() const override { return handshake_->owner().tenant; }
  // Tells the handshake all that has come so far. Never in two threads at once.
  void Run() override;
  void Refuse(absl::Status status) override;

  handshakes::Handshake& handshake() { return *handshake_; }

  // With the stream's lock held.
  bool named() { return std::exchange(named_, true); }
  // True: it must be run.
  bool Push(v1::RelayRequest request) {
    inbox_.push_back(std::move(request));
    return !std::exchange(scheduled_, true);
  }

 private:
  void Tell(const v1::RelayRequest& request);

  const std::shared_ptr<RelayStream> stream_;
  const std::shared_ptr<handshakes::Handshake> handshake_;
  // Guarded by the stream's lock.
  std::deque<v1::RelayRequest> inbox_;
  bool scheduled_ = false;
  bool named_ = false;  // whether a reply has borne the handle
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_RELAY_TAG_H_
