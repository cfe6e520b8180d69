// Every mistake that a document can hold, with the line and the words that it gets.
#include <algorithm>

#include "absl/strings/str_replace.h"
#include <gtest/gtest.h>

#include "server/config/load.h"

namespace handfast::config {
namespace {

struct Case {
  const char* what;
  // Replaces the line of the good document that begins with `before`...
  const char* before;
  const char* line;
  // ... and this is found, at that line.
  const char* words;
};

constexpr char kGood[] = R"(listeners:
  - unix:
      path: /run/h.sock
      mode: "0600"
      allowed_uids: [1000]
  - tcp:
      address: 127.0.0.1:8443
      certificate_file: c.pem
      key_file: k.pem
      client_ca_file: r.pem
principals:
  - name: unix:/run/h.sock
    tenant: shop
    roles: [caller, operator]
  - name: spiffe://example.org/edge
    tenant: bank
    roles: [caller]
    release_keys: true
admin:
  address: 127.0.0.1:9464
trust_bundles:
  - name: clients
    file: roots.pem
    crl_file: crls.pem
    crl_check: chain
profiles:
  - name: mine
    base: intermediate
    versions: [TLSv1.3, TLSv1.2]
    groups: [x25519]
    client_auth: optional
    trust_bundle: clients
    server_trust_bundle: clients
    handshake_deadline_ms: 5000
default_profile: mine
limits:
  live_handshakes: 100
  live_handshakes_per_tenant: 50
  worker_threads: 2
log:
  level: info
drain_seconds: 10
store:
  redis:
    address: unix:/run/redis.sock
    key_file: store.key
    password_file: redis.password
    database: 1
    space: mine
)";

absl::Status LoadText(const std::string& text) {
  LoadInput input;
  input.document = text;
  input.document_name = "handfast.yaml";
  input.state_folder = "/s";
  input.check_file = [](const NamedFile& file) {
    return file.path == "missing.pem" ? absl::NotFoundError("cannot be read") : absl::OkStatus();
  };
  return Load(input).status();
}

const Case kCases[] = {
    // Structure.
    {"unknown section", "drain_seconds", "drain_secs: 10",
     "unknown key `drain_secs`; did you mean `drain_seconds`?"},
    {"unknown key", "      address: 127.0.0.1:8443", "      adress: 127.0.0.1:8443",
     "unknown key `adress` in `listeners[1].tcp`; did you mean `address`?"},
    {"unknown key, far from all", "  level", "  colour: red",
     "unknown key `colour` in `log`; known are level, format"},
    {"key twice", "drain_seconds", "default_profile: mine", "stands here a second time"},
    {"list for a value", "drain_seconds", "drain_seconds: [1]", "must be a single value"},
    {"value for a list", "    groups", "    groups: x25519", "must be a list"},
    {"value for a mapping", "  address: 127.0.0.1:9464", "  address: {host: a}",
     "must be a single value"},
    {"empty mapping", "  address: 127.0.0.1:9464", "  # nothing", "`admin` must be a mapping"},
    {"number in words", "  worker_threads", "  worker_threads: two", "must be a whole number"},
    {"negative number", "  worker_threads", "  worker_threads: -1", "must be a whole number"},
    {"fraction", "  worker_threads", "  worker_threads: 1.5", "must be a whole number"},
    {"octal look", "  worker_threads", "  worker_threads: 010", "must be a whole number"},
    {"beyond 32 bits", "  worker_threads", "  worker_threads: 4294967296",
     "must be a whole number"},
    {"number in quotes", "  worker_threads", "  worker_threads: \"2\"",
     "must stand without quotes"},
    {"yes for true", "    release_keys", "    release_keys: yes", "must be true or false"},
    {"unknown role", "    roles: [caller]", "    roles: [calller]",
     "does not know `calller`; did you mean `caller`?"},
    {"unknown level", "  level", "  level: verbose",
     "does not know `verbose`; known are trace, debug, info, warning, error"},
    {"unspecified by name", "  level", "  level: unspecified", "does not know `unspecified`"},
    {"a key pasted", "      key_file", "      key_file: \"-----BEGIN PRIVATE KEY-----\"",
     "holds a PEM block: name its file instead"},
    {"both transports", "      client_ca_file", "      client_ca_file: r\n    unix: {path: /x}",
     "exclude each other"},
    // Listeners.
    {"host name", "      address: 127.0.0.1:8443", "      address: localhost:8443",
     "must be an IP address and a port"},
    {"no port", "      address: 127.0.0.1:8443", "      address: 127.0.0.1",
     "must be an IP address and a port"},
    {"port too large", "      address: 127.0.0.1:8443", "      address: 127.0.0.1:65536",
     "must be an IP address and a port"},
    {"missing file", "      certificate_file", "      certificate_file: missing.pem",
     "`missing.pem`: cannot be read"},
    {"empty file name", "      certificate_file", "      certificate_file: \"\"", "is required"},
    {"relative socket", "      path", "      path: run/h.sock", "must be an absolute path"},
    {"bad mode", "      mode", "      mode: \"0666\"", "must be \"0600\" or \"0660\""},
    // Principals.
    {"duplicate principal", "  - name: spiffe", "  - name: unix:/run/h.sock", "a second time"},
    {"socket that is none", "  - name: spiffe", "  - name: unix:/run/g.sock",
     "names a socket that is no listener; did you mean `unix:/run/h.sock`?"},
    {"no SPIFFE ID", "  - name: spiffe", "  - name: https://example.org/edge",
     "must be a SPIFFE ID"},
    {"SPIFFE ID with a percent", "  - name: spiffe", "  - name: spiffe://example.org/%65dge",
     "must be a SPIFFE ID"},
    {"SPIFFE ID in capitals", "  - name: spiffe", "  - name: spiffe://Example.org/edge",
     "must be a SPIFFE ID"},
    {"bad tenant", "    tenant: bank", "    tenant: Bank", "beginning with a letter"},
    {"no role", "    roles: [caller]", "    roles: []", "must name at least one of"},
    {"role twice", "    roles: [caller]", "    roles: [caller, caller]", "names a role twice"},
    {"release without caller", "    roles: [caller]", "    roles: [operator]",
     "is of no use without the role caller"},
    // Admin, bundles, profiles.
    {"bad admin address", "  address: 127.0.0.1:9464", "  address: :9464", "or off, and is"},
    {"missing bundle", "    file", "    file: missing.pem", "cannot be read"},
    {"missing revocation lists", "    crl_file", "    crl_file: missing.pem", "cannot be read"},
    {"empty name of lists", "    crl_file", "    crl_file: \"\"", "is required"},
    {"check without lists", "    crl_file", "    # none", "is of no use without crl_file"},
    {"unknown check", "    crl_check", "    crl_check: all", "known are leaf, chain"},
    {"bad bundle name", "  - name: clients", "  - name: Clients", "beginning with a letter"},
    {"unknown bundle", "    trust_bundle", "    trust_bundle: client",
     "names no trust bundle: `client`; did you mean `clients`?"},
    {"unknown base", "    base", "    base: modrn", "did you mean `modern`?"},
    {"static RSA that is not accepted", "    base",
     "    base: legacy\n    cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_CBC_SHA]",
     "is static RSA, which needs i_accept_static_rsa: true"},
    {"static RSA that is not there", "    base",
     "    base: intermediate\n    i_accept_static_rsa: true", "is of no use without such a suite"},
    {"CBC beyond the base", "    base",
     "    base: intermediate\n    cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]",
     "which the base does not have"},
    {"version beyond the base", "    versions", "    versions: [TLSv1.1]",
     "which the base does not have"},
    {"version twice", "    versions", "    versions: [TLSv1.3, TLSv1.3]", "a second time"},
    {"unknown group", "    groups", "    groups: [x25518]", "did you mean `x25519`?"},
    {"suites for one version only", "    groups", "    cipher_suites: [TLS_AES_128_GCM_SHA256]",
     "has none for TLSv1.2, which the profile speaks"},
    {"hybrids alone, for TLS 1.2, too", "    groups", "    groups: [X25519MLKEM768]",
     "has none for TLSv1.2 that the running libcrypto offers"},
    {"bundle without client_auth", "    client_auth", "    client_auth: none",
     "is of no use without client_auth"},
    {"client_auth without bundle", "    trust_bundle", "    release_keys: false",
     "needs a trust_bundle"},
    {"unknown bundle for servers", "    server_trust_bundle", "    server_trust_bundle: client",
     "names no trust bundle: `client`; did you mean `clients`?"},
    {"empty bundle for servers", "    server_trust_bundle", "    server_trust_bundle: \"\"",
     "names no trust bundle: ``"},
    {"a staple demanded of no server", "    server_trust_bundle", "    require_ocsp_staple: true",
     "is of no use without server_trust_bundle"},
    {"deadline too short", "    handshake_deadline_ms", "    handshake_deadline_ms: 99",
     "must be from 100 to 120000, and is 99"},
    {"too many tickets", "    handshake_deadline_ms", "    session_tickets: 9",
     "must be from 0 to 8, and is 9"},
    {"sessions too long", "    handshake_deadline_ms", "    session_lifetime_seconds: 46801",
     "must be from 60 to 46800, and is 46801"},
    {"sessions too short", "    handshake_deadline_ms", "    session_lifetime_seconds: 0",
     "must be from 60 to 46800, and is 0"},
    {"built-in name, other base", "  - name: mine", "  - name: modern",
     "must be modern in the profile modern"},
    {"unknown default profile", "default_profile", "default_profile: mien",
     "names no profile: `mien`; did you mean `mine`?"},
    // Limits and the rest.
    {"no live handshakes", "  live_handshakes: 100", "  live_handshakes: 0", "must be from 1"},
    {"tenant over total", "  live_handshakes_per_tenant", "  live_handshakes_per_tenant: 101",
     "must be from 1 to 100, and is 101"},
    {"burst without rate", "  worker_threads", "  handshake_burst_per_tenant: 5",
     "must be from 0 to 0"},
    {"no advertised address", "drain_seconds", "advertised_address: ''",
     "must have 1 to 255 printable characters of ASCII"},
    {"advertised address with a space", "drain_seconds", "advertised_address: 'a b:1'",
     "must have 1 to 255 printable characters of ASCII"},
    {"drain too long", "drain_seconds", "drain_seconds: 3601", "must be from 0 to 3600"},
    // The store.
    {"relative socket of Redis", "    address: unix", "    address: unix:run/redis.sock",
     "`store.redis.address` must name an absolute path behind unix:"},
    {"Redis without a port", "    address: unix", "    address: redis",
     "must be unix:/path or a host and a port (127.0.0.1:6379), and is `redis`"},
    {"Redis at port 0", "    address: unix", "    address: redis:0",
     "must be unix:/path or a host"},
    {"Redis by its URL", "    address: unix", "    address: redis://redis:6379",
     "must be unix:/path or a host"},
    {"missing key of the store", "    key_file", "    key_file: missing.pem",
     "`store.redis.key_file` `missing.pem`: cannot be read"},
    {"missing password of Redis", "    password_file", "    password_file: missing.pem",
     "`store.redis.password_file` `missing.pem`: cannot be read"},
    {"empty name of a password", "    password_file", "    password_file: \"\"", "is required"},
    {"database beyond Redis's", "    database", "    database: 1024",
     "must be from 0 to 1023, and is 1024"},
    {"bad space", "    space", "    space: Mine", "beginning with a letter"},
    {"misspelt space", "    space", "    spaces: mine", "did you mean `space`?"},
    {"memory beside Redis", "    space", "    space: mine\n  memory_mib: 64",
     "`store.memory_mib` is of no use with redis"},
};

// The document with one line changed, and that line's number.
std::pair<std::string, int> Change(const Case& mistake) {
  std::string text = kGood;
  const size_t at = ("\n" + text).find("\n" + std::string(mistake.before));
  EXPECT_NE(at, std::string::npos) << mistake.what;
  const int line = static_cast<int>(std::count(text.data(), text.data() + at, '\n')) + 1;
  text.replace(at, text.find('\n', at) - at, mistake.line);
  return {text, line};
}

TEST(MistakesTable, TheGoodDocumentIsGood) { EXPECT_TRUE(LoadText(kGood).ok()) << LoadText(kGood); }

TEST(MistakesTable, EachIsFoundAtItsLine) {
  for (const Case& mistake : kCases) {
    const auto [text, line] = Change(mistake);
    const absl::Status status = LoadText(text);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << mistake.what;
    const std::string message(status.message());
    EXPECT_NE(message.find(mistake.words), std::string::npos) << mistake.what << ": " << message;
    // The mistake may show at a line near the change: what refers to it is below or above.
    const std::string place = "handfast.yaml:" + std::to_string(line) + ": ";
    const std::string next = "handfast.yaml:" + std::to_string(line + 1) + ": ";
    const std::string previous = "handfast.yaml:" + std::to_string(line - 1) + ": ";
    EXPECT_TRUE(message.find(place) != std::string::npos ||
                message.find(next) != std::string::npos ||
                message.find(previous) != std::string::npos)
        << mistake.what << ": " << message;
    EXPECT_EQ(message.find("PRIVATE KEY"), std::string::npos);
  }
}

TEST(MistakesTable, AllAreToldInOrder) {
  const std::string text = absl::StrReplaceAll(
      kGood, {{"tenant: shop", "tenant: Shop"}, {"drain_seconds: 10", "drain_seconds: 9999"}});
  const std::string message(LoadText(text).message());
  const size_t first = message.find("handfast.yaml:13: `principals[0].tenant`");
  const size_t second = message.find("handfast.yaml:42: `drain_seconds`");
  EXPECT_NE(first, std::string::npos) << message;
  EXPECT_NE(second, std::string::npos) << message;
  EXPECT_LT(first, second);
}

TEST(MistakesTable, AFloodIsCut) {
  std::string text = kGood;
  for (int i = 0; i < 100; ++i) text += "unknown" + std::to_string(i) + ": 1\n";
  const std::string message(LoadText(text).message());
  EXPECT_NE(message.find("and 80 more"), std::string::npos);
}

TEST(MistakesTable, NobodyCouldCall) {
  EXPECT_NE(LoadText("log: {level: info}").message().find("`listeners` must have at least one"),
            std::string::npos);
  EXPECT_NE(LoadText("listeners: [{}]").message().find("must have `tcp` or `unix`"),
            std::string::npos);
  EXPECT_NE(LoadText("listeners: [{unix: {path: /a}}]")
                .message()
                .find("has no principal: nobody could call (name it `unix:/a`)"),
            std::string::npos);
  const std::string long_path(107, 'a');
  EXPECT_NE(LoadText("listeners: [{unix: {path: /" + long_path + "}}]")
                .message()
                .find("must be at most 107 bytes long, and has 108"),
            std::string::npos);
}

TEST(MistakesTable, ARedisHasAnAddressAndAKey) {
  const std::string message(LoadText("store:\n  redis:\n    space: a").message());
  for (const char* const words : {"handfast.yaml:2: `store.redis.address` must be unix:/path or",
                                  "handfast.yaml:2: `store.redis.key_file` is required"}) {
    EXPECT_NE(message.find(words), std::string::npos) << message;
  }
}

TEST(MistakesTable, AStoreInMemoryHasASize) {
  for (const char* const size : {"0", "65537"}) {
    EXPECT_NE(LoadText("store: {memory_mib: " + std::string(size) + "}")
                  .message()
                  .find("must be from 1 to 65536"),
              std::string::npos)
        << size;
  }
}

TEST(MistakesTable, DuplicatesOfEachKind) {
  const auto message = [](const std::string& text) {
    return static_cast<std::string>(LoadText(text).message());
  };
  EXPECT_NE(message("listeners: [{unix: {path: /a}}, {unix: {path: /a}}]").find("a second time"),
            std::string::npos);
  EXPECT_NE(message("profiles: [{name: a, base: modern}, {name: a, base: modern}]")
                .find("is `a` a second time"),
            std::string::npos);
  EXPECT_NE(message("trust_bundles: [{name: a, file: x}, {name: a, file: x}]")
                .find("is `a` a second time"),
            std::string::npos);
  EXPECT_NE(message("custody: {database_file: /a, kek_file: /a}").find("another file"),
            std::string::npos);
}

}  // namespace
}  // namespace handfast::config
