#include "tls/engine/use_private_key.h"

#include <utility>

namespace handfast::tls {
namespace {

Reason Refusal(Reason reason) {
  return reason == Reason::kSchemeNotOffered ? Reason::kPrivateKeyRefused
                                             : Reason::kPrivateKeyFailed;
}

}  // namespace

PrivateKeyUsed Use(const PrivateKey& key, const UsePrivateKey& question) {
  PrivateKeyUsed used;
  used.question = question.id;
  if (const auto* premaster = std::get_if<Tls12RsaPremaster>(&question.intent)) {
    Result<RsaPremaster> recovered =
        key.RecoverPremaster(premaster->client_version, premaster->encrypted);
    if (recovered.ok()) {
      used.premaster = std::make_shared<const RsaPremaster>(*std::move(recovered));
    } else {
      used.refusal = Refusal(recovered.reason());
    }
    return used;
  }
  Result<Bytes> signature = key.Sign(question.scheme, ContentToSign(question.intent));
  if (signature.ok()) {
    used.signature = *std::move(signature);
  } else {
    used.refusal = Refusal(signature.reason());
  }
  return used;
}

}  // namespace handfast::tls
