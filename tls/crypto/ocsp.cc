// Of libcrypto's verifier only the signature's arithmetic is used: the rest of OCSP_basic_verify
// builds paths at the present time and takes a responder on the word of whoever is in the store.
#include "tls/crypto/ocsp.h"

#include <climits>
#include <ctime>
#include <memory>
#include <utility>

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "tls/crypto/libcrypto.h"

namespace handfast::tls {
namespace {

using Certificate = Owned<X509, X509_free>;
using Response = Owned<OCSP_RESPONSE, OCSP_RESPONSE_free>;
using Basic = Owned<OCSP_BASICRESP, OCSP_BASICRESP_free>;
// The stack, not what it refers to.
struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
using Stack = std::unique_ptr<STACK_OF(X509), FreeStack>;
using CertId = Owned<OCSP_CERTID, OCSP_CERTID_free>;

// Security level 2, as for chains.
constexpr int kMinSecurityBits = 112;

OcspVerdict Bad(std::string detail) { return {Reason::kBadOcspResponse, std::move(detail)}; }

Certificate Read(ByteView der) {
  if (der.size() > LONG_MAX) return nullptr;
  const uint8_t* at = der.data();
  Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (certificate != nullptr && at != der.data() + der.size()) certificate.reset();
  return certificate;
}

Stack OnlyOf(X509* certificate) {
  Stack stack(sk_X509_new_null());
  if (stack != nullptr && sk_X509_push(stack.get(), certificate) <= 0) stack.reset();
  return stack;
}

// Null where it does not parse, is not "successful", or is of another type than basic.
Basic ReadBasic(ByteView der) {
  if (der.size() > LONG_MAX) return nullptr;
  const uint8_t* at = der.data();
  const Response response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  if (response == nullptr || at != der.data() + der.size()) return nullptr;
  if (OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL) return nullptr;
  return Basic(OCSP_response_get1_basic(response.get()));
}

std::optional<int64_t> Seconds(const ASN1_GENERALIZEDTIME* time) {
  struct tm parts {};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return timegm(&parts);
}

bool IsStrongKey(X509* certificate) {
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  return key != nullptr && EVP_PKEY_get_security_bits(key) >= kMinSecurityBits;
}

bool IsStrongSignature(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  int digest = NID_undef;
  if (OBJ_find_sigid_algs(OBJ_obj2nid(object), &digest, nullptr) != 1) return false;
  // Ed25519 and RSA-PSS name theirs elsewhere, and have no weak one.
  if (digest == NID_undef) return true;
  const EVP_MD* md = EVP_get_digestbynid(digest);
  return md != nullptr && EVP_MD_get_size(md) * 4 >= kMinSecurityBits;
}

// RFC 6960 §4.2.2.2: the response is signed by the issuer itself, or by a certificate with
// id-kp-OCSPSigning in its extended key usage that was "issued directly by the CA that is
// identified in the request". Empty: it is that.
std::string WhyNoResponder(X509* signer, X509* issuer, int64_t now_unix_s) {
  if (!IsStrongKey(signer)) return "the responder's key is weak";
  if (X509_cmp(signer, issuer) == 0) return {};
  constexpr uint32_t kNeeded = EXFLAG_XKUSAGE;
  if ((X509_get_extension_flags(signer) & (kNeeded | EXFLAG_INVALID)) != kNeeded ||
      (X509_get_extended_key_usage(signer) & XKU_OCSP_SIGN) == 0) {
    return "the responder is not authorized to sign OCSP responses";
  }
  // UINT32_MAX where the certificate does not restrict it.
  if ((X509_get_key_usage(signer) & KU_DIGITAL_SIGNATURE) == 0) {
    return "the responder's key is not for signatures";
  }
  int strength = 0;
  if (X509_check_issued(issuer, signer) != X509_V_OK ||
      X509_verify(signer, X509_get0_pubkey(issuer)) != 1) {
    return "the responder was not certified by the issuer of the certificate";
  }
  if (X509_get_signature_info(signer, nullptr, nullptr, &strength, nullptr) != 1 ||
      strength < kMinSecurityBits) {
    return "the responder's certificate is weak";
  }
  time_t now = static_cast<time_t>(now_unix_s);
  if (X509_cmp_time(X509_get0_notBefore(signer), &now) > 0 ||
      X509_cmp_time(X509_get0_notAfter(signer), &now) < 0) {
    return "the responder's certificate is not valid now";
  }
  return {};
}

// Empty: signed by whoever may.
std::string WhyNotSigned(OCSP_BASICRESP* basic, X509* issuer, int64_t now_unix_s) {
  const Stack known = OnlyOf(issuer);
  X509* signer = nullptr;
  if (known == nullptr || OCSP_resp_get0_signer(basic, &signer, known.get()) != 1) {
    return "the responder is unknown";
  }
  if (std::string why = WhyNoResponder(signer, issuer, now_unix_s); !why.empty()) return why;
  if (!IsStrongSignature(OCSP_resp_get0_tbs_sigalg(basic))) return "the signature is weak";
  const Stack only = OnlyOf(signer);
  if (only == nullptr ||
      OCSP_basic_verify(basic, only.get(), nullptr, OCSP_NOINTERN | OCSP_NOVERIFY) != 1) {
    return "the signature does not verify";
  }
  return {};
}

// Whether the certID is that of `leaf`, under the hash that it says itself: its purpose is to find
// the certificate, and the signature covers it.
bool Identifies(const OCSP_CERTID* id, const X509* leaf, const X509* issuer) {
  ASN1_OBJECT* algorithm = nullptr;
  ASN1_INTEGER* serial = nullptr;
  OCSP_id_get0_info(nullptr, &algorithm, nullptr, &serial, const_cast<OCSP_CERTID*>(id));
  if (issuer == nullptr) return ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(leaf)) == 0;
  const EVP_MD* md = EVP_get_digestbyobj(algorithm);
  if (md == nullptr) return false;
  const CertId expected(OCSP_cert_to_id(md, leaf, issuer));
  return expected != nullptr && OCSP_id_cmp(expected.get(), id) == 0;
}

// Null: none is about the leaf.
OCSP_SINGLERESP* FindSingle(OCSP_BASICRESP* basic, const X509* leaf, const X509* issuer) {
  for (int i = 0; i < OCSP_resp_count(basic); ++i) {
    OCSP_SINGLERESP* single = OCSP_resp_get0(basic, i);
    if (Identifies(OCSP_SINGLERESP_get0_id(single), leaf, issuer)) return single;
  }
  return nullptr;
}

OcspVerdict Judge(OCSP_SINGLERESP* single, int64_t now_unix_s) {
  ASN1_GENERALIZEDTIME* this_time = nullptr;
  ASN1_GENERALIZEDTIME* next_time = nullptr;
  const int status = OCSP_single_get0_status(single, nullptr, nullptr, &this_time, &next_time);
  const std::optional<int64_t> this_update = Seconds(this_time);
  const std::optional<int64_t> named = Seconds(next_time);
  if (!this_update || (next_time != nullptr && !named)) return Bad("a time cannot be read");
  const int64_t next_update = named.value_or(*this_update + kOcspLifetimeWithoutNextUpdateS);
  // RFC 6960 §3.2: "5. The time at which the status being indicated is known to be correct
  // (thisUpdate) is sufficiently recent; 6. When available, the time at or before which newer
  // information will be available about the status of the certificate (nextUpdate) is greater than
  // the current time."
  if (*this_update > now_unix_s + kOcspClockSkewS) return Bad("the response is not yet valid");
  if (next_update < *this_update) return Bad("nextUpdate is before thisUpdate");
  if (next_update + kOcspClockSkewS < now_unix_s) return Bad("the response has expired");
  if (status == V_OCSP_CERTSTATUS_REVOKED) {
    return {Reason::kCertificateRevoked, "the responder says: revoked"};
  }
  if (status != V_OCSP_CERTSTATUS_GOOD) return Bad("the responder says: unknown");
  return {std::nullopt, "", next_update};
}

}  // namespace

OcspVerdict VerifyOcspStaple(ByteView response, ByteView leaf, ByteView issuer,
                             int64_t now_unix_s) {
  ClearErrorsOnReturn clear;
  const Certificate subject = Read(leaf);
  const Certificate above = Read(issuer);
  if (subject == nullptr || above == nullptr) return Bad("a certificate does not parse");
  const Basic basic = ReadBasic(response);
  if (basic == nullptr) return Bad("the response does not parse, or says that there is none");
  OCSP_SINGLERESP* single = FindSingle(basic.get(), subject.get(), above.get());
  if (single == nullptr) return Bad("the response is about another certificate");
  if (std::string why = WhyNotSigned(basic.get(), above.get(), now_unix_s); !why.empty()) {
    return Bad(std::move(why));
  }
  return Judge(single, now_unix_s);
}

OcspVerdict CheckOcspWithoutIssuer(ByteView response, ByteView leaf, int64_t now_unix_s) {
  ClearErrorsOnReturn clear;
  const Certificate subject = Read(leaf);
  if (subject == nullptr) return Bad("the certificate does not parse");
  const Basic basic = ReadBasic(response);
  if (basic == nullptr) return Bad("the response does not parse, or says that there is none");
  OCSP_SINGLERESP* single = FindSingle(basic.get(), subject.get(), nullptr);
  if (single == nullptr) return Bad("the response is about another certificate");
  return Judge(single, now_unix_s);
}

}  // namespace handfast::tls
