// What a finished handshake agreed on. States fill it as they go.
#ifndef HANDFAST_TLS_ENGINE_ESTABLISHED_H_
#define HANDFAST_TLS_ENGINE_ESTABLISHED_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/registry.h"

namespace handfast::tls {

struct Established {
  ProtocolVersion version{};
  CipherSuite cipher_suite{};
  NamedGroup group{};
  SignatureScheme signature_scheme{};  // ours; 0 where a session was resumed
  std::string alpn;                    // empty: none
  std::string server_name;             // as asked for; empty: none
  std::string credential;              // Credential::name
  std::vector<Bytes> peer_chain;       // verified; empty: the peer showed none
  // The largest plaintext the peer takes in a record, without TLS 1.3's content type: RFC 8449.
  uint16_t max_fragment = 16384;
  // A session was resumed: `credential` and `peer_chain` are those of its first handshake.
  bool resumed = false;
  // When the certificates that this rests on end, as far as those who chose and verified them told.
  int64_t not_after_unix_s = INT64_MAX;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_ESTABLISHED_H_
