// Typed intents: what a private key is asked to prove. Whoever holds the key builds the
// content from the intent, so that no bytes of a caller's choice are ever signed.
#ifndef HANDFAST_TLS_ENGINE_INTENT_H_
#define HANDFAST_TLS_ENGINE_INTENT_H_

#include <variant>

#include "tls/base/bytes.h"

namespace handfast::tls {

// RFC 8446 §4.4.3, as the server.
struct Tls13ServerCertificateVerify {
  Bytes transcript_hash;
};

// RFC 8446 §4.4.3, as the client.
struct Tls13ClientCertificateVerify {
  Bytes transcript_hash;
};

// RFC 5246 §7.4.3 and RFC 8422 §5.4.
struct Tls12ServerKeyExchange {
  Bytes client_random;  // 32 bytes
  Bytes server_random;  // 32 bytes
  Bytes params;         // ServerECDHParams
};

// RFC 5246 §7.4.8, as the client.
struct Tls12ClientCertificateVerify {
  Bytes handshake_messages;  // all of them so far
};

// RFC 5246 §7.4.7.1: nothing is signed, but a premaster secret recovered.
struct Tls12RsaPremaster {
  Bytes encrypted;              // EncryptedPreMasterSecret, as it came
  uint16_t client_version = 0;  // ClientHello's
};

using Intent =
    std::variant<Tls13ServerCertificateVerify, Tls12ServerKeyExchange, Tls13ClientCertificateVerify,
                 Tls12RsaPremaster, Tls12ClientCertificateVerify>;

// The bytes that the signature covers; none for a premaster secret.
Bytes ContentToSign(const Intent& intent);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_INTENT_H_
