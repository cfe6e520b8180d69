// The record layer of a thin client that was given its keys (tls/record/record_layer.h does the
// work): it is the one sealer of its connection from the hand-over on.
#ifndef HANDFAST_CLIENT_CORE_RECORD_LAYER_H_
#define HANDFAST_CLIENT_CORE_RECORD_LAYER_H_

#include <variant>

#include "tls/base/bytes.h"
#include "tls/base/reason.h"
#include "tls/base/result.h"
#include "tls/record/protection.h"
#include "tls/record/record_layer.h"

namespace handfast::client {

using tls::RecordLayer;

// Both directions' keys as the service released them. Spent by CreateRecordLayer.
struct ReleasedKeys13 {
  tls::TrafficKeys13 write;
  tls::TrafficKeys13 read;
};
struct ReleasedKeys12 {
  tls::TrafficKeys12 write;
  tls::TrafficKeys12 read;
};
using ReleasedKeys = std::variant<std::monostate, ReleasedKeys13, ReleasedKeys12>;

// `max_fragment` is Established.max_fragment, 1 to 16384. kInternalError where there are no keys,
// or they do not fit their suite. `as_client`: the peer is the TLS server, whose tickets are passed
// over.
tls::Result<RecordLayer> CreateRecordLayer(ReleasedKeys keys, size_t max_fragment,
                                           bool as_client = false);

// A fatal alert in the clear, for a peer whose handshake died before it had any keys.
tls::Bytes PlaintextAlert(tls::Alert alert);

}  // namespace handfast::client

#endif  // HANDFAST_CLIENT_CORE_RECORD_LAYER_H_
