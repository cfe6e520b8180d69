#include "tls/engine/negotiation.h"

namespace handfast::tls {

std::optional<SignatureScheme> CommonScheme(const std::vector<SignatureScheme>& asked,
                                            const Credential& credential) {
  return FirstCommon(asked, credential.schemes);
}

bool IsPkcs1(SignatureScheme scheme) {
  return scheme == SignatureScheme::kRsaPkcs1Sha256 || scheme == SignatureScheme::kRsaPkcs1Sha384 ||
         scheme == SignatureScheme::kRsaPkcs1Sha512;
}

namespace tls13 {

uint16_t MaxPlaintext(const Profile& profile, bool negotiated) {
  constexpr uint16_t kUnlimited = 16384;
  if (!negotiated || profile.record_size_limit == 0) return kUnlimited;
  return static_cast<uint16_t>(profile.record_size_limit - 1);
}

}  // namespace tls13

}  // namespace handfast::tls
