// What a certificate says. Whether it is trusted: trust.cc.
#include "tls/crypto/x509.h"

#include <algorithm>
#include <climits>
#include <ctime>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "tls/crypto/hash.h"
#include "tls/crypto/libcrypto.h"

namespace handfast::tls {
namespace {

using Certificate = Owned<X509, X509_free>;
using Output = Owned<BIO, BIO_free>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using NameList = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;

Certificate Read(ByteView der) {
  if (der.size() > LONG_MAX) return nullptr;
  const uint8_t* at = der.data();
  Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (certificate != nullptr && at != der.data() + der.size()) certificate.reset();
  return certificate;
}

template <auto kEncode, class T>
Bytes Encoded(T* object) {
  const int size = kEncode(object, nullptr);
  if (size <= 0) return {};
  Bytes der(static_cast<size_t>(size));
  uint8_t* at = der.data();
  kEncode(object, &at);
  return der;
}

std::string NameText(const X509_NAME* name) {
  const Output out(BIO_new(BIO_s_mem()));
  // RFC 2253, but with UTF-8 left readable.
  constexpr unsigned long kFlags = XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB;
  if (out == nullptr || X509_NAME_print_ex(out.get(), name, 0, kFlags) < 0) return {};
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

// Where there are several it is each reader's guess which one counts: none does.
std::string CommonName(const X509_NAME* name) {
  const int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (index < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, index) >= 0) return {};
  uint8_t* utf8 = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
  if (size < 0) return {};
  std::string text(reinterpret_cast<const char*>(utf8), static_cast<size_t>(size));
  OPENSSL_free(utf8);
  const auto is_control = [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(text.begin(), text.end(), is_control)) return {};
  return text;
}

std::string SerialHex(const X509* certificate) {
  const Owned<BIGNUM, BN_free> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  if (number == nullptr) return {};
  Bytes bytes(static_cast<size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), bytes.data());
  return ToHex(bytes);
}

bool UnixSeconds(const ASN1_TIME* time, int64_t& seconds) {
  struct tm parts {};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return false;
  seconds = timegm(&parts);
  return true;
}

std::string LowerCase(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// False where a name holds a NUL: whoever compares C strings would see another, shorter name.
bool ReadNames(const X509* certificate, CertificateInfo& info) {
  int critical = 0;
  const NameList names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr)));
  // -1: there is no such extension. Anything else without names: broken, or there twice.
  if (names == nullptr) return critical == -1;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    if (type != GEN_DNS && type != GEN_URI && type != GEN_EMAIL) continue;
    const std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                           static_cast<size_t>(ASN1_STRING_length(value)));
    if (text.find('\0') != std::string::npos) return false;
    if (type == GEN_DNS) info.dns_names.push_back(LowerCase(text));
    if (type == GEN_URI) info.uris.push_back(text);
  }
  return true;
}

bool SignedBy(X509* certificate, X509* issuer) {
  EVP_PKEY* key = X509_get0_pubkey(issuer);
  return key != nullptr &&
         X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(issuer)) == 0 &&
         X509_verify(certificate, key) == 1;
}

bool IsSelfSigned(X509* certificate) {
  return (X509_get_extension_flags(certificate) & EXFLAG_SS) != 0;
}

// What a peer may count on in what it is shown; not in a root, which it does not look at.
Result<void> CheckPresentable(X509* certificate) {
  // RFC 8446 §4.4.2.2: "The certificate type MUST be X.509v3 [RFC5280], unless explicitly
  // negotiated otherwise (e.g., [RFC7250])." §4.4.2.3: "The certificate type MUST be X.509v3
  // [RFC5280], unless explicitly negotiated otherwise (e.g., [RFC7250])." RFC 5246 §7.4.2: "The
  // certificate type MUST be X.509v3, unless explicitly negotiated otherwise (e.g., [TLSPGP])."
  // §7.4.6: "The certificate type MUST be X.509v3, unless explicitly negotiated otherwise (e.g.,
  // [TLSPGP])."
  if (X509_get_version(certificate) != X509_VERSION_3) return Reason::kUnsupportedCertificate;
  // RFC 8446 §4.2.3: "TLS 1.3 servers MUST NOT offer a SHA-1 signed certificate unless no valid
  // certificate chain can be produced without it (see Section 4.4.2.2)." §4.4.2.2: "This fallback
  // chain SHOULD NOT use the deprecated SHA-1 hash algorithm in general, but MAY do so if the
  // client's advertisement permits it, and MUST NOT do so otherwise."
  constexpr int kMinSecurityBits = 112;
  int strength = 0;
  if (X509_get_signature_info(certificate, nullptr, nullptr, &strength, nullptr) != 1 ||
      strength < kMinSecurityBits) {
    return Reason::kWeakCertificate;
  }
  return {};
}

}  // namespace

Result<CertificateInfo> ReadCertificate(ByteView der) {
  ClearErrorsOnReturn clear;
  const Certificate certificate = Read(der);
  if (certificate == nullptr) return Reason::kBadCertificate;
  CertificateInfo info;
  info.subject = NameText(X509_get_subject_name(certificate.get()));
  info.common_name = CommonName(X509_get_subject_name(certificate.get()));
  info.issuer = NameText(X509_get_issuer_name(certificate.get()));
  info.serial = SerialHex(certificate.get());
  info.subject_der = Encoded<i2d_X509_NAME>(X509_get_subject_name(certificate.get()));
  info.public_key_der = Encoded<i2d_X509_PUBKEY>(X509_get_X509_PUBKEY(certificate.get()));
  info.for_clients = X509_check_purpose(certificate.get(), X509_PURPOSE_SSL_CLIENT, 0) == 1;
  info.sha256_fingerprint = ToHex(Hash(HashAlgorithm::kSha256, der).view());
  if (!UnixSeconds(X509_get0_notBefore(certificate.get()), info.not_before_unix_s) ||
      !UnixSeconds(X509_get0_notAfter(certificate.get()), info.not_after_unix_s) ||
      !ReadNames(certificate.get(), info)) {
    return Reason::kBadCertificate;
  }
  return info;
}

Result<void> CheckChainFitsKey(const std::vector<Bytes>& chain, ByteView public_key_der) {
  ClearErrorsOnReturn clear;
  std::vector<Certificate> certificates;
  for (const Bytes& der : chain) {
    certificates.push_back(Read(der));
    if (certificates.back() == nullptr) return Reason::kBadCertificate;
  }
  if (certificates.empty() || public_key_der.size() > LONG_MAX) return Reason::kBadCertificate;
  const uint8_t* at = public_key_der.data();
  const Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(public_key_der.size())));
  EVP_PKEY* certified = X509_get0_pubkey(certificates.front().get());
  if (key == nullptr || certified == nullptr || EVP_PKEY_eq(key.get(), certified) != 1) {
    return Reason::kBadCertificate;
  }
  // RFC 5246 §7.4.2: "Each following certificate MUST directly certify the one preceding it."
  for (size_t i = 0; i + 1 < certificates.size(); ++i) {
    if (!SignedBy(certificates[i].get(), certificates[i + 1].get())) {
      return Reason::kBadCertificate;
    }
  }
  // RFC 8446 §4.4.2.2: "The certificate MUST allow the key to be used for signing (i.e., the
  // digitalSignature bit MUST be set if the Key Usage extension is present) with a signature scheme
  // indicated in the client's [...] extensions". Which of its schemes that is, the handshake finds.
  if ((X509_get_key_usage(certificates.front().get()) & KU_DIGITAL_SIGNATURE) == 0) {
    return Reason::kUnsupportedCertificate;
  }
  for (const Certificate& certificate : certificates) {
    if (IsSelfSigned(certificate.get())) continue;
    if (Result<void> r = CheckPresentable(certificate.get()); !r.ok()) return r;
  }
  return {};
}

}  // namespace handfast::tls
