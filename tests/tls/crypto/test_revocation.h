// What a TestCa signs besides certificates: revocation lists and OCSP responses, right or wrong in
// a chosen way. Like test_ca.h it calls libcrypto itself.
#ifndef HANDFAST_TESTS_TLS_CRYPTO_TEST_REVOCATION_H_
#define HANDFAST_TESTS_TLS_CRYPTO_TEST_REVOCATION_H_

#include <string>
#include <vector>

#include "tests/tls/crypto/test_ca.h"

namespace handfast::tls::test {

struct CrlOptions {
  std::vector<Bytes> revoked = {};  // certificates, DER
  int64_t this_update_unix_s = kNow - kDay;
  int64_t next_update_unix_s = kNow + kDay;
  bool next_update = true;  // false: no such field
  bool sha1 = false;
  // A critical extension that nobody knows.
  bool unknown_critical = false;
};

// PEM.
std::string MakeCrl(const TestCa& issuer, const CrlOptions& options = {});

struct OcspOptions {
  enum class Status { kGood, kRevoked, kUnknown };
  Status status = Status::kGood;
  int64_t this_update_unix_s = kNow - kDay;
  int64_t next_update_unix_s = kNow + kDay;
  bool next_update = true;
  // Who signs, instead of the issuer; its certificate is sent along unless told otherwise.
  const Leaf* responder = nullptr;
  bool with_certificate = true;
  bool sha1_signature = false;
  bool sha256_id = false;  // the certID's hash; SHA-1, which only finds the certificate, is usual
  bool by_key = true;      // the responder is named by its key's hash, else by its name
  bool unsuccessful = false;  // responseStatus tryLater, and nothing else
};

// An OCSPResponse, DER, on `certificate` as issued by `issuer`.
Bytes MakeOcsp(const TestCa& issuer, ByteView certificate, const OcspOptions& options = {});

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CRYPTO_TEST_REVOCATION_H_
