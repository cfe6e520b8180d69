// The states of a TLS 1.2 client from the ServerHello on (RFC 5246 §7.3). `Wait` waits for the
// server, `Await` for an answer.
#ifndef HANDFAST_TLS_ENGINE_STATE_CLIENT12_H_
#define HANDFAST_TLS_ENGINE_STATE_CLIENT12_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/secret.h"
#include "tls/engine/established.h"
#include "tls/engine/key_schedule12.h"
#include "tls/engine/question.h"
#include "tls/engine/session.h"
#include "tls/engine/state_client.h"
#include "tls/engine/transcript.h"

namespace handfast::tls::client12 {

using client::Identity;

// What lives from ServerHello to the end of the server's flight.
struct Handshake {
  std::unique_ptr<Established> negotiated;
  uint64_t next_question = 0;
  Transcript transcript;  // kept whole while a CertificateVerify may have to cover it
  HelloRandom client_random{};
  HelloRandom server_random{};
  bool extended_master_secret = false;
  bool encrypt_then_mac = false;    // negotiated: RFC 7366
  bool record_size_limit = false;   // the server took ours
  bool new_session_ticket = false;  // the server will send one: RFC 5077
  bool certificate_status = false;  // the server may send one: RFC 6066
  Bytes session_id;                 // the server's; empty: none
};

// Our part of the key exchange, once the server's is known.
struct KeyExchange {
  Bytes client_key_exchange;  // the message's body
  SharedSecret premaster;
};

struct WaitCertificate {
  static constexpr std::string_view kName = "WaitCertificate";
  Handshake handshake;
};
// The server took our status_request, and may say nothing of it all the same.
struct WaitCertificateStatus {
  static constexpr std::string_view kName = "WaitCertificateStatus";
  Handshake handshake;
  Bytes public_key;  // the leaf's SubjectPublicKeyInfo
};
struct AwaitVerdict {
  static constexpr std::string_view kName = "AwaitVerdict";
  uint64_t question = 0;
  Handshake handshake;
  Bytes public_key;
  Bytes next_message;  // the whole one that came instead of a CertificateStatus; empty: none
};
// Not under static RSA.
struct WaitServerKeyExchange {
  static constexpr std::string_view kName = "WaitServerKeyExchange";
  Handshake handshake;
  Bytes public_key;
};
struct WaitRequestOrDone {
  static constexpr std::string_view kName = "WaitRequestOrDone";
  Handshake handshake;
  KeyExchange exchange;
};
struct AwaitChoice {
  static constexpr std::string_view kName = "AwaitChoice";
  uint64_t question = 0;
  Handshake handshake;
  KeyExchange exchange;
  std::vector<SignatureScheme> schemes;  // as in Choose
  SchemeSet certificate_schemes;         // likewise
};
struct WaitServerHelloDone {
  static constexpr std::string_view kName = "WaitServerHelloDone";
  Handshake handshake;
  KeyExchange exchange;
  Identity identity;
};

// What is left once the keys are known.
struct Ending {
  std::unique_ptr<Established> negotiated;
  Transcript transcript;
  MasterSecret master;
  KeyBlock keys;
  uint16_t max_plaintext = 0;  // what we advertised
  bool extended_master_secret = false;
  bool new_session_ticket = false;
  Bytes session_id;
  // The session that was resumed or that the server gives us; its secret is the master's.
  Bytes ticket;
  uint32_t ticket_lifetime_hint = 0;
};

// Our CertificateVerify is due.
struct AwaitPrivateKey {
  static constexpr std::string_view kName = "AwaitPrivateKey";
  uint64_t question = 0;
  Ending ending;
  Bytes flight;  // Certificate and ClientKeyExchange
  SignatureScheme scheme{};
};
struct WaitNewSessionTicket {
  static constexpr std::string_view kName = "WaitNewSessionTicket";
  Ending ending;
};
// The server's keys are armed: its ChangeCipherSpec comes first.
struct WaitFinished {
  static constexpr std::string_view kName = "WaitFinished";
  Ending ending;
};

}  // namespace handfast::tls::client12

#endif  // HANDFAST_TLS_ENGINE_STATE_CLIENT12_H_
