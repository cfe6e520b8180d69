// What the files that implement Resolve share; nothing else includes it.
#ifndef HANDFAST_SERVER_CONFIG_RESOLVER_H_
#define HANDFAST_SERVER_CONFIG_RESOLVER_H_

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "handfast/v1/config.pb.h"
#include "server/config/config.h"
#include "server/config/mistakes.h"
#include "server/config/resolve.h"

namespace handfast::config {

class Resolver {
 public:
  Resolver(const v1::Config& written, const Places& places, const CheckFile& check_file,
           Mistakes& mistakes)
      : written_(written), places_(places), check_file_(check_file), mistakes_(mistakes) {}

  Config Run();

 private:
  void Listeners();
  void Tcp(const std::string& path, const v1::TcpListenerConfig& written);
  void Unix(const std::string& path, const v1::UnixListenerConfig& written);
  void Principals();
  void PrincipalName(const std::string& path, const std::string& name);
  void EachSocketHasItsPrincipal();
  void AdminPort();
  void TrustBundles();
  tls::CrlCheck RevocationCheck(const std::string& path, const v1::TrustBundleConfig& written);
  void Profiles();
  Profile OneProfile(const std::string& path, const v1::ProfileConfig& written);
  void StaticRsa(const std::string& path, const v1::ProfileConfig& written, Profile& profile);
  void ClientAuth(const std::string& path, const v1::ProfileConfig& written, Profile& profile);
  void NamesABundle(const std::string& path, const std::string& name);
  void CustodyFiles();
  void StorePlace();
  Redis RedisPlace(const v1::RedisConfig& written);
  void LimitsAndRest();
  void AdvertisedAddress();

  // A number within its bounds.
  int Number(const std::string& path, uint32_t value, uint32_t least, uint32_t most);
  // Adds mistakes for one that is not named, or does not hold what it must.
  void RequiredFile(const std::string& path, const NamedFile& file);
  // An id that the set has not seen.
  void UniqueId(const std::string& path, const std::string& id, std::set<std::string>& seen);
  void Wrong(const std::string& path, std::string_view words);

  const v1::Config& written_;
  const Places& places_;
  const CheckFile& check_file_;
  Mistakes& mistakes_;
  Config config_;
};

// 1 to 63 of a-z, 0-9 and '-', beginning with a letter.
bool IsId(std::string_view text);

}  // namespace handfast::config

#endif  // HANDFAST_SERVER_CONFIG_RESOLVER_H_
