#include "client/cli/walker.h"

#include <cstdio>
#include <utility>

#include "client/cli/output.h"
#include "client/cli/page.h"
#include "client/cli/socket.h"
#include "client/core/ladder.h"

namespace handfast::cli {
namespace {

using client::RpcCode;
using client::RpcStatus;

// What StartHandshake refuses is mended in the configuration or on the command line.
const char* AdviceForStart(const RpcStatus& status) {
  if (status.reason == "KEY_RELEASE_DENIED") {
    return "Give --no-release (and no --http), or let the profile and this caller release keys "
           "(release_keys in the service's configuration).";
  }
  if (status.reason == "NO_SERVER_TRUST") {
    return "Give --profile with one that has a server_trust_bundle in the service's configuration.";
  }
  switch (status.code) {
    case RpcCode::kNotFound:
      return "Check --profile and --credential against the service's configuration.";
    case RpcCode::kPermissionDenied:
    case RpcCode::kUnauthenticated:
      return "Handshakes need the role `caller`: see `principals` in the service's configuration.";
    case RpcCode::kUnimplemented:
      return "The service is older than this command.";
    default:
      return nullptr;
  }
}

const char* AdviceForStep(const RpcStatus& status) {
  switch (status.code) {
    case RpcCode::kNotFound:
      return "Time ran out, or the service was restarted: run the command again.";
    case RpcCode::kAborted:
      return "Somebody else ended this handshake, or took its steps: run the command again.";
    default:
      return nullptr;
  }
}

}  // namespace

bool Walker::Walk(const std::string& peer_address) {
  if (!Begin(peer_address)) return false;
  while (TakeStep()) continue;
  return true;
}

bool Walker::Begin(const std::string& peer_address) {
  v1::Start start = options_.start;
  start.set_peer_address(peer_address);
  start.set_deadline_ms(kHandshakeDeadlineMs);
  const auto started = steps_.Start(start);
  if (!started.status.ok()) {
    Report(started.status, common_, AdviceForStart(started.status));
    return false;
  }
  Show("StartHandshake", started.reply);
  if (draws()) PrintLines(client::DrawHead(options_.start.role()));
  request_.set_handshake(started.reply.handshake());
  request_.set_step(1);
  order_.OnReply(started.reply.next());
  return true;
}

bool Walker::TakeStep() {
  if (order_.needs_bytes() && !has_input_) BringBytes();
  const v1::Step step = order_.step();
  if (step == v1::STEP_UNSPECIFIED) {
    Fail("the service names no step that may follow");
    return false;
  }
  auto called = steps_.Take(step, request_);
  if (called.status.ok()) {
    const bool goes_on = called.reply.response.outcome_case() == v1::StepResponse::OUTCOME_NOT_SET;
    OnReply(std::move(called.reply), step);
    return goes_on;
  }
  // The same bytes, which were not taken, and another RPC.
  if (called.status.reason == "STEP_OUT_OF_ORDER" && order_.OnOutOfOrder()) return true;
  OnRefused(called.status);
  return false;
}

void Walker::BringBytes() {
  has_input_ = true;
  tls::Bytes bytes;
  switch (ReadSome(fd_, bytes)) {
    case Came::kBytes:
      return request_.set_from_peer(bytes.data(), bytes.size());
    case Came::kEnd:
      return request_.set_peer_closed(true);
    case Came::kSilence:
      // The handshake's time is up: the step itself says so.
      static_assert(kPatienceMs > kHandshakeDeadlineMs);
      return;
  }
}

void Walker::OnReply(client::StepReply reply, v1::Step step) {
  const v1::StepResponse& response = reply.response;
  const std::string rpc(client::RpcName(step));
  Show(rpc, response);
  const std::string note = std::to_string(response.step()) + " " + rpc;
  for (const auto& message : response.messages()) {
    if (draws()) PrintLines(client::DrawMessage(message, options_.start.role(), note));
  }
  // A peer that takes nothing more shows when its next message does not come.
  (void)WriteAll(fd_, tls::AsBytes(response.to_peer()));
  request_.set_step(response.step() + 1);
  request_.clear_from_peer();
  has_input_ = false;
  order_.OnReply(response.next());
  if (response.has_failure()) {
    common_.exit_code = kFailed;
    if (draws()) PrintLines(client::DrawFailure(response.failure(), options_.start.role()));
  } else if (response.has_established()) {
    OnEstablished(response.established(), std::move(reply.keys), response.unconsumed());
  }
}

void Walker::OnEstablished(const v1::Established& established, client::ReleasedKeys keys,
                           const std::string& rest) {
  if (draws()) PrintLines(client::DrawEstablished(established, options_.start.role()));
  if (options_.start.key_release() == v1::KEY_RELEASE_ON_ESTABLISHED) {
    auto records =
        client::CreateRecordLayer(std::move(keys), established.max_fragment(), is_client());
    if (records.ok()) {
      const tls::ByteView bytes = tls::AsBytes(rest);
      UseRecords(*records, established, {bytes.begin(), bytes.end()});
    } else {
      Fail("the service released no keys that can be used");
    }
  } else if (draws()) {
    PrintLines({"  = its keys stay in the service: the connection ends here"});
  }
  const RpcStatus ended = steps_.Terminate(established.connection());
  // It may have ended by itself; of all else the service should be told in vain by nobody.
  if (!ended.ok() && ended.code != RpcCode::kNotFound) Report(ended, common_);
}

void Walker::UseRecords(client::RecordLayer& records, const v1::Established& established,
                        tls::Bytes rest) {
  if (!is_client()) return AnswerPage(fd_, records, std::move(rest), established);
  if (!established.alpn().empty() && established.alpn().rfind("http/1", 0) != 0) {
    return Fail("--http speaks HTTP/1.1 alone, and " + established.alpn() +
                " was negotiated: give --alpn http/1.1");
  }
  const Fetched fetched = FetchPage(fd_, records, std::move(rest), options_.start.server_name());
  if (!fetched.error.empty()) return Fail("no answer to GET /: " + fetched.error);
  if (draws()) {
    PrintLines({"  < " + client::Printable(fetched.status_line)});
  } else {
    std::printf("{\"statusLine\":%s}\n", JsonString(fetched.status_line).c_str());
  }
}

void Walker::OnRefused(const RpcStatus& status) {
  if (draws()) PrintLines({"  x the service refused the step"});
  Report(status, common_, AdviceForStep(status));
}

// StepReply has its keys apart, so no secret is in what is shown.
void Walker::Show(const std::string& rpc, const google::protobuf::Message& response) const {
  if (draws()) return;
  std::printf("{\"rpc\":\"%s\",\"response\":%s}\n", rpc.c_str(), JsonLine(response).c_str());
  std::fflush(stdout);
}

void Walker::Fail(const std::string& words) {
  common_.exit_code = kFailed;
  if (draws()) return PrintLines({"  x " + words});
  std::fprintf(stderr, "handfast: %s\n", words.c_str());
}

}  // namespace handfast::cli
