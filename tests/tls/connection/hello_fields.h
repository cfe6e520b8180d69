// A ClientHello that owns its fields, so that a test can alter any of them.
#ifndef HANDFAST_TESTS_TLS_CONNECTION_HELLO_FIELDS_H_
#define HANDFAST_TESTS_TLS_CONNECTION_HELLO_FIELDS_H_

#include <string>
#include <utility>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/registry.h"

namespace handfast::tls::test {

struct HelloFields {
  uint16_t legacy_version = 0x0303;
  Bytes random = Bytes(32, 0xc1);
  Bytes session_id;
  std::vector<CipherSuite> cipher_suites;
  Bytes compression_methods = {0};
  bool has_extensions = true;
  std::vector<std::pair<ExtensionType, Bytes>> extensions;

  // Null where it is absent.
  Bytes* Find(ExtensionType type);
  void Remove(ExtensionType type);
  // Replaces the body where the extension is, or appends it.
  void Set(ExtensionType type, Bytes body);
  void SetHex(ExtensionType type, std::string_view hex);

  // The whole handshake message, header included. Bounds are not looked at.
  Bytes Message() const;
};

// What a sound client offers in one version only: every suite, X25519, P-256 and P-384, all
// schemes, a name, ALPN "h2" and "http/1.1", record_size_limit. A share of `share` in TLS 1.3, made
// of ClientScalar.
HelloFields HelloFor(ProtocolVersion version, NamedGroup share = NamedGroup::kX25519);

// The client's ephemeral key, the same in every run.
Bytes ClientScalar(NamedGroup group);
// A key_share body with the public key of ClientScalar for each group.
Bytes KeyShareBody(const std::vector<NamedGroup>& groups);

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CONNECTION_HELLO_FIELDS_H_
