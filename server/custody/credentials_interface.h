// The two questions of a handshake that custody answers: who am I, and can you prove it. Whoever
// runs handshakes sees this and no more of custody.
#ifndef HANDFAST_SERVER_CUSTODY_CREDENTIALS_INTERFACE_H_
#define HANDFAST_SERVER_CUSTODY_CREDENTIALS_INTERFACE_H_

#include <string>
#include <string_view>

#include "tls/engine/question.h"

namespace handfast::custody {

class CredentialsInterface {
 public:
  virtual ~CredentialsInterface() = default;

  // Which credential of the tenant to present, among those that can sign with one of the peer's
  // schemes: the pinned one, or else by exact name, by wildcard (one label), the default; between
  // equals the peer's best scheme decides, then the latest activation. One whose chain is signed
  // with what the peer takes in certificates comes before all others, which are presented only
  // where there is none, and in TLS 1.2 not even then; an expired certificate, too, only where no
  // other would do. `pinned` is a credential's resource name, or empty. Refusals: kNoCredential;
  // kNoCommonSignatureScheme where only the algorithms stood in the way; kUnrecognizedName where
  // `refuse_unknown` and no credential bears the name that the peer asked for. In the client role
  // (`as_client`) names do not matter: the pinned one where it fits, or else one whose certificate
  // may be a client's and has not expired, by the server's best scheme, then by the latest
  // activation. One fits that can sign with one of the schemes, has a chain signed with what the
  // server takes in certificates and, where authorities are listed, has an issuer among them along
  // its chain, byte for byte. Refusals: kNoCredential, kNoCommonSignatureScheme. Thread-safe; does
  // no I/O and no cryptography.
  virtual tls::Chosen Choose(std::string_view tenant, const tls::Choose& question,
                             const std::string& pinned, bool refuse_unknown) const = 0;

  // Signs. Refusals: kPrivateKeyRefused where the tenant has no such active credential or it
  // cannot sign with the scheme; kPrivateKeyFailed where libcrypto failed. Thread-safe; takes as
  // long as the signature does.
  virtual tls::PrivateKeyUsed Use(std::string_view tenant,
                                  const tls::UsePrivateKey& question) const = 0;

  // Whether the tenant has an active credential of this resource name: what Start.credential must
  // be, before anything is begun.
  virtual bool IsActive(std::string_view tenant, std::string_view credential) const = 0;
};

}  // namespace handfast::custody

#endif  // HANDFAST_SERVER_CUSTODY_CREDENTIALS_INTERFACE_H_
