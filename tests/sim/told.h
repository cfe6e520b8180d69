// What a caller is told, and the form in which the simulation's replicas send and keep it.
#ifndef HANDFAST_TESTS_SIM_TOLD_H_
#define HANDFAST_TESTS_SIM_TOLD_H_

#include <optional>
#include <string>
#include <vector>

#include "server/handshakes/step.h"
#include "tls/connection/connection.h"

namespace handfast::sim {

enum class Outcome : uint8_t { kGoesOn, kEstablished, kFailed, kStopped };

struct Told {
  uint64_t number = 0;  // of a step
  tls::Bytes to_peer;
  uint64_t consumed = 0;
  bool need_more = false;
  std::vector<handshakes::NextStep> next;
  tls::Bytes unconsumed;
  Outcome outcome = Outcome::kGoesOn;
  std::string reason;  // kFailed: its label; kStopped: the status, by name
  // kEstablished
  tls::ProtocolVersion version{};
  tls::CipherSuite suite{};
  std::string alpn;
  std::optional<tls::ReleasedKeys> keys;
};

tls::Bytes Encode(const handshakes::Reply& reply);
tls::Bytes Encode(const handshakes::StepReply& reply);
// Aborts where it is no such form: it is written here alone.
Told Decode(tls::ByteView encoded);

}  // namespace handfast::sim

#endif  // HANDFAST_TESTS_SIM_TOLD_H_
