// What the commands share: where the service is, how to print, and how to leave.
#ifndef HANDFAST_CLIENT_CLI_COMMAND_H_
#define HANDFAST_CLIENT_CLI_COMMAND_H_

#include <string>

#include "client/core/endpoint.h"
#include "client/core/rpc_status.h"

namespace CLI {  // NOLINT(readability-identifier-naming): a library's name
class App;
}

namespace handfast::cli {

// Documented in README.md and --help; scripts rely on them.
enum ExitCode : int {
  kSuccess = 0,
  kFailed = 1,       // the request or the handshake failed, for a reason not below
  kUsage = 2,        // a mistake on the command line, or in a file that it names
  kUnreachable = 3,  // the service cannot be reached
  kNotAllowed = 4,   // it refuses this caller
  kNotFound = 5,
  kConflict = 6,  // exists already, or is not in a state for it
};

enum class Output { kTable, kJson };

struct Common {
  client::Endpoint endpoint;
  Output output = Output::kTable;
  // Resources without "tenants/..." in front are this tenant's.
  std::string tenant = "default";
  // What the chosen command came to.
  int exit_code = kSuccess;

  std::string parent() const { return "tenants/" + tenant; }
  // "web" -> "tenants/default/keys/web"; a whole name stays.
  std::string Name(const std::string& collection, const std::string& text) const;
};

// Each adds its commands to `app`; the chosen one runs within app.parse().
void DeclareKeys(CLI::App& app, Common& common);
void DeclareCredentials(CLI::App& app, Common& common);
void DeclareHandshake(CLI::App& app, Common& common);
// Within `handshake`.
void DeclareWalk(CLI::App& handshake, Common& common);
void DeclareHealth(CLI::App& app, Common& common);
void DeclareConfig(CLI::App& app, Common& common);
void DeclareCompletion(CLI::App& app, Common& common);

// Before a call: false, with a message and exit_code, where the endpoint is no good.
bool PrepareEndpoint(Common& common);

// Says what went wrong and what to do next, and sets exit_code. `next_step`: where a command knows
// better than the code alone tells.
void Report(const client::RpcStatus& status, Common& common, const char* next_step = nullptr);
void ReportUsage(const std::string& message, Common& common);

}  // namespace handfast::cli

#endif  // HANDFAST_CLIENT_CLI_COMMAND_H_
