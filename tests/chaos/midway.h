// A handshake that is half done: the peer has had the service's first flight, and has answered.
#ifndef HANDFAST_TESTS_CHAOS_MIDWAY_H_
#define HANDFAST_TESTS_CHAOS_MIDWAY_H_

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/chaos/caller.h"
#include "tests/chaos/fleet.h"
#include "tests/chaos/peer.h"
#include "tests/server/rpc/step_call.h"

namespace handfast::chaos {

// Each call at the replica that the test names, by Advance.
class Midway {
 public:
  explicit Midway(Fleet& fleet, v1::Start start = Releasing("durable"))
      : fleet_(fleet), peer_(fleet.ca(), TLS1_3_VERSION), start_(std::move(start)) {}

  // The first flight, made by this replica.
  void Begin(size_t replica) {
    v1::StartHandshakeResponse begun;
    const grpc::Status status = rpc::test::StepCaller(fleet_.Channel(replica)).Start(start_, begun);
    ASSERT_TRUE(status.ok()) << status.error_message();
    request_.set_handshake(begun.handshake());
    request_.set_step(1);
    Bring(peer_.Receive({}));
    const grpc::Status first = Ask(replica);
    ASSERT_TRUE(first.ok()) << first.error_message();
    request_.set_step(2);
    Bring(peer_.Receive(tls::AsBytes(reply_.to_peer())));
    ASSERT_TRUE(peer_.done()) << peer_.error();
  }

  // The second step, which is the last; its answer is reply().
  grpc::Status Finish(size_t replica) { return Ask(replica); }

  const std::string& handshake() const { return request_.handshake(); }
  const v1::StepRequest& next() const { return request_; }
  const v1::StepResponse& reply() const { return reply_; }

 private:
  void Bring(const tls::Bytes& bytes) { request_.set_from_peer(bytes.data(), bytes.size()); }
  grpc::Status Ask(size_t replica) {
    reply_.Clear();
    return rpc::test::StepCaller(fleet_.Channel(replica)).Step("Advance", request_, reply_);
  }

  Fleet& fleet_;
  ClientPeer peer_;
  const v1::Start start_;
  v1::StepRequest request_;
  v1::StepResponse reply_;
};

}  // namespace handfast::chaos

#endif  // HANDFAST_TESTS_CHAOS_MIDWAY_H_
