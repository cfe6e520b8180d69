// The TLS 1.3 key schedule (RFC 8446 §7.1), typed by stage: each stage is made by spending the one
// before, and the wrong stage does not compile.
#ifndef HANDFAST_TLS_ENGINE_KEY_SCHEDULE_H_
#define HANDFAST_TLS_ENGINE_KEY_SCHEDULE_H_

#include "tls/base/secret.h"
#include "tls/crypto/hash.h"

namespace handfast::tls {

template <class Tag>
struct Stage {
  HashSecret secret;
};
using EarlySecret = Stage<struct EarlyTag>;
using HandshakeSecret = Stage<struct HandshakeTag>;
using MainSecret = Stage<struct MainTag>;

// One traffic secret a direction.
struct TrafficSecrets {
  HashSecret client;
  HashSecret server;
};

EarlySecret ToEarly(HashAlgorithm algorithm, const HashSecret& psk);
HandshakeSecret ToHandshake(HashAlgorithm algorithm, EarlySecret&& spent, SharedSecret&& shared);
// Without a PSK: Early Secret = HKDF-Extract(0, 0), whose "derived" value is a constant.
HandshakeSecret ToHandshake(HashAlgorithm algorithm, SharedSecret&& spent);
MainSecret ToMain(HashAlgorithm algorithm, HandshakeSecret&& spent);

// `transcript_hash` up to ServerHello.
TrafficSecrets HandshakeTraffic(HashAlgorithm algorithm, const HandshakeSecret& secret,
                                const Digest& transcript_hash);
// `transcript_hash` up to the server's Finished.
TrafficSecrets ApplicationTraffic(HashAlgorithm algorithm, const MainSecret& secret,
                                  const Digest& transcript_hash);

// RFC 8446 §4.2.11.2: the binder of a resumption PSK over a ClientHello that is cut before its
// binders. A binder is computed as Finished is.
Digest Binder(HashAlgorithm algorithm, const EarlySecret& secret, const Digest& transcript_hash);

// RFC 8446 §7.5. `transcript_hash` up to the server's Finished.
HashSecret ExporterSecret(HashAlgorithm algorithm, const MainSecret& secret,
                          const Digest& transcript_hash);
// Fills `out`, which is keying material of the application's: a secret.
void ExportKeyingMaterial(HashAlgorithm algorithm, const HashSecret& exporter,
                          std::string_view label, ByteView context, std::span<uint8_t> out);

// `transcript_hash` up to the client's Finished.
HashSecret ResumptionSecret(HashAlgorithm algorithm, const MainSecret& secret,
                            const Digest& transcript_hash);
// RFC 8446 §4.6.1: the PSK of a ticket.
HashSecret TicketPsk(HashAlgorithm algorithm, const HashSecret& resumption_secret,
                     ByteView ticket_nonce);

// RFC 8446 §4.4.4.
HashSecret FinishedKey(HashAlgorithm algorithm, const HashSecret& traffic_secret);
Digest FinishedVerifyData(HashAlgorithm algorithm, const HashSecret& finished_key,
                          const Digest& transcript_hash);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_KEY_SCHEDULE_H_
