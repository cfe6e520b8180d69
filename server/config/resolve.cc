// Resolve, but for listeners and principals (resolve_callers.cc) and profiles
// (resolve_profiles.cc).
#include "server/config/resolve.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "absl/strings/str_cat.h"

#include "server/config/resolver.h"

namespace handfast::config {
namespace {

constexpr uint32_t kMaxLiveHandshakes = 1'000'000;
constexpr uint32_t kMaxRate = 1'000'000;
constexpr uint32_t kMaxThreads = 256;
constexpr uint32_t kMaxConnections = 100'000;
constexpr uint32_t kMaxEstablished = 10'000'000;
constexpr uint32_t kMaxDrainSeconds = 3600;
constexpr uint32_t kMaxStoreMib = 65'536;
constexpr uint32_t kMaxRedisDatabase = 1023;
constexpr std::string_view kUnixScheme = "unix:";

bool IsAddress(int family, const std::string& text) {
  unsigned char parsed[sizeof(in6_addr)];
  return inet_pton(family, text.c_str(), parsed) == 1;
}

// The host may be a name; a name is looked up with each connection.
bool ParseHostAndPort(const std::string& text, std::string& host, uint16_t& port) {
  if (ParseAddress(text, host, port)) return port != 0;
  const size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0) return false;
  host = text.substr(0, colon);
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, port);
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return error == std::errc() && rest == end && port != 0 &&
         std::all_of(host.begin(), host.end(), fits);
}

}  // namespace

bool ParseAddress(const std::string& text, std::string& host, uint16_t& port) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return false;
  host = text.substr(0, colon);
  const bool v6 = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (v6) host = host.substr(1, host.size() - 2);
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, port);
  // Port 0 is the system's choice; the log line `ready` says which.
  return error == std::errc() && rest == end && IsAddress(v6 ? AF_INET6 : AF_INET, host);
}

bool IsId(std::string_view text) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !text.empty() && text.size() <= 63 && letter(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

void Resolver::Wrong(const std::string& path, std::string_view words) {
  mistakes_.Add(places_.Find(path),
                absl::StrCat("`", path, "` ", absl::string_view(words.data(), words.size())));
}

int Resolver::Number(const std::string& path, uint32_t value, uint32_t least, uint32_t most) {
  if (value < least || value > most) {
    Wrong(path, absl::StrCat("must be from ", least, " to ", most, ", and is ", value));
  }
  return static_cast<int>(std::min(value, most));
}

void Resolver::RequiredFile(const std::string& path, const NamedFile& file) {
  if (file.path.empty()) return Wrong(path, "is required");
  if (!check_file_) return;
  const absl::Status status = check_file_(file);
  if (!status.ok()) Wrong(path, absl::StrCat(Quote(file.path), ": ", status.message()));
}

void Resolver::UniqueId(const std::string& path, const std::string& id,
                        std::set<std::string>& seen) {
  if (!IsId(id)) {
    return Wrong(path, "must be 1 to 63 of a-z, 0-9 and '-', beginning with a letter");
  }
  if (!seen.insert(id).second) Wrong(path, absl::StrCat("is ", Quote(id), " a second time"));
}

void Resolver::AdminPort() {
  const std::string& address = written_.admin().address();
  if (address == "off") return;
  Admin admin;
  if (!ParseAddress(address, admin.host, admin.port)) {
    return Wrong("admin.address",
                 absl::StrCat("must be an IP address and a port (127.0.0.1:9464), or off, and is ",
                              Quote(address)));
  }
  config_.admin = admin;
}

void Resolver::TrustBundles() {
  std::set<std::string> seen;
  for (int i = 0; i < written_.trust_bundles_size(); ++i) {
    const v1::TrustBundleConfig& written = written_.trust_bundles(i);
    const std::string path = absl::StrCat("trust_bundles[", i, "]");
    UniqueId(path + ".name", written.name(), seen);
    RequiredFile(path + ".file", {.path = written.file()});
    config_.trust_bundles.push_back(
        {written.name(), written.file(), written.crl_file(), RevocationCheck(path, written)});
  }
}

tls::CrlCheck Resolver::RevocationCheck(const std::string& path,
                                        const v1::TrustBundleConfig& written) {
  if (!written.has_crl_file()) {
    if (written.has_crl_check()) Wrong(path + ".crl_check", "is of no use without crl_file");
    return tls::CrlCheck::kNone;
  }
  RequiredFile(path + ".crl_file",
               {.path = written.crl_file(), .content = NamedFile::Content::kCrls});
  return written.crl_check() == v1::CRL_CHECK_MODE_CHAIN ? tls::CrlCheck::kChain
                                                         : tls::CrlCheck::kLeaf;
}

void Resolver::CustodyFiles() {
  const v1::CustodyConfig& written = written_.custody();
  if (written.database_file().empty()) Wrong("custody.database_file", "must not be empty");
  if (written.kek_file().empty()) Wrong("custody.kek_file", "must not be empty");
  if (written.kek_file() == written.database_file()) {
    Wrong("custody.kek_file", "must be another file than the database");
  }
  config_.custody = {written.database_file(), written.kek_file()};
}

void Resolver::StorePlace() {
  const v1::StoreConfig& written = written_.store();
  if (!written.has_redis()) {
    const int mib = Number("store.memory_mib", written.memory_mib(), 1, kMaxStoreMib);
    config_.store.memory_bytes = static_cast<size_t>(mib) << 20;
    return;
  }
  if (written.has_memory_mib()) Wrong("store.memory_mib", "is of no use with redis");
  config_.store.redis = RedisPlace(written.redis());
}

Redis Resolver::RedisPlace(const v1::RedisConfig& written) {
  Redis redis;
  const std::string& address = written.address();
  if (address.starts_with(kUnixScheme)) {
    redis.unix_socket = address.substr(kUnixScheme.size());
    if (!redis.unix_socket.starts_with('/')) {
      Wrong("store.redis.address", "must name an absolute path behind unix:");
    }
  } else if (!ParseHostAndPort(address, redis.host, redis.port)) {
    Wrong("store.redis.address",
          absl::StrCat("must be unix:/path or a host and a port (127.0.0.1:6379), and is ",
                       Quote(address)));
  }
  RequiredFile("store.redis.key_file",
               {.path = written.key_file(), .content = NamedFile::Content::kStoreKey});
  redis.key_file = written.key_file();
  if (written.has_password_file()) {
    RequiredFile("store.redis.password_file",
                 {.path = written.password_file(), .content = NamedFile::Content::kPassword});
    redis.password_file = written.password_file();
  }
  redis.database = Number("store.redis.database", written.database(), 0, kMaxRedisDatabase);
  redis.space = written.space();
  if (!IsId(redis.space)) {
    Wrong("store.redis.space", "must be 1 to 63 of a-z, 0-9 and '-', beginning with a letter");
  }
  return redis;
}

void Resolver::LimitsAndRest() {
  const v1::LimitsConfig& written = written_.limits();
  Limits& limits = config_.limits;
  limits.live_handshakes =
      Number("limits.live_handshakes", written.live_handshakes(), 1, kMaxLiveHandshakes);
  limits.live_handshakes_per_tenant =
      Number("limits.live_handshakes_per_tenant", written.live_handshakes_per_tenant(), 1,
             std::max(1U, written.live_handshakes()));
  limits.handshake_rate_per_tenant =
      Number("limits.handshake_rate_per_tenant", written.handshake_rate_per_tenant(), 0, kMaxRate);
  const bool limited = written.handshake_rate_per_tenant() > 0;
  limits.handshake_burst_per_tenant =
      Number("limits.handshake_burst_per_tenant", written.handshake_burst_per_tenant(),
             limited ? 1 : 0, limited ? kMaxRate : 0);
  limits.worker_threads = Number("limits.worker_threads", written.worker_threads(), 1, kMaxThreads);
  limits.rsa_threads = Number("limits.rsa_threads", written.rsa_threads(), 1, kMaxThreads);
  limits.connections = Number("limits.connections", written.connections(), 1, kMaxConnections);
  limits.established_connections = Number("limits.established_connections",
                                          written.established_connections(), 1, kMaxEstablished);
  // The unspecified value cannot be written, and is filled in by default.
  config_.log.level = static_cast<LogLevel>(written_.log().level() - v1::LOG_LEVEL_TRACE);
  config_.log.format = static_cast<LogFormat>(written_.log().format() - v1::LOG_FORMAT_AUTO);
  config_.drain =
      std::chrono::seconds(Number("drain_seconds", written_.drain_seconds(), 0, kMaxDrainSeconds));
}

void Resolver::AdvertisedAddress() {
  constexpr size_t kMaxAddress = 255;
  if (!written_.has_advertised_address()) return;
  const std::string& address = written_.advertised_address();
  const bool printable =
      std::all_of(address.begin(), address.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (address.empty() || address.size() > kMaxAddress || !printable) {
    return Wrong("advertised_address", "must have 1 to 255 printable characters of ASCII");
  }
  config_.advertised_address = address;
}

Config Resolver::Run() {
  Listeners();
  Principals();
  AdminPort();
  TrustBundles();
  Profiles();
  CustodyFiles();
  StorePlace();
  LimitsAndRest();
  AdvertisedAddress();
  return std::move(config_);
}

Config Resolve(const v1::Config& written, const Places& places, const CheckFile& check_file,
               Mistakes& mistakes) {
  return Resolver(written, places, check_file, mistakes).Run();
}

}  // namespace handfast::config
