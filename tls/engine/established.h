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
  SignatureScheme signature_scheme{};  // ours
  std::string alpn;                    // empty: none
  std::string server_name;             // as asked for; empty: none
  std::string credential;              // Credential::name
  std::vector<Bytes> peer_chain;       // verified; empty: the peer showed none
  // The largest plaintext the peer takes in a record, without TLS 1.3's content type: RFC 8449.
  uint16_t max_fragment = 16384;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_ESTABLISHED_H_
