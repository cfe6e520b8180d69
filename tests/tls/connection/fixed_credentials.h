// A server and a client that are the same in every run: Ed25519 keys, whose signatures are a
// function of the message, under certificates that were issued once. For transcripts that are
// compared byte for byte; the keys are worthless.
#ifndef HANDFAST_TESTS_TLS_CONNECTION_FIXED_CREDENTIALS_H_
#define HANDFAST_TESTS_TLS_CONNECTION_FIXED_CREDENTIALS_H_

#include "tests/tls/connection/server_driver.h"
#include "tests/tls/crypto/test_ca.h"

namespace handfast::tls::test {

// For example.test.
const Leaf& FixedServer();
// For spiffe://example.test/client.
const Leaf& FixedClient();

// The fixed server under the intermediate profile; it trusts the fixed client's issuer.
ServerKit FixedKit(ClientAuth client_auth = ClientAuth::kNone);

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CONNECTION_FIXED_CREDENTIALS_H_
