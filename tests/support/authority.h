// A certification authority for one test, made with the openssl program.
#ifndef HANDFAST_TESTS_SUPPORT_AUTHORITY_H_
#define HANDFAST_TESTS_SUPPORT_AUTHORITY_H_

#include <string>

#include "tests/support/files.h"

namespace handfast::test {

struct Issued {
  std::string key;    // PEM, PKCS#8
  std::string chain;  // PEM, the leaf alone
  std::string key_file;
  std::string chain_file;
};

class Authority {
 public:
  Authority();

  // `names` as openssl writes them: "DNS:a.test,URI:spiffe://test/a". `key`: "EC" (P-256) or "RSA"
  // (2048). `use`: serverAuth or clientAuth. Empty fields where openssl fails.
  Issued Issue(const std::string& common_name, const std::string& names,
               const std::string& key = "EC", const std::string& use = "serverAuth");

  // The certificate for a PKCS#10 request, PEM both; empty where openssl fails.
  std::string Sign(const std::string& request, const std::string& names,
                   const std::string& use = "serverAuth");

  std::string file() const { return folder_.File("ca.pem"); }

 private:
  TempFolder folder_;
  int issued_ = 0;
};

}  // namespace handfast::test

#endif  // HANDFAST_TESTS_SUPPORT_AUTHORITY_H_
