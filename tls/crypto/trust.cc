// Path validation: libcrypto's, with the limits that it would otherwise leave open.
//
// X509_V_FLAG_X509_STRICT stays off. What it adds are mostly demands on form (key identifiers, a
// critical basicConstraints, a key usage on each CA) that the roots of many private PKIs miss,
// `openssl req -x509` among them; refusing those buys no security. The one demand that does, that
// an intermediate say it is a CA by basicConstraints and not by key usage alone, is made below.
#include <algorithm>
#include <climits>
#include <ctime>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "tls/crypto/identity.h"
#include "tls/crypto/libcrypto.h"
#include "tls/crypto/ocsp.h"
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
using Features = Owned<TLS_FEATURE, TLS_FEATURE_free>;

// 112 bits: SHA-256, RSA-2048 and P-224 at least.
constexpr int kSecurityLevel = 2;

// Certificates in one chain, needed or not. RFC 8446 §4.4.2 asks to bear extraneous ones; each
// costs a parse, and a path is searched among them.
// RFC 8446 §4.4.2: "For maximum compatibility, all implementations SHOULD be prepared to handle
// potentially extraneous certificates and arbitrary orderings from any TLS version, with the
// exception of the end-entity certificate which MUST be first."
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
    // RFC 8446 §4.4.2.4: "Any endpoint receiving any certificate which it would need to validate
    // using any signature algorithm using an MD5 hash MUST abort the handshake with a
    // "bad_certificate" alert."
    {X509_V_ERR_CA_MD_TOO_WEAK, Reason::kWeakCertificate},
    // Of a kind that is not for this use, or that we cannot judge.
    {X509_V_ERR_INVALID_PURPOSE, Reason::kUnsupportedCertificate},
    {X509_V_ERR_CERT_REJECTED, Reason::kUnsupportedCertificate},
    {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, Reason::kUnsupportedCertificate},
    {X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM, Reason::kUnsupportedCertificate},
    {X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH, Reason::kBadCertificate},
    {X509_V_ERR_CERT_REVOKED, Reason::kCertificateRevoked},
    {X509_V_ERR_CRL_HAS_EXPIRED, Reason::kCrlExpired},
    // Whether it is revoked cannot be known.
    {X509_V_ERR_UNABLE_TO_GET_CRL, Reason::kCrlUnusable},
    {X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, Reason::kCrlUnusable},
    {X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, Reason::kCrlUnusable},
    {X509_V_ERR_CRL_SIGNATURE_FAILURE, Reason::kCrlUnusable},
    {X509_V_ERR_CRL_NOT_YET_VALID, Reason::kCrlUnusable},
    {X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD, Reason::kCrlUnusable},
    {X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD, Reason::kCrlUnusable},
    {X509_V_ERR_KEYUSAGE_NO_CRL_SIGN, Reason::kCrlUnusable},
    {X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION, Reason::kCrlUnusable},
    {X509_V_ERR_DIFFERENT_CRL_SCOPE, Reason::kCrlUnusable},
    {X509_V_ERR_CRL_PATH_VALIDATION_ERROR, Reason::kCrlUnusable},
    // Of another.
    {X509_V_ERR_HOSTNAME_MISMATCH, Reason::kNameMismatch},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, Reason::kNameMismatch},
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
  return {.reason = reason, .detail = std::move(detail)};
}

Certificate Read(ByteView der) {
  if (der.size() > LONG_MAX) return nullptr;
  const uint8_t* at = der.data();
  Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (certificate != nullptr && at != der.data() + der.size()) certificate.reset();
  return certificate;
}

// False where it is no name that a certificate can bear. libcrypto would take ".example.com" for
// any name below it, and "*.example.com" for itself.
bool SetServerName(X509_VERIFY_PARAM* parameters, std::string_view server_name) {
  std::string name(server_name);
  // RFC 9525 §6.4: an address is compared with the addresses alone, octet for octet, never with the
  // DNS names.
  if (name.find('\0') == std::string::npos &&
      X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) == 1) {
    return true;
  }
  if (!name.empty() && name.back() == '.') name.pop_back();
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return IsDnsIdentity(name) &&
         X509_VERIFY_PARAM_set1_host(parameters, name.data(), name.size()) == 1;
}

// False as in SetServerName.
bool SetParameters(X509_STORE_CTX* context, const TrustParameters& wanted) {
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_auth_level(parameters, kSecurityLevel);
  X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(wanted.now_unix_s));
  X509_VERIFY_PARAM_set_depth(parameters, wanted.max_depth);
  X509_VERIFY_PARAM_set_purpose(parameters, wanted.purpose == Purpose::kTlsClient
                                                ? X509_PURPOSE_SSL_CLIENT
                                                : X509_PURPOSE_SSL_SERVER);
  // RFC 9525 §6.3: "There is only one wildcard character. [...] The wildcard character appears only
  // as the complete content of the left-most label. If the requirements are not met, the presented
  // identifier is invalid and MUST be ignored." A common name is no identifier at all (§2).
  X509_VERIFY_PARAM_set_hostflags(
      parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return wanted.server_name.empty() || SetServerName(parameters, wanted.server_name);
}

void AskForRevocation(X509_STORE_CTX* context, const TrustParameters& wanted) {
  if (wanted.crl_check == CrlCheck::kNone) return;
  unsigned long flags = X509_V_FLAG_CRL_CHECK;
  if (wanted.crl_check == CrlCheck::kChain) flags |= X509_V_FLAG_CRL_CHECK_ALL;
  X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context), flags);
  if (wanted.crls != nullptr) X509_STORE_CTX_set0_crls(context, wanted.crls->lists());
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

TrustBundle::Verdict CheckIdentity(ByteView leaf, std::span<const std::string> allowed) {
  if (allowed.empty()) return {};
  const Result<CertificateInfo> info = ReadCertificate(leaf);
  if (!info.ok()) return Refused(info.reason(), "the leaf's names cannot be read");
  const bool found = std::any_of(allowed.begin(), allowed.end(), [&](const std::string& identity) {
    return Bears(*info, identity);
  });
  // RFC 8446 §6.2: access_denied: "A valid certificate or PSK was received, but when access control
  // was applied, the sender decided not to proceed with negotiation."
  if (!found) return Refused(Reason::kIdentityNotAllowed, "the leaf bears no identity required");
  return {};
}

// RFC 7633 §4: the leaf says that its server staples OCSP responses.
bool PromisesOcspResponse(const X509* leaf) {
  constexpr long kStatusRequest = 5;
  const Features features(
      static_cast<TLS_FEATURE*>(X509_get_ext_d2i(leaf, NID_tlsfeature, nullptr, nullptr)));
  if (features == nullptr) return false;
  for (int i = 0; i < sk_ASN1_INTEGER_num(features.get()); ++i) {
    if (ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features.get(), i)) == kStatusRequest) return true;
  }
  return false;
}

// Of the path found; 0 where one says no time, which was refused before.
int64_t EndOf(X509_STORE_CTX* context) {
  int64_t end = INT64_MAX;
  const STACK_OF(X509)* path = X509_STORE_CTX_get0_chain(context);
  for (int i = 0; i < sk_X509_num(path); ++i) {
    struct tm parts {};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(sk_X509_value(path, i)), &parts) != 1) return 0;
    end = std::min(end, static_cast<int64_t>(timegm(&parts)));
  }
  return end;
}

Bytes Encoded(const X509* certificate) {
  uint8_t* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) return {};
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

TrustBundle::Verdict CheckStaple(X509_STORE_CTX* context, ByteView leaf,
                                 const TrustParameters& wanted) {
  const STACK_OF(X509)* path = X509_STORE_CTX_get0_chain(context);
  if (wanted.ocsp_response.empty()) {
    if (wanted.require_ocsp_response) {
      return Refused(Reason::kNoOcspResponse, "the server stapled no OCSP response");
    }
    if (PromisesOcspResponse(sk_X509_value(path, 0))) {
      return Refused(Reason::kNoOcspResponse,
                     "the leaf promises a stapled OCSP response, and there is none");
    }
    return {};
  }
  // RFC 6066 §8: "Clients requesting an OCSP response and receiving an OCSP response in a
  // "CertificateStatus" message MUST check the OCSP response and abort the handshake if the
  // response is not satisfactory with bad_certificate_status_response(113) alert." A root that is
  // itself the leaf is its own issuer.
  const X509* issuer = sk_X509_value(path, sk_X509_num(path) > 1 ? 1 : 0);
  OcspVerdict verdict =
      VerifyOcspStaple(wanted.ocsp_response, leaf, Encoded(issuer), wanted.now_unix_s);
  if (!verdict.reason) return {};
  return Refused(*verdict.reason, "the stapled OCSP response: " + verdict.detail);
}

}  // namespace

struct TrustBundle::State {
  Store store;
  std::vector<Bytes> subjects;
  Digest digest;
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
  RunningHash hash(HashAlgorithm::kSha256);
  for (const Bytes& der : *roots) {
    hash.Update(der);
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
  state->digest = hash.Current();
  return TrustBundle(std::move(state));
}

const std::vector<Bytes>& TrustBundle::subjects() const { return state_->subjects; }
const Digest& TrustBundle::digest() const { return state_->digest; }

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
  if (!SetParameters(context.get(), parameters)) {
    return Refused(Reason::kNameMismatch, "no certificate can bear the server's name");
  }
  AskForRevocation(context.get(), parameters);
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
  // A client proves itself by signing. libcrypto would also take a key for agreement alone.
  if (parameters.purpose == Purpose::kTlsClient &&
      (X509_get_key_usage(leaf.get()) & KU_DIGITAL_SIGNATURE) == 0) {
    return Refused(Reason::kUnsupportedCertificate, "the leaf's key is not for signatures");
  }
  if (parameters.purpose == Purpose::kTlsServer) {
    Verdict stapled = CheckStaple(context.get(), chain.front(), parameters);
    if (stapled.reason) return stapled;
  }
  Verdict verdict = CheckIdentity(chain.front(), parameters.identities);
  if (!verdict.reason) verdict.not_after_unix_s = EndOf(context.get());
  return verdict;
}

}  // namespace handfast::tls
