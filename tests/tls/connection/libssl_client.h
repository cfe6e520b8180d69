// libssl as a TLS client on memory buffers: the first foreign peer, in process.
#ifndef HANDFAST_TESTS_TLS_CONNECTION_LIBSSL_CLIENT_H_
#define HANDFAST_TESTS_TLS_CONNECTION_LIBSSL_CLIENT_H_

#include <memory>
#include <string>
#include <vector>

#include <openssl/ssl.h>

#include "tests/tls/crypto/test_ca.h"
#include "tls/base/bytes.h"

namespace handfast::tls::test {

struct LibsslOptions {
  int version = TLS1_3_VERSION;    // both minimum and maximum
  std::string cipher_suites = {};  // TLS 1.3 names; empty: the default
  std::string cipher_list = {};    // TLS 1.2 names
  std::string groups = {};         // "P-256:X25519"
  std::string signature_algorithms = {};
  std::string server_name = {};
  std::vector<std::string> alpn = {};
  std::string trusted_pem = {};       // empty: the server is not verified
  const Leaf* certificate = nullptr;  // shown where one is asked for
  bool status_request = false;        // an OCSP response is asked for
  int max_fragment = 0;               // SSL_CTX_set_max_send_fragment
  SSL_SESSION* session = nullptr;     // offered; stays the caller's
  uint64_t ssl_options = 0;           // SSL_CTX_set_options
};

class LibsslClient {
 public:
  explicit LibsslClient(const LibsslOptions& options);
  ~LibsslClient();
  LibsslClient(const LibsslClient&) = delete;
  LibsslClient& operator=(const LibsslClient&) = delete;

  // Takes bytes from the server, goes on, and returns bytes for it.
  Bytes Receive(ByteView from_server);
  bool done() const;
  // libssl's words for a failure.
  const std::string& error() const { return error_; }

  // Application data, after the handshake.
  Bytes Write(ByteView plaintext);
  // All plaintext that `from_server` holds.
  Bytes Read(ByteView from_server);
  Bytes Close();

  // The sessions that the server has given so far, oldest first; they live as long as the client.
  const std::vector<SSL_SESSION*>& sessions() const { return sessions_; }
  bool resumed() const { return SSL_session_reused(ssl_) == 1; }
  // Its ClientHello and early data, from a client whose session allows it.
  Bytes StartWithEarlyData(ByteView plaintext);

  // What was stapled; empty: nothing.
  Bytes ocsp_response() const;

  SSL* ssl() { return ssl_; }

 private:
  static int OnSession(SSL* ssl, SSL_SESSION* session);
  Bytes Drain();

  SSL_CTX* context_;
  SSL* ssl_;
  BIO* in_;
  BIO* out_;
  std::string error_;
  std::vector<SSL_SESSION*> sessions_;
};

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CONNECTION_LIBSSL_CLIENT_H_
