// handfastd: flags, signals, and what is said to whoever started it.

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include <CLI/CLI.hpp>
#include <grpc/support/log.h>

#include "server/config/load.h"
#include "server/observe/hardening.h"
#include "server/observe/log.h"
#include "server/service.h"

namespace handfast {
namespace {

// What the shell sees.
enum ExitCode : int {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,  // a flag or the configuration is wrong
};

struct Flags {
  std::string config_file;
  std::vector<std::string> settings;  // path=value
  std::string ready_file;
  bool check = false;
  bool dump = false;
  bool allow_core_dumps = false;
};

void Define(CLI::App& app, Flags& flags) {
  app.add_option("--config", flags.config_file,
                 "The configuration, a YAML file; without it, a Unix socket for the user who "
                 "starts the service");
  app.add_option("--set", flags.settings, "One setting by its path: --set log.level=debug")
      ->type_name("PATH=VALUE");
  app.add_flag("--check-config,--check", flags.check, "Check the configuration and exit");
  app.add_flag("--dump-config", flags.dump, "Print the configuration in force and exit");
  app.add_option("--ready-file", flags.ready_file,
                 "When ready, write the addresses to this file, as JSON");
  app.add_flag("--allow-core-dumps", flags.allow_core_dumps,
               "For debugging only: a core file holds the private keys");
  app.set_version_flag("--version", std::string("handfastd ") + kVersion);
}

absl::StatusOr<config::Loaded> LoadConfig(const Flags& flags) {
  config::LoadInput input;
  if (!flags.config_file.empty()) {
    absl::StatusOr<std::string> document = config::ReadDocument(flags.config_file);
    if (!document.ok()) return document.status();
    input.document = *std::move(document);
  }
  input.document_name = flags.config_file;
  input.environment = config::ProcessEnvironment();
  for (const std::string& setting : flags.settings) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("--set ", setting, ": write --set path=value, as in log.level=debug"));
    }
    input.flags[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  input.state_folder = config::DefaultStateFolder(input.environment);
  input.uid = getuid();
  input.processors = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  input.check_file = config::CheckNamedFile;
  return config::Load(input);
}

void SetUpLog(const config::Log& log) {
  observe::ConfigureLog(static_cast<observe::Level>(log.level),
                        static_cast<observe::Format>(log.format));
  // gRPC's own complaints belong into the same log, in the same form.
  gpr_set_log_function([](gpr_log_func_args* line) {
    const bool error = line->severity == GPR_LOG_SEVERITY_ERROR;
    observe::Log(error ? observe::Level::kWarning : observe::Level::kDebug, "grpc", "gRPC says",
                 {{"text", line->message}});
  });
}

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

// Whoever waits for the file sees all of it or nothing.
bool WriteReadyFile(const std::string& path, const Service& service) {
  std::vector<std::string> addresses;
  for (const std::string& address : service.addresses()) addresses.push_back(Quoted(address));
  const std::string part = path + ".part";
  {
    std::ofstream file(part, std::ios::trunc);
    file << "{\"pid\": " << getpid() << ", \"addresses\": [" << absl::StrJoin(addresses, ", ")
         << "], \"admin\": " << Quoted(service.admin_address()) << "}\n";
    if (!file.flush()) return false;
  }
  return std::rename(part.c_str(), path.c_str()) == 0;
}

// Blocked before the first thread is made, so that they come here and nowhere else.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

int WaitForEnd(const sigset_t& signals) {
  for (;;) {
    int number = 0;
    sigwait(&signals, &number);
    if (number != SIGHUP) return number;
    observe::Log(observe::Level::kWarning, "main",
                 "SIGHUP changes nothing: restart to read the configuration again");
  }
}

void ExitAtOnceOnSecondSignal(const sigset_t& signals) {
  std::thread([signals] {
    const int number = WaitForEnd(signals);
    observe::Log(observe::Level::kWarning, "main", "stopped without waiting");
    _exit(128 + number);  // as a shell tells it
  }).detach();
}

int Serve(const config::Config& config, const Flags& flags, const sigset_t& signals) {
  absl::StatusOr<std::unique_ptr<Service>> service = Service::Start(config);
  if (!service.ok()) {
    observe::Log(observe::Level::kError, "main", "cannot start",
                 {{"error", static_cast<std::string>(service.status().message())}});
    return kFailed;
  }
  if (!flags.ready_file.empty() && !WriteReadyFile(flags.ready_file, **service)) {
    observe::Log(observe::Level::kError, "main", "the ready file cannot be written",
                 {{"file", flags.ready_file}});
    return kFailed;
  }
  observe::Log(observe::Level::kInfo, "main", "ready",
               {{"version", kVersion},
                {"addresses", absl::StrJoin((*service)->addresses(), " ")},
                {"admin", (*service)->admin_address()}});
  WaitForEnd(signals);
  observe::Log(observe::Level::kInfo, "main", "draining", {{"seconds", config.drain.count()}});
  ExitAtOnceOnSecondSignal(signals);
  (*service)->Drain();
  service->reset();
  observe::Log(observe::Level::kInfo, "main", "stopped");
  return kOk;
}

int Main(int argc, char** argv) {
  const sigset_t signals = BlockSignals();
  Flags flags;
  CLI::App app("The Handfast service: TLS handshakes for thin clients", "handfastd");
  Define(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  absl::StatusOr<config::Loaded> loaded = LoadConfig(flags);
  if (!loaded.ok()) {
    std::cerr << "handfastd: " << loaded.status().message() << "\n";
    return kUsage;
  }
  if (flags.dump) std::cout << loaded->dump;
  if (flags.check && !flags.dump) std::cout << "the configuration is valid\n";
  if (flags.dump || flags.check) return kOk;
  SetUpLog(loaded->config.log);
  if (!flags.allow_core_dumps) {
    if (absl::Status hardened = observe::HardenProcess(); !hardened.ok()) {
      std::cerr << "handfastd: " << hardened.message() << "\n";
      return kFailed;
    }
  }
  return Serve(loaded->config, flags, signals);
}

}  // namespace
}  // namespace handfast

int main(int argc, char** argv) { return handfast::Main(argc, argv); }
