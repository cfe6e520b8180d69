// Every limit on what a peer may make an unfinished connection hold or do; those that hold after
// the handshake too stand in tls/record/record_layer.h.
#ifndef HANDFAST_TLS_CONNECTION_LIMITS_H_
#define HANDFAST_TLS_CONNECTION_LIMITS_H_

#include <cstddef>

namespace handfast::tls {

// A handshake message, header included. Real chains stay below 16 KiB; the RFC would allow 16 MiB.
constexpr size_t kMaxHandshakeMessage = size_t{64} << 10;

// What is held of a peer that goes on sending while a question is open: two records, and the early
// data that may still be passed over.
constexpr size_t kMaxHeldInput = size_t{40} << 10;

// A ticket that a client keeps: a ClientHello that carries a longer one is refused by many.
constexpr size_t kMaxKeptTicket = size_t{16} << 10;

// TLS 1.3's meaningless ChangeCipherSpec: one after each ClientHello.
constexpr int kMaxCompatibilityChangeCipherSpecs = 2;

// Early data that is passed over, in whole records as they come. No ticket of ours allows any; a
// client that brings another's may have sent this much before our answer reached it.
constexpr size_t kMaxSkippedEarlyData = size_t{64} << 10;

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CONNECTION_LIMITS_H_
