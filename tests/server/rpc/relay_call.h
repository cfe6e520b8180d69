// One Relay stream as a test drives it, and a handshake through it with libssl as the peer.
#ifndef HANDFAST_TESTS_SERVER_RPC_RELAY_CALL_H_
#define HANDFAST_TESTS_SERVER_RPC_RELAY_CALL_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <grpcpp/grpcpp.h>

#include "google/rpc/error_details.pb.h"
#include "handfast/v1/handshake.grpc.pb.h"
#include "tests/tls/connection/libssl_client.h"
#include "tests/tls/connection/libssl_server.h"

namespace handfast::rpc::test {

class RelayCall {
 public:
  explicit RelayCall(std::shared_ptr<grpc::Channel> channel,
                     const std::function<void(grpc::ClientContext&)>& prepare = nullptr);
  // Cancels, where it is still open.
  ~RelayCall();

  bool Send(const v1::RelayRequest& request) { return stream_->Write(request); }
  bool Start(uint64_t tag, const v1::Start& start);
  bool FromPeer(uint64_t tag, const tls::Bytes& bytes);
  // Nullopt: the stream has ended.
  std::optional<v1::RelayResponse> Next();
  void HalfClose() { stream_->WritesDone(); }
  void Cancel() { context_.TryCancel(); }
  grpc::Status Finish();

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::HandshakeService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::RelayRequest, v1::RelayResponse>> stream_;
  bool finished_ = false;
};

// The role alone: all else as the service likes it.
v1::Start PlainStart();

// Drives one tag to its end, from `start` on (whose from_peer is filled in); the last reply.
v1::RelayResponse RunHandshake(RelayCall& call, uint64_t tag, v1::Start start,
                               tls::test::LibsslClient& peer);

// The client role towards this server, under the profile `outbound`.
v1::Start ClientStart(const std::string& server_name);
// The same with libssl as the server.
v1::RelayResponse RunHandshake(RelayCall& call, uint64_t tag, const v1::Start& start,
                               tls::test::LibsslServer& peer);

// The reason of the ErrorInfo; empty where there is none.
std::string ReasonOf(const google::rpc::Status& status);
std::string ReasonOf(const grpc::Status& status);
// Of the ErrorInfo's metadata; empty where there is none.
std::string MetadataOf(const grpc::Status& status, const std::string& key);
// Milliseconds of the RetryInfo; 0 where there is none.
int64_t RetryDelayMs(const google::rpc::Status& status);
google::rpc::BadRequest ViolationsOf(const google::rpc::Status& status);
google::rpc::Status DetailsOf(const grpc::Status& status);

}  // namespace handfast::rpc::test

#endif  // HANDFAST_TESTS_SERVER_RPC_RELAY_CALL_H_
