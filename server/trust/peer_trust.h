// Trust bundles by name, loaded once from PEM files, their revocation lists, which are read anew
// when their file changes, and the verdicts of tls/crypto's path validation on peers' chains.
#ifndef HANDFAST_SERVER_TRUST_PEER_TRUST_H_
#define HANDFAST_SERVER_TRUST_PEER_TRUST_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "server/trust/crl_file.h"
#include "server/trust/peer_trust_interface.h"
#include "tls/crypto/crl.h"
#include "tls/crypto/x509.h"

namespace handfast::trust {

struct BundleFiles {
  std::string file;           // PEM, the roots
  std::string crl_file = {};  // PEM, revocation lists; none where nothing is checked
  tls::CrlCheck crl_check = tls::CrlCheck::kNone;
};

// Shared by threads; only revocation lists change.
class PeerTrust final : public PeerTrustInterface {
 public:
  // By name. NOT_FOUND or PERMISSION_DENIED where a file cannot be read; INVALID_ARGUMENT where one
  // does not hold what it must, or more than kMaxBundleSize or kMaxCrlFileSize bytes. The message
  // names bundle and file. A list that has expired is no mistake: it refuses whom it speaks of.
  static absl::StatusOr<PeerTrust> Load(const std::map<std::string, BundleFiles>& bundles);
  PeerTrust(PeerTrust&&) = default;

  Verification VerifyClient(std::string_view bundle, const std::vector<tls::Bytes>& chain,
                            int64_t now_unix_s) const override;
  Verification VerifyServer(std::string_view bundle, const PresentedServer& server,
                            int64_t now_unix_s) const override;
  tls::Bytes Fingerprint(std::string_view bundle, int64_t now_unix_s) const override;

  // The bundle's subjects, DER, for a profile's certificate_authorities; empty where there is no
  // such bundle.
  std::vector<tls::Bytes> Subjects(std::string_view bundle) const;

 private:
  struct Bundle {
    tls::TrustBundle roots;
    tls::CrlCheck crl_check = tls::CrlCheck::kNone;
    std::unique_ptr<CrlFile> crls;  // null where nothing is checked
  };

  PeerTrust() = default;
  Verification Verify(std::string_view bundle, const std::vector<tls::Bytes>& chain,
                      tls::TrustParameters wanted) const;
  std::map<std::string, Bundle, std::less<>> bundles_;
};

// Mozilla's whole root program is 220 KiB of PEM.
inline constexpr size_t kMaxBundleSize = size_t{4} << 20;

}  // namespace handfast::trust

#endif  // HANDFAST_SERVER_TRUST_PEER_TRUST_H_
