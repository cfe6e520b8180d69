// What the connections of one worker thread share: who they talk to, and buffers that hold nothing
// between two turns.
#ifndef HANDFAST_CLIENT_EDGE_WORKPLACE_H_
#define HANDFAST_CLIENT_EDGE_WORKPLACE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "client/core/relay.h"
#include "client/core/relay_inbox.h"
#include "client/edge/log.h"
#include "client/edge/metrics.h"
#include "client/edge/options.h"
#include "tls/base/bytes.h"

namespace handfast::edge {

// One read: four of the largest records, so that one write to the other side carries as much.
constexpr size_t kReadChunk = size_t{64} * 1024;
// An unfinished record in front of them: header, 2^14 + 2048 bytes at the very most.
constexpr size_t kMaxPartialRecord = 5 + 16384 + 2048;

struct Workplace {
  Workplace(const Options& the_options, const client::StartOptions& the_start,
            client::Relay& the_relay, Metrics& the_metrics, Log& the_log)
      : options(the_options),
        start(the_start),
        relay(the_relay),
        metrics(the_metrics),
        log(the_log),
        buffer(kMaxPartialRecord + kReadChunk) {}

  const Options& options;
  const client::StartOptions& start;
  client::Relay& relay;
  Metrics& metrics;
  Log& log;
  client::RelayInbox inbox;
  int epoll_fd = -1;
  // Of this turn of the loop, monotonic.
  int64_t now_ms = 0;

  tls::Bytes buffer;                  // what is read
  tls::Bytes sealed;                  // records on their way to a client
  tls::Bytes answers;                 // alerts and KeyUpdates to a client
  std::vector<tls::ByteView> pieces;  // plaintext inside `buffer`
};

}  // namespace handfast::edge

#endif  // HANDFAST_CLIENT_EDGE_WORKPLACE_H_
