// libssl as the server, on memory buffers: the peer to beat.
#ifndef HANDFAST_TESTS_TLS_CONNECTION_LIBSSL_SERVER_H_
#define HANDFAST_TESTS_TLS_CONNECTION_LIBSSL_SERVER_H_

#include <openssl/ssl.h>

#include "tests/tls/crypto/test_ca.h"
#include "tls/base/bytes.h"

namespace handfast::tls::test {

// The leaf's certificate and key, without a session cache. In TLS 1.3 it sends so many tickets
// after a full handshake; 0: it neither sends nor takes any. The caller frees it.
SSL_CTX* LibsslServerContext(const Leaf& leaf, size_t tickets = 0);

class LibsslServer {
 public:
  explicit LibsslServer(SSL_CTX* context);
  ~LibsslServer() { SSL_free(ssl_); }
  LibsslServer(const LibsslServer&) = delete;
  LibsslServer& operator=(const LibsslServer&) = delete;

  // Takes bytes from the client, goes on, and returns bytes for it.
  Bytes Receive(ByteView from_client);
  bool done() const { return SSL_is_init_finished(ssl_) == 1; }
  // Application data, after the handshake.
  Bytes Write(ByteView plaintext);
  Bytes Read(ByteView from_client);
  SSL* ssl() { return ssl_; }

 private:
  Bytes Drain();
  SSL* ssl_;
  BIO* in_;
  BIO* out_;
};

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CONNECTION_LIBSSL_SERVER_H_
