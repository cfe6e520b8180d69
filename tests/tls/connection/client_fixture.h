// What the tests of the client role share: an authority, and a client that trusts it.
#ifndef HANDFAST_TESTS_TLS_CONNECTION_CLIENT_FIXTURE_H_
#define HANDFAST_TESTS_TLS_CONNECTION_CLIENT_FIXTURE_H_

#include <memory>

#include <openssl/ssl.h>

#include "tests/tls/connection/server_driver.h"
#include "tests/tls/crypto/test_ca.h"

namespace handfast::tls::test {

inline const TestCa& Ca() {
  static const TestCa ca = TestCa::Create("CA");
  return ca;
}

// Trusts the CA; has no certificate of its own.
inline ServerKit ClientKit() {
  ServerKit kit;
  kit.as_client = true;
  kit.profile = ModernProfile();
  kit.clients = std::make_shared<const TrustBundle>(Ca().Bundle());
  return kit;
}

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using LibsslContext = std::unique_ptr<SSL_CTX, FreeContext>;

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CONNECTION_CLIENT_FIXTURE_H_
