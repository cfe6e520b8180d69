// The states of a TLS 1.3 server after the choice (RFC 8446 appendix A.2). `Wait` waits for the
// peer, `Await` for an answer.
#ifndef HANDFAST_TLS_ENGINE_STATE13_H_
#define HANDFAST_TLS_ENGINE_STATE13_H_

#include <memory>
#include <string_view>

#include "tls/base/bytes.h"
#include "tls/base/secret.h"
#include "tls/engine/key_schedule.h"
#include "tls/engine/question.h"
#include "tls/engine/state_hello.h"
#include "tls/engine/transcript.h"

namespace handfast::tls::tls13 {

// A HelloRetryRequest was sent; the choice is made.
struct WaitRetriedClientHello {
  static constexpr std::string_view kName = "WaitRetriedClientHello";
  Hello hello;
  std::shared_ptr<const Credential> credential;
  Transcript transcript;
  // Of what the second ClientHello must repeat.
  Digest first_hello;
  // The session that is resumed; `credential` is then null. Its index may change.
  std::optional<OfferedSession> session;
};

struct AwaitPrivateKey {
  static constexpr std::string_view kName = "AwaitPrivateKey";
  uint64_t question = 0;
  std::unique_ptr<Established> negotiated;
  uint64_t next_question = 0;
  Transcript transcript;
  // EncryptedExtensions to Certificate, held back to share their record with what follows.
  Bytes flight;
  MainSecret main;
  HashSecret client_finished_key;
  HashSecret server_finished_key;
  bool record_size_limit = false;  // as in Hello
  bool psk_dhe_ke = false;         // as in Hello
};

// What every state after our Finished holds.
struct ClientFlight {
  std::unique_ptr<Established> negotiated;
  uint64_t next_question = 0;
  Transcript transcript;
  HashSecret client_finished_key;
  HashSecret client_application_traffic_secret;
  uint16_t max_plaintext = 0;  // what we advertised
  MainSecret main;             // for the resumption secret; empty where no ticket will be issued
  HashSecret exporter;
};

struct WaitCertificate {
  static constexpr std::string_view kName = "WaitCertificate";
  ClientFlight flight;
};
struct AwaitVerdict {
  static constexpr std::string_view kName = "AwaitVerdict";
  uint64_t question = 0;
  ClientFlight flight;
  Bytes public_key;  // the leaf's SubjectPublicKeyInfo
};
struct WaitCertificateVerify {
  static constexpr std::string_view kName = "WaitCertificateVerify";
  ClientFlight flight;
  Bytes public_key;
};
struct WaitFinished {
  static constexpr std::string_view kName = "WaitFinished";
  ClientFlight flight;
};

}  // namespace handfast::tls::tls13

#endif  // HANDFAST_TLS_ENGINE_STATE13_H_
