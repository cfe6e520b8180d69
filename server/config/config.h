// The configuration, resolved and checked: what the rest of the service reads. Plain structures
// without protobuf; produced from the YAML document by load.h.
#ifndef HANDFAST_SERVER_CONFIG_CONFIG_H_
#define HANDFAST_SERVER_CONFIG_CONFIG_H_

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tls/crypto/crl.h"
#include "tls/engine/profile.h"

namespace handfast::config {

// gRPC over mutual TLS; callers are known by the URI SAN of their certificate.
struct TcpListener {
  std::string host;  // an IP address, without brackets
  uint16_t port = 0;
  std::string certificate_file;
  std::string key_file;
  std::string client_ca_file;
};

// gRPC over a Unix socket; callers are known by the socket, and let in by uid.
struct UnixListener {
  std::string path;
  mode_t mode = 0600;  // or 0660
  std::vector<uid_t> allowed_uids;

  // The name under which its callers stand in `principals`.
  std::string principal() const { return "unix:" + path; }
};

struct Principal {
  std::string name;  // a SPIFFE ID, or UnixListener::principal()
  std::string tenant;
  bool caller = false;
  bool operator_role = false;
  bool release_keys = false;
};

// A TLS policy with what the service adds to it.
struct Profile {
  // certificate_authorities is left empty: it comes from the loaded bundle.
  tls::Profile tls;
  // The name of a TrustBundle; empty where client authentication is off.
  std::string trust_bundle;
  // The name of a TrustBundle; empty: no client role.
  std::string server_trust_bundle;
  // In the client role: a server without a stapled OCSP response is refused.
  bool require_ocsp_staple = false;
  // Whether record keys may be released, to a principal that may ask for them.
  bool release_keys = false;
  std::chrono::milliseconds handshake_deadline{10'000};
  // Its handshakes are kept in the store.
  bool durable = false;
};

struct TrustBundle {
  std::string name;
  std::string file;
  std::string crl_file;  // empty: no revocation lists
  tls::CrlCheck crl_check = tls::CrlCheck::kNone;
};

struct Admin {
  std::string host;
  uint16_t port = 0;
};

struct Custody {
  std::string database_file;
  std::string kek_file;
};

// Redis 7, for all replicas.
struct Redis {
  std::string unix_socket;  // empty: host and port
  std::string host;
  uint16_t port = 0;
  std::string key_file;
  std::string password_file;  // empty: none
  int database = 0;
  std::string space;
};

// Where durable handshakes are kept.
struct Store {
  std::optional<Redis> redis;  // nullopt: in memory
  size_t memory_bytes = 0;
};

struct Limits {
  int live_handshakes = 0;
  int live_handshakes_per_tenant = 0;
  // Handshakes that a tenant may begin a second, and in a burst; 0: no limit.
  int handshake_rate_per_tenant = 0;
  int handshake_burst_per_tenant = 0;
  // Worker threads of the general and of the RSA lane; resolved, never 0.
  int worker_threads = 0;
  int rsa_threads = 0;
  // gRPC connections at once, all listeners together.
  int connections = 0;
  // Finished handshakes that ConnectionService remembers.
  int established_connections = 0;
};

enum class LogLevel : uint8_t { kTrace, kDebug, kInfo, kWarning, kError };
enum class LogFormat : uint8_t { kAuto, kJson, kText };  // kAuto: text on a terminal

struct Log {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kAuto;
};

struct Config {
  std::vector<TcpListener> tcp_listeners;
  std::vector<UnixListener> unix_listeners;
  std::vector<Principal> principals;
  std::optional<Admin> admin;  // nullopt: switched off
  std::vector<TrustBundle> trust_bundles;
  // The built-in ones (modern, intermediate) among them; each name once.
  std::vector<Profile> profiles;
  std::string default_profile;  // one of them
  Custody custody;
  Store store;
  Limits limits;
  Log log;
  std::chrono::seconds drain{0};
  // Where other replicas send callers of our connections; empty: to the first listener.
  std::string advertised_address;

  // Null where there is no such profile. An empty name is the default profile.
  const Profile* FindProfile(std::string_view name) const;
};

}  // namespace handfast::config

#endif  // HANDFAST_SERVER_CONFIG_CONFIG_H_
