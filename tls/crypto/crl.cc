#include "tls/crypto/crl.h"

#include <algorithm>
#include <ctime>
#include <limits>
#include <optional>
#include <vector>

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "tls/base/bytes.h"
#include "tls/crypto/libcrypto.h"
#include "tls/crypto/pem.h"

namespace handfast::tls {
namespace {

using Crl = Owned<X509_CRL, X509_CRL_free>;
struct FreeStack {
  void operator()(STACK_OF(X509_CRL) * stack) const { sk_X509_CRL_pop_free(stack, X509_CRL_free); }
};

// As security level 2 for certificates, which libcrypto does not apply to lists: 112 bits of
// strength against collisions.
constexpr int kMinDigestSize = 28;

bool IsStrong(const X509_CRL* crl) {
  int digest = NID_undef;
  if (OBJ_find_sigid_algs(X509_CRL_get_signature_nid(crl), &digest, nullptr) != 1) return false;
  // Ed25519 and RSA-PSS name theirs elsewhere, and have no weak one.
  if (digest == NID_undef) return true;
  const EVP_MD* md = EVP_get_digestbynid(digest);
  return md != nullptr && EVP_MD_get_size(md) >= kMinDigestSize;
}

// Nullopt where it names none.
std::optional<int64_t> NextUpdate(const X509_CRL* crl) {
  struct tm parts {};
  const ASN1_TIME* time = X509_CRL_get0_nextUpdate(crl);
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return timegm(&parts);
}

// A look-up sorts the entries; done once here, no thread does it later.
void SortEntries(X509_CRL* crl) {
  const Owned<ASN1_INTEGER, ASN1_INTEGER_free> serial(ASN1_INTEGER_new());
  X509_REVOKED* found = nullptr;
  if (serial != nullptr) X509_CRL_get0_by_serial(crl, &found, serial.get());
}

}  // namespace

struct CrlSet::State {
  std::unique_ptr<STACK_OF(X509_CRL), FreeStack> lists{sk_X509_CRL_new_null()};
  int64_t next_update_unix_s = std::numeric_limits<int64_t>::max();
  Digest digest;
};

CrlSet::CrlSet(std::unique_ptr<State> state) : state_(std::move(state)) {}
CrlSet::CrlSet(CrlSet&&) noexcept = default;
CrlSet& CrlSet::operator=(CrlSet&&) noexcept = default;
CrlSet::~CrlSet() = default;

Result<CrlSet> CrlSet::FromPem(std::string_view pem) {
  ClearErrorsOnReturn clear;
  const Result<std::vector<Bytes>> lists = CrlsFromPem(pem);
  if (!lists.ok()) return lists.reason();
  auto state = std::make_unique<State>();
  if (state->lists == nullptr) return Reason::kInternalError;
  RunningHash hash(HashAlgorithm::kSha256);
  for (const Bytes& der : *lists) {
    hash.Update(der);
    const uint8_t* at = der.data();
    Crl crl(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
    if (crl == nullptr || !IsStrong(crl.get())) return Reason::kCrlUnusable;
    // RFC 5280 §5.1.2.5: "Conforming CRL issuers MUST include the nextUpdate field in all CRLs."
    const std::optional<int64_t> next_update = NextUpdate(crl.get());
    if (!next_update) return Reason::kCrlUnusable;
    state->next_update_unix_s = std::min(state->next_update_unix_s, *next_update);
    SortEntries(crl.get());
    if (sk_X509_CRL_push(state->lists.get(), crl.get()) <= 0) return Reason::kInternalError;
    (void)crl.release();  // the list has it
  }
  state->digest = hash.Current();
  return CrlSet(std::move(state));
}

size_t CrlSet::size() const { return static_cast<size_t>(sk_X509_CRL_num(state_->lists.get())); }
const Digest& CrlSet::digest() const { return state_->digest; }
int64_t CrlSet::next_update_unix_s() const { return state_->next_update_unix_s; }
stack_st_X509_CRL* CrlSet::lists() const { return state_->lists.get(); }

}  // namespace handfast::tls
