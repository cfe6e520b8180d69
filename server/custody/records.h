// What custody takes and gives: the KeyService's requests and resources as plain structures. The
// rules on each field (lengths, alphabets) are those of keys.proto; custody checks them. No
// structure here holds a private key but ImportKeyRequest, which only refers to its caller's bytes.
#ifndef HANDFAST_SERVER_CUSTODY_RECORDS_H_
#define HANDFAST_SERVER_CUSTODY_RECORDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/crypto/sign.h"

namespace handfast::custody {

struct Key {
  std::string name;  // tenants/{t}/keys/{k}
  tls::KeyType type{};
  tls::Bytes public_key_der;  // SubjectPublicKeyInfo
  int64_t create_time_unix_s = 0;
  bool imported = false;
};

enum class CredentialState : uint8_t { kPending = 1, kActive = 2 };

struct Credential {
  std::string name;  // tenants/{t}/credentials/{c}
  std::string key;   // tenants/{t}/keys/{k}
  CredentialState state = CredentialState::kPending;
  std::string certificate_chain_pem;   // leaf first; empty while there is none
  std::vector<std::string> dns_names;  // the leaf's, else those asked for
  bool is_default = false;
  std::string certificate_request_pem;  // empty for an imported credential
  int64_t not_after_unix_s = 0;         // 0 while there is no chain
  int64_t create_time_unix_s = 0;
  int64_t ocsp_next_update_unix_s = 0;  // until when a response is stapled; 0: there is none
};

struct CreateKeyRequest {
  std::string tenant;
  std::string key_id;  // empty: custody chooses
  tls::KeyType type{};
  std::string request_id;  // empty: not idempotent
};

struct ImportKeyRequest {
  std::string tenant;
  std::string key_id;
  std::string_view private_key_pem;  // SECRET; the caller wipes it
  std::string certificate_chain_pem;
  bool default_credential = false;
  std::string request_id;
};

struct ImportedKey {
  Key key;
  std::optional<Credential> credential;
};

struct CreateCredentialRequest {
  std::string tenant;
  std::string credential_id;
  std::string key;  // tenants/{t}/keys/{k}
  std::vector<std::string> dns_names;
  bool default_credential = false;
  std::string request_id;
};

struct Page {
  uint32_t size = 0;  // 0: 100; at most 1000
  std::string token;
};

struct KeyPage {
  std::vector<Key> keys;
  std::string next_page_token;
};

struct CredentialPage {
  std::vector<Credential> credentials;
  std::string next_page_token;
};

// A certificate in use, for the metrics of expiry.
struct ServedCertificate {
  std::string credential;  // resource name; never a metric label
  int64_t not_after_unix_s = 0;
};

}  // namespace handfast::custody

#endif  // HANDFAST_SERVER_CUSTODY_RECORDS_H_
