#include "client/edge/options.h"

#include <unistd.h>

#include <optional>

#include <CLI/CLI.hpp>

#include "client/edge/options_file.h"

namespace handfast::edge {
namespace {

constexpr int kUsageError = 2;
constexpr size_t kMostConnections = 1'000'000;
// An hour bounds what a typing mistake can do.
constexpr double kLongestSeconds = 3600;

// As they are written, before they are understood.
struct Raw {
  std::string config_file;
  std::string listen;
  std::string backend;
  std::vector<std::string> routes;
  double handshake_timeout = 10;
  double idle_timeout = 300;
  double drain_timeout = 30;
  std::string log_level = "info";
  std::string log_format;
};

void DeclareService(CLI::App& app, client::Endpoint& endpoint) {
  const std::string group = "The service";
  app.add_option("--endpoint", endpoint.address,
                 "unix:PATH, or HOST:PORT with the three --tls files")
      ->envname("HANDFAST_ENDPOINT")
      ->group(group);
  app.add_option("--tls-cert", endpoint.certificate_file, "The edge's own certificate, PEM")
      ->envname("HANDFAST_TLS_CERT")
      ->group(group);
  app.add_option("--tls-key", endpoint.key_file, "Its key, PEM: to call the service, not to serve")
      ->envname("HANDFAST_TLS_KEY")
      ->group(group);
  app.add_option("--tls-ca", endpoint.ca_file, "Who signs the service's certificate, PEM")
      ->envname("HANDFAST_TLS_CA")
      ->group(group);
  app.add_option("--tls-server-name", endpoint.server_name,
                 "The name in the service's certificate, if it is not the endpoint's host")
      ->envname("HANDFAST_TLS_SERVER_NAME")
      ->group(group);
}

void DeclareTraffic(CLI::App& app, Options& options, Raw& raw) {
  app.add_option("--listen", raw.listen, "HOST:PORT to accept TLS on")
      ->envname("HANDFAST_EDGE_LISTEN")
      ->group("Traffic");
  app.add_option("--backend", raw.backend, "Where plain bytes go: HOST:PORT or unix:PATH")
      ->envname("HANDFAST_EDGE_BACKEND")
      ->group("Traffic");
  app.add_option("--route", raw.routes,
                 "NAME=BACKEND by the client's SNI; NAME may be *.example.com; may be repeated")
      ->group("Traffic");
  app.add_option("--profile", options.profile, "The service's TLS profile; default: its own")
      ->group("Traffic");
  app.add_option("--alpn", options.alpn, "Protocols of the backends, best first")
      ->delimiter(',')
      ->group("Traffic");
  app.add_flag("--accept-proxy-v2", options.accept_proxy_v2,
               "Each connection begins with a PROXY v2 header; only behind a trusted balancer")
      ->group("Traffic");
  app.add_flag("--send-proxy-v2", options.send_proxy_v2,
               "Tell backends the client's address, SNI and identity")
      ->group("Traffic");
}

void DeclareLimits(CLI::App& app, Options& options, Raw& raw) {
  const CLI::Range seconds(0.01, kLongestSeconds);
  app.add_option("--workers", options.workers, "Threads; 0: one for each core")
      ->check(CLI::Range(0, 256))
      ->group("Limits");
  app.add_option("--max-connections", options.max_connections, "More are refused")
      ->check(CLI::Range(size_t{1}, kMostConnections))
      ->group("Limits");
  app.add_option("--handshake-timeout", raw.handshake_timeout, "Seconds for a handshake")
      ->check(seconds)
      ->group("Limits");
  app.add_option("--idle-timeout", raw.idle_timeout, "Seconds without a byte")
      ->check(seconds)
      ->group("Limits");
  app.add_option("--drain-timeout", raw.drain_timeout, "Seconds to finish in after SIGTERM")
      ->check(seconds)
      ->group("Limits");
}

void DeclareRunning(CLI::App& app, Options& options, Raw& raw) {
  app.add_option("--config", raw.config_file,
                 "YAML file whose keys are these flags without dashes in front")
      ->envname("HANDFAST_EDGE_CONFIG")
      ->group("Running");
  app.add_option("--admin", options.admin, "HOST:PORT for /metrics, /livez and /readyz")
      ->envname("HANDFAST_EDGE_ADMIN")
      ->group("Running");
  app.add_flag("--trace", options.trace, "Draw each handshake on standard output")
      ->group("Running");
  app.add_option("--log-level", raw.log_level, "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->group("Running");
  app.add_option("--log-format", raw.log_format, "json or text; default: text on a terminal")
      ->check(CLI::IsMember({"json", "text"}))
      ->group("Running");
}

uint32_t Milliseconds(double seconds) { return static_cast<uint32_t>(seconds * 1000); }

LogLevel LevelOf(const std::string& name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "warning") return LogLevel::kWarning;
  if (name == "error") return LogLevel::kError;
  return LogLevel::kInfo;
}

std::optional<std::string> Understand(const Raw& raw, Options& options) {
  if (raw.listen.empty()) return "where to listen is missing: give --listen HOST:PORT";
  const auto listen = ParseAddress(raw.listen);
  if (!listen) return "--listen " + raw.listen + " is not HOST:PORT, or does not resolve";
  options.listen = *listen;
  if (!raw.backend.empty()) {
    if (auto wrong = options.router.Add("", raw.backend)) return wrong;
  }
  for (const std::string& route : raw.routes) {
    const size_t equals = route.find('=');
    if (equals == std::string::npos || equals == 0) {
      return "the route \"" + route + "\" is not NAME=BACKEND";
    }
    if (auto wrong = options.router.Add(route.substr(0, equals), route.substr(equals + 1))) {
      return wrong;
    }
  }
  if (options.router.empty()) {
    return "there is no backend: give --backend HOST:PORT, or --route NAME=HOST:PORT";
  }
  options.handshake_timeout_ms = Milliseconds(raw.handshake_timeout);
  options.idle_timeout_ms = Milliseconds(raw.idle_timeout);
  options.drain_timeout_ms = Milliseconds(raw.drain_timeout);
  options.log_level = LevelOf(raw.log_level);
  const bool is_terminal = isatty(STDERR_FILENO) == 1;
  const bool text = raw.log_format.empty() ? is_terminal : raw.log_format == "text";
  options.log_format = text ? LogFormat::kText : LogFormat::kJson;
  client::FillFromEnvironment(options.endpoint);
  return client::Check(options.endpoint);
}

}  // namespace

std::variant<Options, Leave> ReadOptions(int argc, char** argv) {
  Options options;
  Raw raw;
  CLI::App app(
      "Terminates TLS without a private key: the handshake is performed by handfastd, records are "
      "protected here, plain bytes go to a backend.",
      "handfast-edge");
  DeclareTraffic(app, options, raw);
  DeclareService(app, options.endpoint);
  DeclareLimits(app, options, raw);
  DeclareRunning(app, options, raw);
  try {
    app.parse(argc, argv);
    if (!raw.config_file.empty()) {
      if (auto wrong = ApplyOptionsFile(raw.config_file, app)) return Leave{kUsageError, *wrong};
    }
  } catch (const CLI::CallForHelp&) {
    return Leave{0, app.help()};
  } catch (const CLI::ParseError& error) {
    return Leave{kUsageError, std::string(error.what()) + "\nRun handfast-edge --help."};
  }
  if (auto wrong = Understand(raw, options)) return Leave{kUsageError, *wrong};
  return options;
}

}  // namespace handfast::edge
