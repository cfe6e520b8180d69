// What the edge was told: flags over environment (HANDFAST_EDGE_*) over a YAML file over defaults.
#ifndef HANDFAST_CLIENT_EDGE_OPTIONS_H_
#define HANDFAST_CLIENT_EDGE_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "client/core/endpoint.h"
#include "client/edge/address.h"
#include "client/edge/log.h"
#include "client/edge/router.h"

namespace handfast::edge {

struct Options {
  client::Endpoint endpoint;
  Address listen;
  Router router;
  // Where /metrics, /livez and /readyz are; empty: nowhere.
  std::string admin;

  std::string profile;
  std::vector<std::string> alpn;

  bool accept_proxy_v2 = false;
  bool send_proxy_v2 = false;

  // 0: one for each core.
  unsigned workers = 0;
  // A connection is two sockets, and some tens of KiB when it is busy.
  size_t max_connections = 10000;
  // From the first byte to the end of the handshake: two round trips of the slowest phone.
  uint32_t handshake_timeout_ms = 10000;
  // Without a byte in either direction.
  uint32_t idle_timeout_ms = 300000;
  // After SIGTERM: how long connections may go on.
  uint32_t drain_timeout_ms = 30000;

  bool trace = false;
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kJson;
};

// The program has nothing more to do: print `text` and leave with `code`.
struct Leave {
  int code;
  std::string text;
};

// Exit codes: 0 (help was asked for), 2 (a mistake in flags, environment or file, named in `text`).
std::variant<Options, Leave> ReadOptions(int argc, char** argv);

}  // namespace handfast::edge

#endif  // HANDFAST_CLIENT_EDGE_OPTIONS_H_
