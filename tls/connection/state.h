// What a Connection holds. Internal to tls/connection.
#ifndef HANDFAST_TLS_CONNECTION_STATE_H_
#define HANDFAST_TLS_CONNECTION_STATE_H_

#include <memory>
#include <optional>
#include <utility>

#include "tls/connection/connection.h"
#include "tls/engine/transition.h"
#include "tls/record/protection.h"
#include "tls/record/record_layer.h"

namespace handfast::tls {

// Keys that wait for the peer's ChangeCipherSpec.
struct ArmedKeys {
  TrafficKeys keys;
  uint16_t max_plaintext = 0;
};

// After ReleaseGeneration: what the later generations follow from.
struct Ratchet {
  RecordKeys write;
  RecordKeys read;
};

struct ConnectionState {
  EngineState engine;
  bool trace = false;
  bool stepwise = false;
  bool packs_flights = false;  // not saved: each step says it anew
  bool as_client = false;
  // Known from the first question on.
  std::optional<ProtocolVersion> version;

  // Of the handshake. Its end moves both into `records`, from where the keys may be released.
  RecordSealer sealer;
  RecordOpener opener;
  std::optional<RecordLayer> records;
  std::optional<Ratchet> ratchet;          // only without `records`
  uint16_t max_fragment = kMaxPlaintext;   // what the peer takes
  uint16_t max_plaintext = kMaxPlaintext;  // what we advertised
  std::optional<ArmedKeys> armed;

  Bytes input;     // from the peer, from the first unfinished record on
  Bytes messages;  // of the read epoch, from the first unfinished message on
  std::optional<Question> question;

  uint64_t consumed = 0;
  uint64_t early_data_left = 0;  // that may still be passed over
  uint8_t compatibility_change_cipher_specs = 0;
  uint8_t warning_alerts = 0;
  uint8_t empty_records = 0;  // of early data, in a row

  RecordLayerOptions record_options() const { return {as_client, max_fragment, max_plaintext}; }
};

struct ConnectionAccess {
  static Connection Make(std::unique_ptr<ConnectionState> state) {
    return Connection(std::move(state));
  }
  static ConnectionState& Of(Connection& connection) { return *connection.state_; }
  static const ConnectionState& Of(const Connection& connection) { return *connection.state_; }
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CONNECTION_STATE_H_
