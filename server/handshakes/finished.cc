#include "server/handshakes/finished.h"

#include <optional>
#include <string>

#include "server/observe/log.h"
#include "tls/base/reason.h"
#include "tls/base/registry.h"

namespace handfast::handshakes {
namespace {

std::string_view NameOf(tls::Origin origin) {
  switch (origin) {
    case tls::Origin::kLocal:
      return "local";
    case tls::Origin::kPeerAlert:
      return "peer_alert";
    case tls::Origin::kClosed:
      return "closed";
    case tls::Origin::kDeadline:
      return "deadline";
  }
  return "unknown";
}

// Static RSA has neither group nor signature, and a client that shows no certificate signs nothing.
template <class T>
std::optional<T> WhereThereIsOne(T value) {
  return value == T{} ? std::nullopt : std::optional<T>(value);
}

template <class T>
std::string NameOrNone(T value) {
  return value == T{} ? "none" : Name(value);
}

void LogEstablished(const FinishedHandshake& handshake) {
  const tls::Established& established = *handshake.established;
  observe::Log(observe::Level::kInfo, "handshakes", "handshake established",
               {{"request_id", ToHex(handshake.handle)},
                {"role", handshake.role},
                {"tenant", handshake.owner.tenant},
                {"principal", handshake.owner.principal},
                {"peer", handshake.peer_address},
                {"profile", handshake.profile},
                {"version", Name(established.version)},
                {"cipher_suite", Name(established.cipher_suite)},
                {"group", NameOrNone(established.group)},
                {"signature_scheme", NameOrNone(established.signature_scheme)},
                {"server_name", established.server_name},
                {"alpn", established.alpn},
                {"credential", established.credential},
                {"peer_certificate", !established.peer_chain.empty()},
                {"resumed", established.resumed},
                {"keys_released", handshake.keys_released},
                {"duration_s", handshake.duration_s}},
               observe::CallSite::Unlimited());
}

void LogFailed(const FinishedHandshake& handshake) {
  const tls::ReasonInfo& reason = tls::Describe(handshake.failure->reason);
  const auto alert = handshake.failure->alert;
  observe::Log(observe::Level::kInfo, "handshakes", "handshake failed",
               {{"request_id", ToHex(handshake.handle)},
                {"role", handshake.role},
                {"tenant", handshake.owner.tenant},
                {"principal", handshake.owner.principal},
                {"peer", handshake.peer_address},
                {"profile", handshake.profile},
                {"origin", NameOf(handshake.failure->origin)},
                {"reason", reason.label},
                {"alert", alert ? tls::AlertName(*alert) : std::string_view("none")},
                {"detail", handshake.detail},
                {"duration_s", handshake.duration_s}},
               observe::CallSite::Unlimited());
}

observe::FinishedHandshake ForMetrics(const FinishedHandshake& handshake) {
  observe::FinishedHandshake finished;
  finished.role = handshake.role;
  finished.duration_s = handshake.duration_s;
  if (handshake.failure != nullptr) finished.failure = handshake.failure->reason;
  if (const tls::Established* established = handshake.established) {
    finished.version = established->version;
    finished.cipher_suite = established->cipher_suite;
    finished.group = WhereThereIsOne(established->group);
    finished.signature_scheme = WhereThereIsOne(established->signature_scheme);
    finished.resumed = established->resumed;
  }
  return finished;
}

}  // namespace

void Report(const FinishedHandshake& handshake, observe::MetricsInterface& metrics) {
  if (handshake.durable) metrics.HandshakeStarted();
  metrics.HandshakeFinished(ForMetrics(handshake));
  if (!observe::Enabled(observe::Level::kInfo)) return;
  if (handshake.established != nullptr) {
    LogEstablished(handshake);
  } else {
    LogFailed(handshake);
  }
}

}  // namespace handfast::handshakes
