// libssl as the server, on memory buffers: the peer to beat.
#ifndef HANDFAST_TESTS_BENCH_LIBSSL_SERVER_H_
#define HANDFAST_TESTS_BENCH_LIBSSL_SERVER_H_

#include <openssl/ssl.h>

#include "tests/tls/crypto/test_ca.h"
#include "tls/base/bytes.h"

namespace handfast::bench {

// The leaf's certificate and key, without a session cache. In TLS 1.3 it sends so many tickets
// after a full handshake; 0: it neither sends nor takes any. The caller frees it.
SSL_CTX* LibsslServerContext(const tls::test::Leaf& leaf, size_t tickets = 0);

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
