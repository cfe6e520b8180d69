#include "server/config/defaults.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace handfast::config {
namespace {

// Keys may be released here, and it says so twice, as everywhere: the caller is a process of the
// same user, who could read the database and its key-encryption key as well.
constexpr char kEmbedded[] = R"(# handfastd without a configuration: one local caller.
listeners:
  - unix:
      path: "${STATE_DIR}/handfast.sock"
      mode: "0600"
      allowed_uids: [${UID}]
principals:
  - name: "unix:${STATE_DIR}/handfast.sock"
    tenant: default
    roles: [caller, operator]
    release_keys: true
profiles:
  - name: intermediate
    base: intermediate
    release_keys: true
  - name: modern
    base: modern
    release_keys: true
default_profile: intermediate
)";

// config.proto states each of these with its meaning.
constexpr char kAdminAddress[] = "127.0.0.1:9464";
constexpr uint32_t kDrainSeconds = 30;
constexpr uint32_t kLiveHandshakes = 20'000;
constexpr uint32_t kConnections = 1024;
constexpr uint32_t kStoreMib = 64;
constexpr uint32_t kEstablishedConnections = 100'000;
constexpr uint32_t kHandshakeDeadlineMs = 10'000;
constexpr uint32_t kSessionTickets = 2;
constexpr uint32_t kSessionLifetimeS = 13 * 3600;

void FillLimits(int processors, v1::LimitsConfig& limits) {
  if (!limits.has_live_handshakes()) limits.set_live_handshakes(kLiveHandshakes);
  if (!limits.has_live_handshakes_per_tenant()) {
    limits.set_live_handshakes_per_tenant(std::max(1U, limits.live_handshakes() / 2));
  }
  if (!limits.has_handshake_rate_per_tenant()) limits.set_handshake_rate_per_tenant(0);
  if (!limits.has_handshake_burst_per_tenant()) {
    limits.set_handshake_burst_per_tenant(limits.handshake_rate_per_tenant());
  }
  if (!limits.has_worker_threads()) {
    limits.set_worker_threads(static_cast<uint32_t>(std::clamp(processors, 1, 256)));
  }
  if (!limits.has_rsa_threads()) {
    limits.set_rsa_threads(std::max(1U, limits.worker_threads() / 2));
  }
  if (!limits.has_connections()) limits.set_connections(kConnections);
  if (!limits.has_established_connections()) {
    limits.set_established_connections(kEstablishedConnections);
  }
}

void FillStore(v1::StoreConfig& store) {
  if (!store.has_redis()) {
    if (!store.has_memory_mib()) store.set_memory_mib(kStoreMib);
    return;
  }
  v1::RedisConfig& redis = *store.mutable_redis();
  if (!redis.has_database()) redis.set_database(0);
  if (!redis.has_space()) redis.set_space("handfast");
}

void FillTrustBundle(v1::TrustBundleConfig& bundle) {
  if (bundle.has_crl_file() && !bundle.has_crl_check()) {
    bundle.set_crl_check(v1::CRL_CHECK_MODE_LEAF);
  }
}

void FillProfile(v1::ProfileConfig& profile) {
  if (!profile.has_client_auth()) profile.set_client_auth(v1::CLIENT_AUTH_MODE_NONE);
  if (!profile.has_release_keys()) profile.set_release_keys(false);
  if (!profile.has_durable()) profile.set_durable(false);
  if (!profile.has_session_tickets()) profile.set_session_tickets(kSessionTickets);
  if (!profile.has_session_lifetime_seconds()) {
    profile.set_session_lifetime_seconds(kSessionLifetimeS);
  }
  if (!profile.has_refuse_unknown_names()) profile.set_refuse_unknown_names(false);
  if (!profile.has_i_accept_static_rsa()) profile.set_i_accept_static_rsa(false);
  if (!profile.has_handshake_deadline_ms()) {
    profile.set_handshake_deadline_ms(kHandshakeDeadlineMs);
  }
}

void AddBuiltInProfile(const char* name, v1::ProfileBase base, v1::Config& config) {
  const auto& listed = config.profiles();
  if (std::any_of(listed.begin(), listed.end(),
                  [name](const v1::ProfileConfig& profile) { return profile.name() == name; })) {
    return;
  }
  v1::ProfileConfig& profile = *config.add_profiles();
  profile.set_name(name);
  profile.set_base(base);
}

}  // namespace

std::string EmbeddedDocument(const Surroundings& surroundings) {
  // Inside double quotes in YAML.
  const std::string folder =
      absl::StrReplaceAll(surroundings.state_folder, {{"\\", "\\\\"}, {"\"", "\\\""}});
  return absl::StrReplaceAll(
      kEmbedded, {{"${STATE_DIR}", folder}, {"${UID}", absl::StrCat(surroundings.uid)}});
}

void FillDefaults(const Surroundings& surroundings, v1::Config& config) {
  for (v1::ListenerConfig& listener : *config.mutable_listeners()) {
    if (!listener.has_unix()) continue;
    v1::UnixListenerConfig& socket = *listener.mutable_unix();
    if (!socket.has_mode()) socket.set_mode("0600");
    if (socket.allowed_uids().empty()) socket.add_allowed_uids(surroundings.uid);
  }
  for (v1::PrincipalConfig& principal : *config.mutable_principals()) {
    if (!principal.has_release_keys()) principal.set_release_keys(false);
  }
  if (!config.admin().has_address()) config.mutable_admin()->set_address(kAdminAddress);
  AddBuiltInProfile("intermediate", v1::PROFILE_BASE_INTERMEDIATE, config);
  AddBuiltInProfile("modern", v1::PROFILE_BASE_MODERN, config);
  for (v1::TrustBundleConfig& bundle : *config.mutable_trust_bundles()) FillTrustBundle(bundle);
  for (v1::ProfileConfig& profile : *config.mutable_profiles()) FillProfile(profile);
  if (!config.has_default_profile()) config.set_default_profile("intermediate");
  v1::CustodyConfig& custody = *config.mutable_custody();
  if (!custody.has_database_file()) {
    custody.set_database_file(absl::StrCat(surroundings.state_folder, "/custody.db"));
  }
  if (!custody.has_kek_file()) {
    custody.set_kek_file(absl::StrCat(surroundings.state_folder, "/custody.kek"));
  }
  FillStore(*config.mutable_store());
  FillLimits(surroundings.processors, *config.mutable_limits());
  v1::LogConfig& log = *config.mutable_log();
  if (!log.has_level()) log.set_level(v1::LOG_LEVEL_INFO);
  if (!log.has_format()) log.set_format(v1::LOG_FORMAT_AUTO);
  if (!config.has_drain_seconds()) config.set_drain_seconds(kDrainSeconds);
}

}  // namespace handfast::config
