// The active credentials as handshakes read them: immutable, found by name without a search, with
// their private keys ready to sign. A change makes a new index of its tenant and shares the others.
#ifndef HANDFAST_SERVER_CUSTODY_INDEX_H_
#define HANDFAST_SERVER_CUSTODY_INDEX_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tls/crypto/sign.h"
#include "tls/engine/question.h"

namespace handfast::custody {

// A hash table by text that is searched by any view of it.
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <class T>
using TextMap = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

struct ActiveCredential {
  std::shared_ptr<const tls::Credential> credential;
  std::shared_ptr<const tls::PrivateKey> key;
  std::string key_id;
  std::vector<std::string> dns_names;
  bool is_default = false;
  int64_t activation = 0;
  int64_t not_after_unix_s = 0;
  // Whether the leaf may prove a client, and the issuers along the chain, DER.
  bool for_clients = false;
  std::vector<std::string> issuers = {};
  // Where `credential` has an OCSP response: until when it is shown, and what is presented then.
  int64_t ocsp_next_update_unix_s = 0;
  std::shared_ptr<const tls::Credential> unstapled = nullptr;
};

// Of one tenant.
class TenantIndex {
 public:
  explicit TenantIndex(std::vector<ActiveCredential> credentials);

  // Null: none of that resource name.
  const ActiveCredential* Find(std::string_view credential) const;
  // Null: no active credential is of this key.
  std::shared_ptr<const tls::PrivateKey> FindKey(std::string_view key_id) const;
  // As CredentialsInterface::Choose, but for the question's id.
  tls::Chosen Choose(const tls::Choose& question, std::string_view pinned, bool refuse_unknown,
                     int64_t now_unix_s) const;
  const std::vector<ActiveCredential>& credentials() const { return credentials_; }

 private:
  // Indices into credentials_, the latest activation first.
  using Candidates = std::vector<size_t>;

  const Candidates& Exact(std::string_view name) const;
  const Candidates& Wildcard(std::string_view name) const;
  tls::Chosen ChooseAsClient(const tls::Choose& question, std::string_view pinned,
                             int64_t now_unix_s) const;
  // Whom the authorities issued, each list once; all clients where none is named.
  std::vector<const Candidates*> ClientsOf(const std::vector<tls::Bytes>& authorities) const;
  // What Best looks for.
  struct Wanted {
    const tls::Choose& question;
    int64_t now_unix_s;
    bool expired;     // among those that have expired, or among the others
    bool acceptable;  // among those whose chain the peer takes, or among the others
  };
  // The first that can sign with the best of the schemes; null: none can.
  const ActiveCredential* Best(const Candidates& candidates, const Wanted& wanted) const;

  std::vector<ActiveCredential> credentials_;
  TextMap<size_t> by_resource_name_;
  TextMap<size_t> by_key_id_;
  TextMap<Candidates> by_name_;
  TextMap<Candidates> by_parent_;  // "*.example.com" under "example.com"
  Candidates defaults_;
  Candidates clients_;
  TextMap<Candidates> clients_by_issuer_;
};

using Index = TextMap<std::shared_ptr<const TenantIndex>>;

}  // namespace handfast::custody

#endif  // HANDFAST_SERVER_CUSTODY_INDEX_H_
