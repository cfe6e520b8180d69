// The states of a client (RFC 8446 appendix A.1): its shared start, and TLS 1.3 from the
// ServerHello on; those of TLS 1.2 are in state_client12.h. `Wait` waits for the server, `Await`
// for an answer.
#ifndef HANDFAST_TLS_ENGINE_STATE_CLIENT_H_
#define HANDFAST_TLS_ENGINE_STATE_CLIENT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/secret.h"
#include "tls/crypto/kex.h"
#include "tls/engine/established.h"
#include "tls/engine/key_schedule.h"
#include "tls/engine/question.h"
#include "tls/engine/session.h"
#include "tls/engine/transcript.h"

namespace handfast::tls::client {

// What the caller asks for.
struct Wanted {
  std::string server_name;        // a DNS name in lower case; empty: none is sent
  std::vector<std::string> alpn;  // best first
};

struct Start {
  static constexpr std::string_view kName = "Start";
  Wanted wanted;
  std::optional<Session> session;  // to be offered, where it still can be
};

struct WaitServerHello {
  static constexpr std::string_view kName = "WaitServerHello";
  Wanted wanted;
  Bytes client_hello;  // the last one, whole: which hash it enters is not known yet
  KeyPair key_pair;    // of its first share; none where TLS 1.3 is not offered
  // Of its second, beside a hybrid's, for servers that have none: they need no HelloRetryRequest.
  KeyPair fallback_pair;
  // Set once a HelloRetryRequest has come: the transcript up to it, and the suite that it named.
  std::optional<Transcript> after_retry;
  CipherSuite retry_suite{};
  uint64_t next_question = 0;
  std::optional<Session> session;  // that was offered
};

// Our part in client authentication.
struct Identity {
  bool requested = false;
  std::shared_ptr<const Credential> credential;  // null: an empty Certificate
  SignatureScheme scheme{};
};

}  // namespace handfast::tls::client

namespace handfast::tls::client13 {

using client::Identity;

// What lives from ServerHello to the server's Finished.
struct Handshake {
  std::unique_ptr<Established> negotiated;
  uint64_t next_question = 0;
  Transcript transcript;
  MainSecret main;
  HashSecret client_finished_key;
  HashSecret server_finished_key;
  bool record_size_limit = false;  // the server took ours
};

struct WaitEncryptedExtensions {
  static constexpr std::string_view kName = "WaitEncryptedExtensions";
  Handshake handshake;
  std::vector<std::string> alpn;
};
struct WaitCertificateOrRequest {
  static constexpr std::string_view kName = "WaitCertificateOrRequest";
  Handshake handshake;
};
struct AwaitChoice {
  static constexpr std::string_view kName = "AwaitChoice";
  uint64_t question = 0;
  Handshake handshake;
  std::vector<SignatureScheme> schemes;  // as in Choose
  SchemeSet certificate_schemes;         // likewise
};
struct WaitCertificate {
  static constexpr std::string_view kName = "WaitCertificate";
  Handshake handshake;
  Identity identity;
};
struct AwaitVerdict {
  static constexpr std::string_view kName = "AwaitVerdict";
  uint64_t question = 0;
  Handshake handshake;
  Identity identity;
  Bytes public_key;  // the leaf's SubjectPublicKeyInfo
};
struct WaitCertificateVerify {
  static constexpr std::string_view kName = "WaitCertificateVerify";
  Handshake handshake;
  Identity identity;
  Bytes public_key;
};
struct WaitFinished {
  static constexpr std::string_view kName = "WaitFinished";
  Handshake handshake;
  Identity identity;
};
// The server's Finished was right; our CertificateVerify is due.
struct AwaitPrivateKey {
  static constexpr std::string_view kName = "AwaitPrivateKey";
  uint64_t question = 0;
  std::unique_ptr<Established> negotiated;
  Transcript transcript;
  Bytes flight;  // Certificate
  SignatureScheme scheme{};
  MainSecret main;
  HashSecret exporter;
  HashSecret client_finished_key;
  TrafficSecrets application;
  bool record_size_limit = false;
};

}  // namespace handfast::tls::client13

#endif  // HANDFAST_TLS_ENGINE_STATE_CLIENT_H_
