#include "tests/tls/connection/libssl_server.h"

#include <cstdio>
#include <cstdlib>

#include <openssl/x509.h>

namespace handfast::tls::test {
namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "libssl refused: %s\n", what);
  std::abort();
}

}  // namespace

SSL_CTX* LibsslServerContext(const Leaf& leaf, size_t tickets) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  const uint8_t* der = leaf.chain[0].data();
  X509* certificate = d2i_X509(nullptr, &der, static_cast<long>(leaf.chain[0].size()));
  Require(SSL_CTX_use_certificate(context, certificate) == 1, "libssl takes the certificate");
  X509_free(certificate);
  der = leaf.key_pkcs8.data();
  EVP_PKEY* key = d2i_AutoPrivateKey(nullptr, &der, static_cast<long>(leaf.key_pkcs8.size()));
  Require(SSL_CTX_use_PrivateKey(context, key) == 1, "libssl takes the key");
  EVP_PKEY_free(key);
  SSL_CTX_set_num_tickets(context, tickets);
  if (tickets == 0) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  return context;
}

LibsslServer::LibsslServer(SSL_CTX* context)
    : ssl_(SSL_new(context)), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
  BIO_set_mem_eof_return(in_, -1);
  SSL_set_bio(ssl_, in_, out_);
  SSL_set_accept_state(ssl_);
}

Bytes LibsslServer::Receive(ByteView from_client) {
  BIO_write(in_, from_client.data(), static_cast<int>(from_client.size()));
  SSL_do_handshake(ssl_);
  return Drain();
}

Bytes LibsslServer::Drain() {
  Bytes out(BIO_ctrl_pending(out_));
  if (!out.empty()) BIO_read(out_, out.data(), static_cast<int>(out.size()));
  return out;
}

Bytes LibsslServer::Write(ByteView plaintext) {
  Require(SSL_write(ssl_, plaintext.data(), static_cast<int>(plaintext.size())) > 0, "write");
  return Drain();
}

Bytes LibsslServer::Read(ByteView from_client) {
  if (!from_client.empty()) {
    BIO_write(in_, from_client.data(), static_cast<int>(from_client.size()));
  }
  Bytes plaintext;
  uint8_t chunk[16384];
  for (int n; (n = SSL_read(ssl_, chunk, sizeof(chunk))) > 0;) {
    plaintext.insert(plaintext.end(), chunk, chunk + n);
  }
  return plaintext;
}

}  // namespace handfast::tls::test
