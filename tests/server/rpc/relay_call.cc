#include "tests/server/rpc/relay_call.h"

#include <utility>

#include "google/rpc/status.pb.h"

namespace handfast::rpc::test {
namespace {

// Longer than any test, so that a hang is a failure and not a wait for ever.
constexpr std::chrono::seconds kPatience{60};

template <class Detail>
Detail Find(const google::rpc::Status& status) {
  Detail detail;
  for (const auto& any : status.details()) {
    if (any.Is<Detail>()) any.UnpackTo(&detail);
  }
  return detail;
}

// From the first reply on.
template <class Peer>
v1::RelayResponse Drive(RelayCall& call, uint64_t tag, Peer& peer) {
  for (;;) {
    std::optional<v1::RelayResponse> response = call.Next();
    if (!response) return {};
    const tls::Bytes more = peer.Receive(tls::AsBytes(response->to_peer()));
    if (response->outcome_case() != v1::RelayResponse::OUTCOME_NOT_SET) return *response;
    if (!more.empty()) call.FromPeer(tag, more);
  }
}

}  // namespace

RelayCall::RelayCall(std::shared_ptr<grpc::Channel> channel,
                     const std::function<void(grpc::ClientContext&)>& prepare)
    : stub_(v1::HandshakeService::NewStub(std::move(channel))) {
  context_.set_deadline(std::chrono::system_clock::now() + kPatience);
  context_.set_wait_for_ready(true);
  if (prepare) prepare(context_);
  stream_ = stub_->Relay(&context_);
}

RelayCall::~RelayCall() {
  if (finished_) return;
  context_.TryCancel();
  (void)stream_->Finish();
}

bool RelayCall::Start(uint64_t tag, const v1::Start& start) {
  v1::RelayRequest request;
  request.set_tag(tag);
  *request.mutable_start() = start;
  return Send(request);
}

bool RelayCall::FromPeer(uint64_t tag, const tls::Bytes& bytes) {
  v1::RelayRequest request;
  request.set_tag(tag);
  request.set_from_peer(bytes.data(), bytes.size());
  return Send(request);
}

std::optional<v1::RelayResponse> RelayCall::Next() {
  v1::RelayResponse response;
  if (!stream_->Read(&response)) return std::nullopt;
  return response;
}

grpc::Status RelayCall::Finish() {
  finished_ = true;
  return stream_->Finish();
}

v1::Start PlainStart() {
  v1::Start start;
  start.set_role(v1::ROLE_SERVER);
  return start;
}

v1::RelayResponse RunHandshake(RelayCall& call, uint64_t tag, v1::Start start,
                               tls::test::LibsslClient& peer) {
  const tls::Bytes hello = peer.Receive({});
  start.set_from_peer(hello.data(), hello.size());
  call.Start(tag, start);
  return Drive(call, tag, peer);
}

v1::Start ClientStart(const std::string& server_name) {
  v1::Start start;
  start.set_role(v1::ROLE_CLIENT);
  start.set_profile("outbound");
  start.set_server_name(server_name);
  return start;
}

v1::RelayResponse RunHandshake(RelayCall& call, uint64_t tag, const v1::Start& start,
                               tls::test::LibsslServer& peer) {
  call.Start(tag, start);
  return Drive(call, tag, peer);
}

std::string ReasonOf(const google::rpc::Status& status) {
  return Find<google::rpc::ErrorInfo>(status).reason();
}

std::string ReasonOf(const grpc::Status& status) { return ReasonOf(DetailsOf(status)); }

std::string MetadataOf(const grpc::Status& status, const std::string& key) {
  const auto metadata = Find<google::rpc::ErrorInfo>(DetailsOf(status)).metadata();
  const auto found = metadata.find(key);
  return found == metadata.end() ? "" : found->second;
}

int64_t RetryDelayMs(const google::rpc::Status& status) {
  const auto delay = Find<google::rpc::RetryInfo>(status).retry_delay();
  return delay.seconds() * 1000 + delay.nanos() / 1'000'000;
}

google::rpc::BadRequest ViolationsOf(const google::rpc::Status& status) {
  return Find<google::rpc::BadRequest>(status);
}

google::rpc::Status DetailsOf(const grpc::Status& status) {
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  return details;
}

}  // namespace handfast::rpc::test
