// Certificate revocation lists (RFC 5280 §5) as they are read; TrustBundle::Verify looks into them.
// Not here: where they come from, and when they are read anew.
#ifndef HANDFAST_TLS_CRYPTO_CRL_H_
#define HANDFAST_TLS_CRYPTO_CRL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "tls/base/result.h"
#include "tls/crypto/hash.h"

// libcrypto's STACK_OF(X509_CRL).
struct stack_st_X509_CRL;

namespace handfast::tls {

// Whose revocation is asked for.
enum class CrlCheck : uint8_t { kNone, kLeaf, kChain };

// Immutable; shared by threads. Whether a list is its issuer's own is found by Verify.
class CrlSet {
 public:
  // PEM with one or more lists. kCrlUnusable where one does not parse or says no nextUpdate, is
  // signed over a weak hash, or none is there.
  static Result<CrlSet> FromPem(std::string_view pem);
  CrlSet(CrlSet&&) noexcept;
  CrlSet& operator=(CrlSet&&) noexcept;
  ~CrlSet();

  size_t size() const;
  // SHA-256 over the lists, in the order in which they stand.
  const Digest& digest() const;
  // Of the list that ends first.
  int64_t next_update_unix_s() const;

  // For TrustBundle.
  stack_st_X509_CRL* lists() const;

 private:
  struct State;
  explicit CrlSet(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_CRL_H_
