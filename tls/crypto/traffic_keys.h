// What the record keys of one direction are made from.
#ifndef HANDFAST_TLS_CRYPTO_TRAFFIC_KEYS_H_
#define HANDFAST_TLS_CRYPTO_TRAFFIC_KEYS_H_

#include <cstdint>
#include <variant>

#include "tls/base/registry.h"
#include "tls/base/secret.h"

namespace handfast::tls {

struct TrafficKeys13 {
  CipherSuite suite{};
  HashSecret secret;  // a traffic secret of RFC 8446 §7.1
  uint64_t sequence = 0;
};

struct TrafficKeys12 {
  CipherSuite suite{};
  AeadKey key;
  AeadIv iv;  // 4-byte salt (AES-GCM, RFC 5288) or 12-byte IV (ChaCha20-Poly1305, RFC 7905)
  uint64_t sequence = 0;
  // AES-CBC suites alone, which have no `iv`.
  HashSecret mac_key = {};
  bool encrypt_then_mac = false;  // RFC 7366
};

using TrafficKeys = std::variant<TrafficKeys13, TrafficKeys12>;

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_TRAFFIC_KEYS_H_
