#include "client/cli/command.h"

#include <cstdio>
#include <optional>

namespace handfast::cli {
namespace {

using client::RpcCode;

struct Advice {
  ExitCode code;
  const char* next_step;
};

Advice AdviceFor(RpcCode code) {
  switch (code) {
    case RpcCode::kUnavailable:
    case RpcCode::kDeadlineExceeded:
      return {kUnreachable,
              "Is handfastd running, and is --endpoint (or HANDFAST_ENDPOINT, HANDFAST_STATE_DIR) "
              "the socket or port it listens on? Try: handfast health"};
    case RpcCode::kPermissionDenied:
    case RpcCode::kUnauthenticated:
      return {kNotAllowed,
              "Keys and credentials need the role `operator` of the tenant: see `principals` in "
              "the service's configuration, and --tenant."};
    case RpcCode::kNotFound:
      return {kNotFound, "Try `list` for what there is, and check --tenant."};
    case RpcCode::kAlreadyExists:
      return {kConflict, "Choose another --id, or look at the one that is there with `get`."};
    case RpcCode::kFailedPrecondition:
    case RpcCode::kAborted:
      return {kConflict, "Look at its state with `get`."};
    case RpcCode::kInvalidArgument:
      return {kUsage, "Correct the value and run the command again."};
    case RpcCode::kResourceExhausted:
      return {kFailed, "The service is busy; try again in a moment."};
    default:
      return {kFailed, "The service's log has more."};
  }
}

}  // namespace

std::string Common::Name(const std::string& collection, const std::string& text) const {
  if (text.rfind("tenants/", 0) == 0) return text;
  return parent() + "/" + collection + "/" + text;
}

bool PrepareEndpoint(Common& common) {
  client::FillFromEnvironment(common.endpoint);
  const std::optional<std::string> wrong = Check(common.endpoint);
  if (wrong) ReportUsage(*wrong, common);
  return !wrong;
}

void Report(const client::RpcStatus& status, Common& common, const char* next_step) {
  const Advice advice = AdviceFor(status.code);
  common.exit_code = advice.code;
  std::fprintf(stderr, "handfast: %s: %s", CodeName(status.code).c_str(), status.message.c_str());
  if (!status.reason.empty()) std::fprintf(stderr, " (%s)", status.reason.c_str());
  std::fprintf(stderr, "\n");
  if (!status.details.empty()) std::fprintf(stderr, "  %s\n", status.details.c_str());
  std::fprintf(stderr, "  %s\n", next_step != nullptr ? next_step : advice.next_step);
}

void ReportUsage(const std::string& message, Common& common) {
  common.exit_code = kUsage;
  std::fprintf(stderr, "handfast: %s\n", message.c_str());
}

}  // namespace handfast::cli
