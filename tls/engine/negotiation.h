// What both roles choose with. Internal to the engine.
#ifndef HANDFAST_TLS_ENGINE_NEGOTIATION_H_
#define HANDFAST_TLS_ENGINE_NEGOTIATION_H_

#include <optional>
#include <vector>

#include "tls/crypto/cipher_suite.h"
#include "tls/engine/profile.h"
#include "tls/engine/question.h"

namespace handfast::tls {

// The first of `ours` that is in `theirs`; nullopt where there is none.
template <class T>
std::optional<T> FirstCommon(const std::vector<T>& ours, const std::vector<T>& theirs) {
  for (const T& candidate : ours) {
    for (const T& offered : theirs) {
      if (candidate == offered) return candidate;
    }
  }
  return std::nullopt;
}

template <class T>
bool Contains(const std::vector<T>& values, T value) {
  for (const T& v : values) {
    if (v == value) return true;
  }
  return false;
}

// The first scheme of the question with which the credential's key can sign.
std::optional<SignatureScheme> CommonScheme(const std::vector<SignatureScheme>& asked,
                                            const Credential& credential);

// What a peer that lists these takes in certificates, under this version.
SchemeSet CertificateSchemes(ProtocolVersion version, const std::vector<SignatureScheme>& listed);

// RSASSA-PKCS1-v1_5, which TLS 1.3 has in certificates alone.
bool IsPkcs1(SignatureScheme scheme);

// What a TLS 1.3 CertificateVerify may be signed with: of the profile's schemes, not those.
bool MaySignTls13(const Profile& profile, SignatureScheme scheme);

// What a TLS 1.2 suite's authentication must be for a signature with `scheme`.
SuiteAuthentication AuthenticationOf(SignatureScheme scheme);

// The curve without which a TLS 1.2 peer cannot read an ECDSA certificate (RFC 8422 §5.1).
std::optional<NamedGroup> CurveOf(SignatureScheme scheme);

// RFC 8449 §4: the least that a peer may ask for.
constexpr uint16_t kMinRecordSizeLimit = 64;

namespace tls13 {
// What our record_size_limit means for the plaintext of a record, the content type not counted.
uint16_t MaxPlaintext(const Profile& profile, bool negotiated);
}  // namespace tls13

namespace tls12 {
// The same; there is no content type in it.
uint16_t MaxPlaintext(const Profile& profile, bool negotiated);
}  // namespace tls12

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_NEGOTIATION_H_
