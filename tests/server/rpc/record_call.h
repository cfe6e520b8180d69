// RecordService as a test calls it, and connections whose keys stay in the service.
#ifndef HANDFAST_TESTS_SERVER_RPC_RECORD_CALL_H_
#define HANDFAST_TESTS_SERVER_RPC_RECORD_CALL_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <grpcpp/grpcpp.h>

#include "handfast/v1/records.grpc.pb.h"
#include "tests/server/rpc/relay_call.h"
#include "tls/base/bytes.h"

namespace handfast::rpc::test {

class RecordCaller {
 public:
  explicit RecordCaller(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::RecordService::NewStub(channel)) {}

  grpc::Status Seal(const std::string& connection, std::optional<uint64_t> first_seq,
                    tls::ByteView plaintext, v1::SealResponse* response) {
    v1::SealRequest request;
    request.set_connection(connection);
    if (first_seq) request.set_first_seq(*first_seq);
    request.set_plaintext(plaintext.data(), plaintext.size());
    grpc::ClientContext context;
    Prepare(context);
    return stub_->Seal(&context, request, response);
  }
  grpc::Status Open(const std::string& connection, std::optional<uint64_t> first_seq,
                    tls::ByteView from_peer, v1::OpenResponse* response, bool peer_closed = false) {
    v1::OpenRequest request;
    request.set_connection(connection);
    if (first_seq) request.set_first_seq(*first_seq);
    request.set_from_peer(from_peer.data(), from_peer.size());
    request.set_peer_closed(peer_closed);
    grpc::ClientContext context;
    Prepare(context);
    return stub_->Open(&context, request, response);
  }
  grpc::Status Close(const std::string& connection, v1::CloseResponse* response) {
    v1::CloseRequest request;
    request.set_connection(connection);
    grpc::ClientContext context;
    Prepare(context);
    return stub_->Close(&context, request, response);
  }
  v1::RecordService::Stub& stub() { return *stub_; }

 private:
  // Longer than any test, so that a hang is a failure and not a wait for ever.
  static void Prepare(grpc::ClientContext& context) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  }

  std::unique_ptr<v1::RecordService::Stub> stub_;
};

// One Protect stream.
class ProtectCall {
 public:
  explicit ProtectCall(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::RecordService::NewStub(channel)) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    stream_ = stub_->Protect(&context_);
  }
  ~ProtectCall() {
    if (finished_) return;
    context_.TryCancel();
    (void)stream_->Finish();
  }
  bool Send(const v1::ProtectRequest& request) { return stream_->Write(request); }
  // Nullopt: the stream has ended.
  std::optional<v1::ProtectResponse> Next() {
    v1::ProtectResponse response;
    if (!stream_->Read(&response)) return std::nullopt;
    return response;
  }
  void HalfClose() { stream_->WritesDone(); }
  grpc::Status Finish() {
    finished_ = true;
    return stream_->Finish();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::RecordService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ProtectRequest, v1::ProtectResponse>> stream_;
  bool finished_ = false;
};

}  // namespace handfast::rpc::test

#endif  // HANDFAST_TESTS_SERVER_RPC_RECORD_CALL_H_
