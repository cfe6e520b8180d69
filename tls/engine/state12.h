// The states of a TLS 1.2 server after the choice (RFC 5246 §7.3). `Wait` waits for the peer,
// `Await` for an answer.
#ifndef HANDFAST_TLS_ENGINE_STATE12_H_
#define HANDFAST_TLS_ENGINE_STATE12_H_

#include <memory>
#include <string_view>

#include "tls/base/bytes.h"
#include "tls/crypto/kex.h"
#include "tls/engine/key_schedule12.h"
#include "tls/engine/question.h"
#include "tls/engine/state_hello.h"
#include "tls/engine/transcript.h"

namespace handfast::tls::tls12 {

// How the session may be resumed later.
struct Resumable {
  bool new_session_ticket = false;
  Bytes session_id;  // ours; empty: it is not kept
};

// What lives from ServerHello to ClientKeyExchange, and to the premaster secret where that is the
// private key's to recover.
struct KeyExchange {
  std::unique_ptr<Established> negotiated;
  uint64_t next_question = 0;
  Transcript transcript;
  KeyPair key_pair;  // none under static RSA
  HelloRandom client_random{};
  HelloRandom server_random{};
  uint16_t client_version = 0;  // ClientHello's: static RSA
  bool extended_master_secret = false;
  bool encrypt_then_mac = false;   // negotiated: RFC 7366
  bool record_size_limit = false;  // as in Hello
  Resumable resumable;
};

struct AwaitPrivateKey {
  static constexpr std::string_view kName = "AwaitPrivateKey";
  uint64_t question = 0;
  KeyExchange exchange;
  Bytes flight;  // ServerHello and Certificate, held back to share their record with the rest
};
struct WaitCertificate {
  static constexpr std::string_view kName = "WaitCertificate";
  KeyExchange exchange;
};
struct AwaitVerdict {
  static constexpr std::string_view kName = "AwaitVerdict";
  uint64_t question = 0;
  KeyExchange exchange;
  Bytes public_key;  // the leaf's SubjectPublicKeyInfo
};
struct WaitClientKeyExchange {
  static constexpr std::string_view kName = "WaitClientKeyExchange";
  KeyExchange exchange;
  Bytes public_key;  // empty: the client showed no certificate
};

// Static RSA: the question is for the premaster secret.
struct AwaitPremaster {
  static constexpr std::string_view kName = "AwaitPremaster";
  uint64_t question = 0;
  KeyExchange exchange;
  Bytes public_key;  // as above
};

// What every state after ClientKeyExchange holds.
struct ClientFlight {
  std::unique_ptr<Established> negotiated;
  Transcript transcript;
  MasterSecret master;
  KeyBlock keys;
  uint16_t max_plaintext = 0;  // what we advertised
  Resumable resumable;
};
struct WaitCertificateVerify {
  static constexpr std::string_view kName = "WaitCertificateVerify";
  ClientFlight flight;
  Bytes public_key;
};
// The client's keys are armed: its ChangeCipherSpec comes first.
struct WaitFinished {
  static constexpr std::string_view kName = "WaitFinished";
  std::unique_ptr<Established> negotiated;
  Transcript transcript;
  MasterSecret master;
  TrafficKeys12 server_keys;
  Resumable resumable;
};
// The abbreviated handshake: ours is sent, and the client's keys are armed.
struct WaitResumedFinished {
  static constexpr std::string_view kName = "WaitResumedFinished";
  std::unique_ptr<Established> negotiated;
  Transcript transcript;
  MasterSecret master;
};

}  // namespace handfast::tls::tls12

#endif  // HANDFAST_TLS_ENGINE_STATE12_H_
