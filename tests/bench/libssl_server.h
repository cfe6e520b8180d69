// libssl as the server, on memory buffers: the peer to beat.
#ifndef HANDFAST_TESTS_BENCH_LIBSSL_SERVER_H_
#define HANDFAST_TESTS_BENCH_LIBSSL_SERVER_H_

#include <openssl/ssl.h>

#include "tests/tls/crypto/test_ca.h"
#include "tls/base/bytes.h"

namespace handfast::bench {

// The leaf's certificate and key; neither tickets nor a session cache. The caller frees it.
SSL_CTX* LibsslServerContext(const tls::test::Leaf& leaf);

class LibsslServer {
 public:
  explicit LibsslServer(SSL_CTX* context);
  ~LibsslServer() { SSL_free(ssl_); }
  LibsslServer(const LibsslServer&) = delete;
  LibsslServer& operator=(const LibsslServer&) = delete;

  // Takes bytes from the client, goes on, and returns bytes for it.
  tls::Bytes Receive(tls::ByteView from_client);

 private:
  SSL* ssl_;
  BIO* in_;
  BIO* out_;
};

}  // namespace handfast::bench

#endif  // HANDFAST_TESTS_BENCH_LIBSSL_SERVER_H_
