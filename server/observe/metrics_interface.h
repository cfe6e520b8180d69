// What the running service tells the metrics. The packages that do the work see this; what becomes
// of it stands in metrics.h. Every call is thread-safe and cheap: no allocation once a combination
// of labels has been seen.
#ifndef HANDFAST_SERVER_OBSERVE_METRICS_INTERFACE_H_
#define HANDFAST_SERVER_OBSERVE_METRICS_INTERFACE_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "tls/base/reason.h"
#include "tls/base/registry.h"
#include "tls/crypto/sign.h"

namespace handfast::observe {

// A handshake that has ended, well or not. What was not negotiated by then is nullopt, and "none"
// in the labels.
struct FinishedHandshake {
  std::string_view role = "server";  // a literal
  std::optional<tls::ProtocolVersion> version = std::nullopt;
  std::optional<tls::CipherSuite> cipher_suite = std::nullopt;
  std::optional<tls::NamedGroup> group = std::nullopt;
  std::optional<tls::SignatureScheme> signature_scheme = std::nullopt;  // ours
  bool resumed = false;                                                 // a session
  // Nullopt: established.
  std::optional<tls::Reason> failure = std::nullopt;
  double duration_s = 0;  // from Start to the end, the peer's round trips included
};

// Of records that the service itself protects, after a handshake.
enum class RecordDirection : uint8_t { kSealed, kOpened };

enum class Operation : uint8_t { kSign };

struct PrivateKeyOperation {
  Operation operation = Operation::kSign;
  tls::SignatureScheme scheme{};  // gives the label key_type: "ecdsa", "rsa", "eddsa"
  bool ok = false;
  double duration_s = 0;  // the operation alone, without waiting
};

class MetricsInterface {
 public:
  virtual ~MetricsInterface() = default;

  virtual void HandshakeStarted() = 0;                                     // one more live
  virtual void HandshakeFinished(const FinishedHandshake& handshake) = 0;  // one less
  virtual void PrivateKeyUsed(const PrivateKeyOperation& operation) = 0;

  // An RPC that has ended. `method` is the full name ("/handfast.v1.KeyService/GetKey") of a
  // registered method, or empty for any other; `code` is the gRPC code's name ("OK", "NOT_FOUND").
  virtual void RpcFinished(std::string_view method, std::string_view code) = 0;

  // Work refused before it began: "TENANT_HANDSHAKES_LIMIT", "QUEUE_LIMIT", ... (a fixed set).
  virtual void Refused(std::string_view reason) = 0;

  // Records that went through, and the bytes of application data in them.
  virtual void RecordsDone(RecordDirection direction, uint64_t records, uint64_t bytes) = 0;

  // A piece of queued work has run. `lane` is "general" or "rsa".
  virtual void WorkDone(std::string_view lane, double waited_s, double ran_s) = 0;
};

// For tests, and where metrics do not matter.
class NoMetrics final : public MetricsInterface {
 public:
  void HandshakeStarted() override {}
  void HandshakeFinished(const FinishedHandshake&) override {}
  void PrivateKeyUsed(const PrivateKeyOperation&) override {}
  void RpcFinished(std::string_view, std::string_view) override {}
  void Refused(std::string_view) override {}
  void RecordsDone(RecordDirection, uint64_t, uint64_t) override {}
  void WorkDone(std::string_view, double, double) override {}
};

}  // namespace handfast::observe

#endif  // HANDFAST_SERVER_OBSERVE_METRICS_INTERFACE_H_
