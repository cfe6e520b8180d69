// Defaults, the embedded document, precedence, and the dump.
#include "server/config/load.h"

#include <gtest/gtest.h>

namespace handfast::config {
namespace {

LoadInput Input() {
  LoadInput input;
  input.state_folder = "/var/lib/handfast";
  input.uid = 1234;
  input.processors = 4;
  return input;
}

LoadInput WithDocument(const std::string& text) {
  LoadInput input = Input();
  input.document = text;
  input.document_name = "handfast.yaml";
  return input;
}

Loaded MustLoad(const LoadInput& input) {
  auto loaded = Load(input);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return loaded.ok() ? *std::move(loaded) : Loaded{};
}

constexpr char kSmall[] = R"(
listeners: [{unix: {path: /run/h.sock}}]
principals: [{name: "unix:/run/h.sock", tenant: shop, roles: [caller]}]
)";

TEST(Load, WithoutADocumentOneLocalCaller) {
  const Config config = MustLoad(Input()).config;
  ASSERT_EQ(config.unix_listeners.size(), 1U);
  EXPECT_EQ(config.unix_listeners[0].path, "/var/lib/handfast/handfast.sock");
  EXPECT_EQ(config.unix_listeners[0].mode, 0600U);
  EXPECT_EQ(config.unix_listeners[0].allowed_uids, std::vector<uid_t>{1234});
  EXPECT_TRUE(config.tcp_listeners.empty());
  ASSERT_EQ(config.principals.size(), 1U);
  EXPECT_EQ(config.principals[0].name, config.unix_listeners[0].principal());
  EXPECT_EQ(config.principals[0].tenant, "default");
  EXPECT_TRUE(config.principals[0].caller && config.principals[0].operator_role);
  EXPECT_TRUE(config.principals[0].release_keys);
  EXPECT_EQ(config.default_profile, "intermediate");
  EXPECT_TRUE(config.FindProfile("")->release_keys);
  EXPECT_TRUE(config.FindProfile("modern")->release_keys);
  EXPECT_EQ(config.custody.database_file, "/var/lib/handfast/custody.db");
  EXPECT_EQ(config.custody.kek_file, "/var/lib/handfast/custody.kek");
}

TEST(Load, TheReleaseOfKeysStandsVisiblyInTheDump) {
  const std::string dump = MustLoad(Input()).dump;
  EXPECT_NE(dump.find("release_keys: true"), std::string::npos) << dump;
}

TEST(Load, AnOddStateFolderIsQuoted) {
  LoadInput input = Input();
  input.state_folder = "/a \"b\" \\ #c: d";
  EXPECT_EQ(MustLoad(input).config.unix_listeners[0].path, "/a \"b\" \\ #c: d/handfast.sock");
}

TEST(Load, EveryDefault) {
  const Config config = MustLoad(WithDocument(kSmall)).config;
  EXPECT_EQ(config.unix_listeners[0].mode, 0600U);
  EXPECT_EQ(config.unix_listeners[0].allowed_uids, std::vector<uid_t>{1234});
  EXPECT_FALSE(config.principals[0].release_keys);
  EXPECT_FALSE(config.principals[0].operator_role);
  ASSERT_TRUE(config.admin.has_value());
  EXPECT_EQ(config.admin->host, "127.0.0.1");
  EXPECT_EQ(config.admin->port, 9464);
  EXPECT_TRUE(config.trust_bundles.empty());
  ASSERT_EQ(config.profiles.size(), 2U);
  for (const Profile& profile : config.profiles) {
    EXPECT_FALSE(profile.release_keys) << "never by default";
    EXPECT_EQ(profile.tls.client_auth, tls::ClientAuth::kNone);
    EXPECT_FALSE(profile.tls.refuse_unknown_names);
    EXPECT_EQ(profile.handshake_deadline.count(), 10'000);
    EXPECT_EQ(profile.trust_bundle, "");
    EXPECT_EQ(profile.server_trust_bundle, "");
    EXPECT_FALSE(profile.require_ocsp_staple);
  }
  EXPECT_EQ(config.default_profile, "intermediate");
  EXPECT_EQ(config.limits.live_handshakes, 20'000);
  EXPECT_EQ(config.limits.live_handshakes_per_tenant, 10'000);
  EXPECT_EQ(config.limits.handshake_rate_per_tenant, 0);
  EXPECT_EQ(config.limits.handshake_burst_per_tenant, 0);
  EXPECT_EQ(config.limits.worker_threads, 4);
  EXPECT_EQ(config.limits.rsa_threads, 2);
  EXPECT_EQ(config.limits.connections, 1024);
  EXPECT_EQ(config.limits.established_connections, 100'000);
  EXPECT_EQ(config.log.level, LogLevel::kInfo);
  EXPECT_EQ(config.log.format, LogFormat::kAuto);
  EXPECT_EQ(config.drain.count(), 30);
}

TEST(Load, BuiltInProfilesAreTheEngines) {
  const Config config = MustLoad(WithDocument(kSmall)).config;
  tls::Profile modern = tls::ModernProfile();
  modern.name = "modern";
  EXPECT_EQ(tls::ToText(config.FindProfile("modern")->tls), tls::ToText(modern));
  tls::Profile intermediate = tls::IntermediateProfile();
  intermediate.name = "intermediate";
  EXPECT_EQ(tls::ToText(config.FindProfile("")->tls), tls::ToText(intermediate));
  EXPECT_EQ(config.FindProfile("other"), nullptr);
}

TEST(Load, LegacyHasStaticRsaWhereItIsAccepted) {
  const Config config = MustLoad(WithDocument(std::string(kSmall) + R"(
profiles:
  - name: legacy
    base: legacy
  - name: legacy-rsa
    base: legacy
    i_accept_static_rsa: true
  - name: one
    base: legacy
    versions: [TLSv1.2]
    cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA, TLS_DHE_RSA_WITH_AES_128_GCM_SHA256]
    groups: [ffdhe3072]
    i_accept_static_rsa: true
)"))
                            .config;
  const tls::Profile all = tls::LegacyProfile();
  const tls::Profile& without = config.FindProfile("legacy")->tls;
  EXPECT_EQ(without.cipher_suites.size() + 6, all.cipher_suites.size());
  EXPECT_EQ(without.groups, all.groups);
  EXPECT_FALSE(without.require_extended_master_secret);
  EXPECT_EQ(config.FindProfile("legacy-rsa")->tls.cipher_suites, all.cipher_suites);
  const tls::Profile& one = config.FindProfile("one")->tls;
  EXPECT_EQ(one.cipher_suites, (std::vector{tls::CipherSuite::kRsaAes128CbcSha,
                                            tls::CipherSuite::kDheRsaAes128GcmSha256}));
  EXPECT_EQ(one.groups, std::vector{tls::NamedGroup::kFfdhe3072});
}

TEST(Load, NarrowsAProfileInTheGivenOrder) {
  const Config config = MustLoad(WithDocument(std::string(kSmall) + R"(
trust_bundles: [{name: clients, file: roots.pem}]
profiles:
  - name: strict
    base: intermediate
    versions: [TLSv1.3]
    cipher_suites: [TLS_CHACHA20_POLY1305_SHA256, TLS_AES_128_GCM_SHA256]
    groups: [secp256r1]
    client_auth: required
    trust_bundle: clients
    refuse_unknown_names: true
    release_keys: true
    handshake_deadline_ms: 2500
    session_tickets: 4
    session_lifetime_seconds: 600
default_profile: strict
)"))
                            .config;
  const Profile& strict = *config.FindProfile("");
  EXPECT_EQ(strict.tls.session_tickets, 4);
  EXPECT_EQ(strict.tls.session_lifetime_s, 600u);
  EXPECT_EQ(strict.tls.name, "strict");
  EXPECT_EQ(strict.tls.versions, std::vector{tls::ProtocolVersion::kTls13});
  EXPECT_EQ(strict.tls.cipher_suites, (std::vector{tls::CipherSuite::kTlsChaCha20Poly1305Sha256,
                                                   tls::CipherSuite::kTlsAes128GcmSha256}));
  EXPECT_EQ(strict.tls.groups, std::vector{tls::NamedGroup::kSecp256r1});
  EXPECT_EQ(strict.tls.client_auth, tls::ClientAuth::kRequired);
  EXPECT_EQ(strict.trust_bundle, "clients");
  EXPECT_TRUE(strict.tls.refuse_unknown_names);
  EXPECT_TRUE(strict.release_keys);
  EXPECT_EQ(strict.handshake_deadline.count(), 2500);
  EXPECT_EQ(config.profiles.size(), 3U) << "the built-in ones stay";
}

TEST(Load, TrustsServersWithoutAskingClients) {
  const Config config = MustLoad(WithDocument(std::string(kSmall) + R"(
trust_bundles: [{name: servers, file: roots.pem}]
profiles:
  - {name: outbound, base: intermediate, server_trust_bundle: servers}
  - {name: stapled, base: modern, server_trust_bundle: servers, require_ocsp_staple: true}
)"))
                            .config;
  EXPECT_TRUE(config.FindProfile("stapled")->require_ocsp_staple);
  EXPECT_FALSE(config.FindProfile("outbound")->require_ocsp_staple);
  const Profile& outbound = *config.FindProfile("outbound");
  EXPECT_EQ(outbound.server_trust_bundle, "servers");
  EXPECT_EQ(outbound.trust_bundle, "");
  EXPECT_EQ(outbound.tls.client_auth, tls::ClientAuth::kNone);
}

TEST(Load, ReadsWhatRevocationIsAskedFor) {
  const Config config = MustLoad(WithDocument(std::string(kSmall) + R"(
trust_bundles:
  - {name: none, file: roots.pem}
  - {name: leaf, file: roots.pem, crl_file: crls.pem}
  - {name: chain, file: roots.pem, crl_file: crls.pem, crl_check: chain}
)"))
                            .config;
  ASSERT_EQ(config.trust_bundles.size(), 3U);
  EXPECT_EQ(config.trust_bundles[0].crl_check, tls::CrlCheck::kNone);
  EXPECT_EQ(config.trust_bundles[1].crl_check, tls::CrlCheck::kLeaf);
  EXPECT_EQ(config.trust_bundles[1].crl_file, "crls.pem");
  EXPECT_EQ(config.trust_bundles[2].crl_check, tls::CrlCheck::kChain);
}

TEST(Load, ReadsATcpListener) {
  const Config config = MustLoad(WithDocument(R"(
listeners:
  - tcp: {address: "[2001:db8::1]:8443", certificate_file: c, key_file: k, client_ca_file: r}
principals:
  - {name: "spiffe://example.org/edge", tenant: shop, roles: [caller], release_keys: true}
admin: {address: "off"}
)"))
                            .config;
  ASSERT_EQ(config.tcp_listeners.size(), 1U);
  EXPECT_EQ(config.tcp_listeners[0].host, "2001:db8::1");
  EXPECT_EQ(config.tcp_listeners[0].port, 8443);
  EXPECT_EQ(config.tcp_listeners[0].client_ca_file, "r");
  EXPECT_TRUE(config.principals[0].release_keys);
  EXPECT_FALSE(config.admin.has_value());
}

TEST(Load, FlagBeforeEnvironmentBeforeDocumentBeforeDefault) {
  LoadInput input = WithDocument(kSmall);
  EXPECT_EQ(MustLoad(input).config.log.level, LogLevel::kInfo);
  input.document = std::string(kSmall) + "log: {level: warning}\n";
  EXPECT_EQ(MustLoad(input).config.log.level, LogLevel::kWarning);
  input.environment["HANDFAST_LOG_LEVEL"] = "debug";
  EXPECT_EQ(MustLoad(input).config.log.level, LogLevel::kDebug);
  input.flags["log.level"] = "trace";
  EXPECT_EQ(MustLoad(input).config.log.level, LogLevel::kTrace);
}

constexpr char kRedis[] = "store: {redis: {address: 'unix:/run/redis.sock', key_file: /s}}\n";

TEST(Load, EverySettingCanBeOverridden) {
  const std::map<std::string, std::string> values = {
      {"default_profile", "modern"},
      {"drain_seconds", "5"},
      {"advertised_address", "replica-0:1"},
      {"admin.address", "127.0.0.1:1"},
      {"log.level", "error"},
      {"log.format", "text"},
      {"custody.database_file", "/d"},
      {"custody.kek_file", "/k"},
      {"store.redis.address", "redis:1"},
      {"store.redis.key_file", "/r"},
      {"store.redis.password_file", "/p"},
      {"store.redis.space", "other"},
  };
  size_t seen = 0;
  for (const Setting& setting : Settings()) {
    const auto given = values.find(setting.path);
    const std::string value = given == values.end() ? "3" : given->second;
    seen += given != values.end();
    LoadInput input = WithDocument(std::string(kSmall) +
                                   "limits: {live_handshakes: 9, live_handshakes_per_tenant: 3,"
                                   " handshake_rate_per_tenant: 3}\n" +
                                   (setting.path.starts_with("store.redis.") ? kRedis : ""));
    input.environment[setting.environment] = value;
    const std::string by_environment = MustLoad(input).dump;
    input.environment.clear();
    const std::string without = MustLoad(input).dump;
    input.flags[setting.path] = value;
    EXPECT_EQ(MustLoad(input).dump, by_environment) << setting.path;
    if (setting.path.find("per_tenant") == std::string::npos) {
      EXPECT_NE(by_environment, without) << setting.path;
    }
  }
  EXPECT_EQ(seen, values.size());
}

TEST(Load, VariablesThatNameNoSettingArePassedOver) {
  LoadInput input = WithDocument(kSmall);
  input.environment = {{"HANDFAST_PORT", "tcp://10.0.0.1:8443"}, {"HANDFAST_STATE_DIR", "/x"}};
  EXPECT_TRUE(Load(input).ok());
}

TEST(Load, OverridesNameThemselvesInMistakes) {
  LoadInput input = WithDocument(kSmall);
  input.environment["HANDFAST_DRAIN_SECONDS"] = "soon";
  EXPECT_NE(Load(input).status().message().find("environment variable HANDFAST_DRAIN_SECONDS: "
                                                "`drain_seconds` must be a whole number"),
            std::string::npos);
  input.environment = {};
  input.flags["log.lvl"] = "x";
  EXPECT_NE(Load(input).status().message().find(
                "flag --set log.lvl: there is no such setting; did you mean `log.level`?"),
            std::string::npos);
  input.flags = {{"limits.connections", "0"}};
  EXPECT_NE(Load(input).status().message().find(
                "flag --set limits.connections: `limits.connections` must be from 1"),
            std::string::npos);
}

TEST(Load, TheDumpIsADocumentOfTheSameMeaning) {
  for (const LoadInput& input : {Input(), WithDocument(kSmall)}) {
    const Loaded first = MustLoad(input);
    const Loaded second = MustLoad(WithDocument(first.dump));
    EXPECT_EQ(first.dump, second.dump);
  }
}

TEST(Load, AsksForFilesWhereItCan) {
  LoadInput input =
      WithDocument(std::string(kSmall) + "trust_bundles:\n  - name: a\n    file: roots.pem\n");
  std::vector<std::string> asked;
  input.check_file = [&](const NamedFile& file) {
    asked.push_back(file.path);
    return absl::NotFoundError("cannot be read: No such file or directory");
  };
  EXPECT_EQ(Load(input).status().message(),
            "handfast.yaml:6: `trust_bundles[0].file` `roots.pem`: cannot be read: No such file or "
            "directory");
  EXPECT_EQ(asked, std::vector<std::string>{"roots.pem"});
}

}  // namespace
}  // namespace handfast::config
