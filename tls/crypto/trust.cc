// Path validation: libcrypto's, with the limits that it would otherwise leave open.
//
// X509_V_FLAG_X509_STRICT stays off. What it adds are mostly demands on form (key identifiers, a
// critical basicConstraints, a key usage on each CA) that the roots of many private PKIs miss,
// `openssl req -x509` among them; refusing those buys no security. The one demand that does, that
// an intermediate say it is a CA by basicConstraints and not by key usage alone, is made below.
#include <climits>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "tls/crypto/libcrypto.h"
#include "tls/crypto/pem.h"
#include "tls/crypto/x509.h"

namespace handfast::tls {
namespace {

using Certificate = Owned<X509, X509_free>;
using Store = Owned<X509_STORE, X509_STORE_free>;
using StoreContext = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;
struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};
using Stack = std::unique_ptr<STACK_OF(X509), FreeStack>;

// 112 bits: SHA-256, RSA-2048 and P-224 at least.
constexpr int kSecurityLevel = 2;

// Certificates in one chain, needed or not. RFC 8446 §4.4.2 asks to bear extraneous ones; each
// costs a parse, and a path is searched among them.
constexpr size_t kMaxPresented = 16;

struct ErrorRow {
  int error;
  Reason reason;
};

// What is not listed is kBadCertificate.
constexpr ErrorRow kErrors[] = {
    // Time.
    {X509_V_ERR_CERT_NOT_YET_VALID, Reason::kCertificateExpired},
    {X509_V_ERR_CERT_HAS_EXPIRED, Reason::kCertificateExpired},
    // No path to a root of ours.
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, Reason::kUnknownCa},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, Reason::kUnknownCa},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, Reason::kUnknownCa},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, Reason::kUnknownCa},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, Reason::kUnknownCa},
    {X509_V_ERR_CERT_UNTRUSTED, Reason::kUnknownCa},
    // Strength.
    {X509_V_ERR_EE_KEY_TOO_SMALL, Reason::kWeakCertificate},
    {X509_V_ERR_CA_KEY_TOO_SMALL, Reason::kWeakCertificate},
    {X509_V_ERR_CA_MD_TOO_WEAK, Reason::kWeakCertificate},
    // Of a kind that is not for this use, or that we cannot judge.
    {X509_V_ERR_INVALID_PURPOSE, Reason::kUnsupportedCertificate},
    {X509_V_ERR_CERT_REJECTED, Reason::kUnsupportedCertificate},
    {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, Reason::kUnsupportedCertificate},
    {X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM, Reason::kUnsupportedCertificate},
    {X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH, Reason::kBadCertificate},
    {X509_V_ERR_CERT_REVOKED, Reason::kCertificateRevoked},
    // Ours.
    {X509_V_ERR_UNSPECIFIED, Reason::kInternalError},
    {X509_V_ERR_OUT_OF_MEM, Reason::kInternalError},
    {X509_V_ERR_INVALID_CALL, Reason::kInternalError},
    {X509_V_ERR_STORE_LOOKUP, Reason::kInternalError},
};

Reason ReasonOf(int error) {
  for (const ErrorRow& row : kErrors) {
    if (row.error == error) return row.reason;
  }
  return Reason::kBadCertificate;
}

TrustBundle::Verdict Refused(Reason reason, std::string detail) {
  return {reason, std::move(detail)};
}

Certificate Read(ByteView der) {
  if (der.size() > LONG_MAX) return nullptr;
  const uint8_t* at = der.data();
  Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (certificate != nullptr && at != der.data() + der.size()) certificate.reset();
  return certificate;
}

void SetParameters(X509_STORE_CTX* context, const TrustParameters& wanted) {
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_auth_level(parameters, kSecurityLevel);
  X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(wanted.now_unix_s));
  X509_VERIFY_PARAM_set_depth(parameters, wanted.max_depth);
  X509_VERIFY_PARAM_set_purpose(parameters, wanted.purpose == Purpose::kTlsClient
                                                ? X509_PURPOSE_SSL_CLIENT
                                                : X509_PURPOSE_SSL_SERVER);
  // Names are compared by server/trust, in the subjectAltName; a common name never counts.
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
}

// Whether each intermediate of the path found says that it is a CA by basicConstraints; libcrypto
// also takes key usage and Netscape's extension for it. -1, or the depth of one that does not.
int UndeclaredCa(X509_STORE_CTX* context) {
  const STACK_OF(X509)* path = X509_STORE_CTX_get0_chain(context);
  constexpr int kByBasicConstraints = 1;
  for (int i = 1; i + 1 < sk_X509_num(path); ++i) {
    if (X509_check_ca(sk_X509_value(path, i)) != kByBasicConstraints) return i;
  }
  return -1;
}

std::string AtDepth(const char* words, int depth) {
  return std::string(words) + " (depth " + std::to_string(depth) + ")";
}

}  // namespace

struct TrustBundle::State {
  Store store;
  std::vector<Bytes> subjects;
};

TrustBundle::TrustBundle(std::unique_ptr<State> state) : state_(std::move(state)) {}
TrustBundle::TrustBundle(TrustBundle&&) noexcept = default;
TrustBundle& TrustBundle::operator=(TrustBundle&&) noexcept = default;
TrustBundle::~TrustBundle() = default;

Result<TrustBundle> TrustBundle::FromPem(std::string_view pem) {
  ClearErrorsOnReturn clear;
  const Result<std::vector<Bytes>> roots = CertificatesFromPem(pem);
  if (!roots.ok()) return roots.reason();
  auto state = std::make_unique<State>();
  state->store.reset(X509_STORE_new());
  if (state->store == nullptr) return Reason::kInternalError;
  for (const Bytes& der : *roots) {
    const Certificate root = Read(der);
    // Adding one that is there already succeeds.
    if (root == nullptr || X509_STORE_add_cert(state->store.get(), root.get()) != 1) {
      return Reason::kBadCertificate;
    }
    uint8_t* name = nullptr;
    const int size = i2d_X509_NAME(X509_get_subject_name(root.get()), &name);
    if (size <= 0) return Reason::kBadCertificate;
    state->subjects.emplace_back(name, name + size);
    OPENSSL_free(name);
  }
  return TrustBundle(std::move(state));
}

const std::vector<Bytes>& TrustBundle::subjects() const { return state_->subjects; }

TrustBundle::Verdict TrustBundle::Verify(const std::vector<Bytes>& chain,
                                         const TrustParameters& parameters) const {
  ClearErrorsOnReturn clear;
  if (chain.empty()) return Refused(Reason::kBadCertificate, "the chain is empty");
  if (chain.size() > kMaxPresented) {
    return Refused(Reason::kBadCertificate, "the chain has more than 16 certificates");
  }
  const Certificate leaf = Read(chain.front());
  const Stack others(sk_X509_new_null());
  const StoreContext context(X509_STORE_CTX_new());
  if (others == nullptr || context == nullptr) return Refused(Reason::kInternalError, "no memory");
  bool parsed = leaf != nullptr;
  for (size_t i = 1; parsed && i < chain.size(); ++i) {
    Certificate other = Read(chain[i]);
    parsed = other != nullptr && sk_X509_push(others.get(), other.get()) > 0;
    if (parsed) static_cast<void>(other.release());  // the stack owns it now
  }
  if (!parsed) return Refused(Reason::kBadCertificate, "a certificate does not parse");
  if (X509_STORE_CTX_init(context.get(), state_->store.get(), leaf.get(), others.get()) != 1) {
    return Refused(Reason::kInternalError, "no memory");
  }
  SetParameters(context.get(), parameters);
  if (X509_verify_cert(context.get()) != 1) {
    const int error = X509_STORE_CTX_get_error(context.get());
    return Refused(ReasonOf(error), AtDepth(X509_verify_cert_error_string(error),
                                            X509_STORE_CTX_get_error_depth(context.get())));
  }
  // RFC 5280 §4.2.1.9: "If the basic constraints extension is not present in a version 3
  // certificate, or the extension is present but the cA boolean is not asserted, then the certified
  // public key MUST NOT be used to verify certificate signatures."
  if (const int depth = UndeclaredCa(context.get()); depth >= 0) {
    return Refused(Reason::kBadCertificate, AtDepth("not a CA by basicConstraints", depth));
  }
  return {};
}

}  // namespace handfast::tls
