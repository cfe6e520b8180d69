// handfast-edge: terminates TLS without a private key. See README.md.

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "client/edge/admin.h"
#include "client/edge/options.h"
#include "client/edge/worker.h"

namespace handfast::edge {
namespace {

// What the process needs besides its connections: listeners, epolls, gRPC, the admin port.
constexpr size_t kOtherDescriptors = 64;

// Exit codes beyond those of ReadOptions.
constexpr int kCannotServe = 1;

// Released record keys are in this process: no core file shall hold them.
void ForbidCores() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
}

void RaiseDescriptorLimit(size_t connections, Log& log) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = 2 * connections + kOtherDescriptors;
  limit.rlim_cur = std::min(limit.rlim_max, std::max(limit.rlim_cur, wanted));
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < wanted) {
    log.Line(LogLevel::kWarning, "the limit of descriptors is below --max-connections",
             {{"limit", std::to_string(limit.rlim_cur)}, {"wanted", std::to_string(wanted)}});
  }
}

// Before the first thread: they inherit it, and only this one waits for signals.
sigset_t BlockSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

std::string LocalAddress(int fd) {
  Address address;
  address.size = sizeof address.storage;
  if (getsockname(fd, address.raw(), &address.size) != 0) return "unknown";
  return ToText(address);
}

client::StartOptions MakeStart(const Options& options) {
  client::StartOptions start;
  start.profile = options.profile;
  start.alpn = options.alpn;
  start.release_keys = true;
  start.deadline_ms = options.handshake_timeout_ms;
  start.trace = options.trace;
  return start;
}

int Serve(const Options& options) {
  ForbidCores();
  const sigset_t signals = BlockSignals();
  Log log(options.log_level, options.log_format);
  RaiseDescriptorLimit(options.max_connections, log);
  const int listener = Listen(options.listen);
  if (listener < 0) {
    log.Line(LogLevel::kError, "cannot listen",
             {{"address", ToText(options.listen)}, {"error", std::strerror(errno)}});
    return kCannotServe;
  }
  Metrics metrics;
  std::atomic<bool> draining{false};
  auto relay = std::make_unique<client::Relay>(options.endpoint);
  std::unique_ptr<Admin> admin;
  if (!options.admin.empty()) {
    admin = Admin::Start(options.admin, metrics, [&] { return !draining && relay->healthy(); });
    if (admin == nullptr) {
      log.Line(LogLevel::kError, "cannot listen for --admin", {{"address", options.admin}});
      close(listener);
      return kCannotServe;
    }
  }
  Shared shared{.options = options,
                .start = MakeStart(options),
                .relay = *relay,
                .metrics = metrics,
                .log = log,
                .listener = listener};
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::unique_ptr<Worker>> workers;
  for (unsigned i = 0; i < (options.workers > 0 ? options.workers : cores); ++i) {
    workers.push_back(std::make_unique<Worker>(shared));
    if (!workers.back()->ready()) return kCannotServe;
  }
  std::vector<std::thread> threads;
  threads.reserve(workers.size());
  for (const auto& worker : workers) threads.emplace_back([&worker] { worker->Run(); });
  log.Line(LogLevel::kInfo, "serving",
           {{"listen", LocalAddress(listener)},
            {"admin", admin ? admin->address() : "none"},
            {"endpoint", options.endpoint.address}});

  int signal = 0;
  sigwait(&signals, &signal);
  draining = true;
  log.Line(LogLevel::kInfo, "draining", {{"connections", std::to_string(shared.connections)}});
  for (const auto& worker : workers) worker->Stop();
  // Clients that come now are refused, and not left waiting in a queue that nobody empties.
  shutdown(listener, SHUT_RD);
  for (std::thread& thread : threads) thread.join();
  close(listener);
  admin.reset();
  // Before the workers, whose inboxes it fills.
  relay.reset();
  log.Line(LogLevel::kInfo, "stopped");
  return 0;
}

int Main(int argc, char** argv) {
  const auto read = ReadOptions(argc, argv);
  if (const auto* leave = std::get_if<Leave>(&read)) {
    std::fprintf(leave->code == 0 ? stdout : stderr, "%s%s\n",
                 leave->code == 0 ? "" : "handfast-edge: ", leave->text.c_str());
    return leave->code;
  }
  return Serve(std::get<Options>(read));
}

}  // namespace
}  // namespace handfast::edge

int main(int argc, char** argv) { return handfast::edge::Main(argc, argv); }
