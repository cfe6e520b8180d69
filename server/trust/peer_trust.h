// Trust bundles by name, loaded once from PEM files, and the verdicts of tls/crypto's path
// validation on peers' chains. Names that a peer must bear, CRLs and OCSP come later.
#ifndef HANDFAST_SERVER_TRUST_PEER_TRUST_H_
#define HANDFAST_SERVER_TRUST_PEER_TRUST_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "server/trust/peer_trust_interface.h"

namespace handfast::trust {

// Immutable; shared by threads.
class PeerTrust final : public PeerTrustInterface {
 public:
  // `files` maps a bundle's name to its PEM file. NOT_FOUND or PERMISSION_DENIED where a file
  // cannot be read; INVALID_ARGUMENT where one holds no certificate, a broken one, or more than
  // kMaxBundleSize bytes. The message names bundle and file.
  static absl::StatusOr<PeerTrust> Load(const std::map<std::string, std::string>& files);
  PeerTrust(PeerTrust&&) = default;

  Verification VerifyClient(std::string_view bundle, const std::vector<tls::Bytes>& chain,
                            int64_t now_unix_s) const override;

  // The bundle's subjects, DER, for a profile's certificate_authorities; empty where there is no
  // such bundle.
  std::vector<tls::Bytes> Subjects(std::string_view bundle) const;

 private:
  PeerTrust() = default;
  std::map<std::string, tls::TrustBundle, std::less<>> bundles_;
};

// Mozilla's whole root program is 220 KiB of PEM.
inline constexpr size_t kMaxBundleSize = size_t{4} << 20;

}  // namespace handfast::trust

#endif  // HANDFAST_SERVER_TRUST_PEER_TRUST_H_
