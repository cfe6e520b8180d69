#include "tests/tls/crypto/test_revocation.h"

#include <cstdio>
#include <cstdlib>
#include <memory>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace handfast::tls::test {
namespace {

template <class T, auto kFree>
struct Free {
  void operator()(T* object) const { kFree(object); }
};
template <class T, auto kFree>
using Held = std::unique_ptr<T, Free<T, kFree>>;
using Certificate = Held<X509, X509_free>;
using Key = Held<EVP_PKEY, EVP_PKEY_free>;
using Time = Held<ASN1_TIME, ASN1_TIME_free>;

void Must(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "test_revocation: %s\n", what);
  ERR_print_errors_fp(stderr);
  std::abort();
}

Certificate ReadX509(ByteView der) {
  const uint8_t* at = der.data();
  Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  Must(certificate != nullptr, "certificate");
  return certificate;
}

Key ReadKey(const Bytes& pkcs8) {
  const uint8_t* at = pkcs8.data();
  Key key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(pkcs8.size())));
  Must(key != nullptr, "key");
  return key;
}

const EVP_MD* DigestFor(EVP_PKEY* key, bool sha1) {
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return nullptr;
  return sha1 ? EVP_sha1() : EVP_sha256();
}

void AddRevoked(X509_CRL* crl, ByteView certificate) {
  const Certificate x = ReadX509(certificate);
  X509_REVOKED* revoked = X509_REVOKED_new();
  const Time time(ASN1_TIME_set(nullptr, kNow - kDay));
  X509_REVOKED_set_serialNumber(revoked, X509_get_serialNumber(x.get()));
  X509_REVOKED_set_revocationDate(revoked, time.get());
  Must(X509_CRL_add0_revoked(crl, revoked) == 1, "revoked");
}

void AddUnknownCritical(X509_CRL* crl) {
  ASN1_OBJECT* id = OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1);
  ASN1_OCTET_STRING* value = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(value, reinterpret_cast<const unsigned char*>("\x05\x00"), 2);
  X509_EXTENSION* extension = X509_EXTENSION_create_by_OBJ(nullptr, id, 1, value);
  Must(X509_CRL_add_ext(crl, extension, -1) == 1, "unknown extension");
  X509_EXTENSION_free(extension);
  ASN1_OCTET_STRING_free(value);
  ASN1_OBJECT_free(id);
}

Bytes Der(OCSP_RESPONSE* response) {
  uint8_t* der = nullptr;
  const int size = i2d_OCSP_RESPONSE(response, &der);
  Must(size > 0, "OCSP response");
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

int StatusOf(const OcspOptions& options) {
  switch (options.status) {
    case OcspOptions::Status::kGood:
      return V_OCSP_CERTSTATUS_GOOD;
    case OcspOptions::Status::kRevoked:
      return V_OCSP_CERTSTATUS_REVOKED;
    case OcspOptions::Status::kUnknown:
      return V_OCSP_CERTSTATUS_UNKNOWN;
  }
  std::abort();
}

}  // namespace

std::string MakeCrl(const TestCa& issuer, const CrlOptions& options) {
  const Certificate ca = ReadX509(issuer.certificate());
  const Key key = ReadKey(issuer.key_pkcs8());
  const Held<X509_CRL, X509_CRL_free> crl(X509_CRL_new());
  X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(ca.get()));
  const Time this_update(ASN1_TIME_set(nullptr, options.this_update_unix_s));
  const Time next_update(ASN1_TIME_set(nullptr, options.next_update_unix_s));
  X509_CRL_set1_lastUpdate(crl.get(), this_update.get());
  if (options.next_update) X509_CRL_set1_nextUpdate(crl.get(), next_update.get());
  for (const Bytes& certificate : options.revoked) AddRevoked(crl.get(), certificate);
  if (options.unknown_critical) AddUnknownCritical(crl.get());
  Must(X509_CRL_sort(crl.get()) == 1, "sort");
  Must(X509_CRL_sign(crl.get(), key.get(), DigestFor(key.get(), options.sha1)) > 0, "sign");
  const Held<BIO, BIO_free> out(BIO_new(BIO_s_mem()));
  Must(PEM_write_bio_X509_CRL(out.get(), crl.get()) == 1, "PEM");
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

Bytes MakeOcsp(const TestCa& issuer, ByteView certificate, const OcspOptions& options) {
  if (options.unsuccessful) {
    const Held<OCSP_RESPONSE, OCSP_RESPONSE_free> response(
        OCSP_response_create(OCSP_RESPONSE_STATUS_TRYLATER, nullptr));
    return Der(response.get());
  }
  const Certificate ca = ReadX509(issuer.certificate());
  const Certificate subject = ReadX509(certificate);
  const Held<OCSP_BASICRESP, OCSP_BASICRESP_free> basic(OCSP_BASICRESP_new());
  const Held<OCSP_CERTID, OCSP_CERTID_free> id(
      OCSP_cert_to_id(options.sha256_id ? EVP_sha256() : EVP_sha1(), subject.get(), ca.get()));
  const Time revoked(ASN1_TIME_set(nullptr, kNow - kDay));
  const Held<ASN1_GENERALIZEDTIME, ASN1_GENERALIZEDTIME_free> this_update(
      ASN1_GENERALIZEDTIME_set(nullptr, options.this_update_unix_s));
  const Held<ASN1_GENERALIZEDTIME, ASN1_GENERALIZEDTIME_free> next_update(
      ASN1_GENERALIZEDTIME_set(nullptr, options.next_update_unix_s));
  const bool is_revoked = options.status == OcspOptions::Status::kRevoked;
  Must(
      OCSP_basic_add1_status(basic.get(), id.get(), StatusOf(options), OCSP_REVOKED_STATUS_NOSTATUS,
                             is_revoked ? revoked.get() : nullptr, this_update.get(),
                             options.next_update ? next_update.get() : nullptr) != nullptr,
      "status");
  const Certificate signer =
      ReadX509(options.responder == nullptr ? issuer.certificate() : options.responder->chain[0]);
  const Key key =
      ReadKey(options.responder == nullptr ? issuer.key_pkcs8() : options.responder->key_pkcs8);
  unsigned long flags = options.by_key ? OCSP_RESPID_KEY : 0;
  if (!options.with_certificate || options.responder == nullptr) flags |= OCSP_NOCERTS;
  Must(OCSP_basic_sign(basic.get(), signer.get(), key.get(),
                       DigestFor(key.get(), options.sha1_signature), nullptr, flags) == 1,
       "sign");
  const Held<OCSP_RESPONSE, OCSP_RESPONSE_free> response(
      OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
  return Der(response.get());
}

}  // namespace handfast::tls::test
