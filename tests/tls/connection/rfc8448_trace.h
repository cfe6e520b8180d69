// The traces of RFC 8448, as Botan's tests keep them: one section a trace, each record and message
// by its name.
#ifndef HANDFAST_TESTS_TLS_CONNECTION_RFC8448_TRACE_H_
#define HANDFAST_TESTS_TLS_CONNECTION_RFC8448_TRACE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tests/tls/connection/fixed_randomness.h"
#include "tests/tls/crypto/vectors.h"
#include "tls/engine/profile.h"
#include "tls/engine/question.h"
#include "tls/wire/messages.h"

namespace handfast::tls::test {

constexpr char kTraces[] = "botan/tls_13_rfc8448/transcripts.vec";

inline std::optional<Case> FindTrace(const std::string& path, const std::string& section) {
  for (Case& trace : ReadCases(path, "Record_Server_CloseNotify")) {
    if (trace.section == section) return std::move(trace);
  }
  return std::nullopt;
}

// The server's random, then its ephemeral private key.
inline FixedRandomness RandomnessOf(const Case& trace) {
  const Bytes pool = trace.hex("Server_RNG_Pool");
  const ByteView view(pool);
  return FixedRandomness(Copy(view.first(kRandomSize)), Copy(view.subspan(kRandomSize, 32)));
}

// The certificate of the trace, as a credential that can sign with one scheme.
inline std::shared_ptr<const Credential> CredentialOf(const Case& trace, SignatureScheme scheme) {
  const Bytes message = trace.hex("Message_Server_Certificate");
  const auto certificate =
      Parse<tls13::Certificate>(ByteView(message).subspan(kHandshakeHeaderSize));
  auto credential = std::make_shared<Credential>();
  credential->name = "rfc8448";
  credential->schemes = {scheme};
  for (const auto& entry : certificate->certificate_list) {
    credential->chain.push_back(Copy(entry.cert_data));
  }
  return credential;
}

// What the traces' server advertises.
inline Profile ProfileOfTraces() {
  Profile profile = ModernProfile();
  profile.groups = {NamedGroup::kX25519,    NamedGroup::kSecp256r1, NamedGroup::kSecp384r1,
                    NamedGroup::kSecp521r1, NamedGroup::kFfdhe2048, NamedGroup::kFfdhe3072,
                    NamedGroup::kFfdhe4096, NamedGroup::kFfdhe6144, NamedGroup::kFfdhe8192};
  profile.record_size_limit = 16385;
  profile.certificate_schemes.clear();
  return profile;
}

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CONNECTION_RFC8448_TRACE_H_
