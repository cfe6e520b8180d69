#include "tests/tls/connection/libssl_client.h"

#include <cstdio>
#include <cstdlib>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace handfast::tls::test {
namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "libssl refused: %s\n", what);
  ERR_print_errors_fp(stderr);
  std::abort();
}

void Trust(SSL_CTX* context, const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* root = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  Require(root != nullptr, "trusted certificate");
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root);
  X509_free(root);
  BIO_free(bio);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
}

void Present(SSL_CTX* context, const Leaf& leaf) {
  for (size_t i = 0; i < leaf.chain.size(); ++i) {
    const uint8_t* der = leaf.chain[i].data();
    X509* certificate = d2i_X509(nullptr, &der, static_cast<long>(leaf.chain[i].size()));
    Require(certificate != nullptr, "client certificate");
    if (i == 0) {
      Require(SSL_CTX_use_certificate(context, certificate) == 1, "client leaf");
      X509_free(certificate);
    } else {
      Require(SSL_CTX_add_extra_chain_cert(context, certificate) == 1, "client chain");
    }
  }
  const uint8_t* der = leaf.key_pkcs8.data();
  EVP_PKEY* key = d2i_AutoPrivateKey(nullptr, &der, static_cast<long>(leaf.key_pkcs8.size()));
  Require(key != nullptr && SSL_CTX_use_PrivateKey(context, key) == 1, "client key");
  EVP_PKEY_free(key);
}

std::vector<uint8_t> AlpnWire(const std::vector<std::string>& protocols) {
  std::vector<uint8_t> wire;
  for (const std::string& protocol : protocols) {
    wire.push_back(static_cast<uint8_t>(protocol.size()));
    wire.insert(wire.end(), protocol.begin(), protocol.end());
  }
  return wire;
}

}  // namespace

LibsslClient::LibsslClient(const LibsslOptions& options)
    : context_(SSL_CTX_new(TLS_client_method())) {
  Require(SSL_CTX_set_min_proto_version(context_, options.version) == 1, "version");
  Require(SSL_CTX_set_max_proto_version(context_, options.version) == 1, "version");
  if (!options.cipher_suites.empty()) {
    Require(SSL_CTX_set_ciphersuites(context_, options.cipher_suites.c_str()) == 1, "suites");
  }
  if (!options.cipher_list.empty()) {
    Require(SSL_CTX_set_cipher_list(context_, options.cipher_list.c_str()) == 1, "ciphers");
  }
  if (!options.groups.empty()) {
    Require(SSL_CTX_set1_groups_list(context_, options.groups.c_str()) == 1, "groups");
  }
  if (!options.signature_algorithms.empty()) {
    Require(SSL_CTX_set1_sigalgs_list(context_, options.signature_algorithms.c_str()) == 1,
            "signature algorithms");
  }
  if (!options.trusted_pem.empty()) Trust(context_, options.trusted_pem);
  if (options.certificate != nullptr) Present(context_, *options.certificate);
  if (options.max_fragment != 0) {
    Require(SSL_CTX_set_max_send_fragment(context_, options.max_fragment) == 1, "fragment");
  }
  SSL_CTX_set_session_cache_mode(context_,
                                 SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context_, &LibsslClient::OnSession);
  SSL_CTX_set_options(context_, options.ssl_options);
  ssl_ = SSL_new(context_);
  SSL_set_app_data(ssl_, this);
  if (options.session != nullptr) {
    Require(SSL_set_session(ssl_, options.session) == 1, "session");
  }
  in_ = BIO_new(BIO_s_mem());
  out_ = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(in_, -1);
  SSL_set_bio(ssl_, in_, out_);
  if (!options.server_name.empty()) {
    Require(SSL_set_tlsext_host_name(ssl_, options.server_name.c_str()) == 1, "server name");
    Require(SSL_set1_host(ssl_, options.server_name.c_str()) == 1, "host");
  }
  if (!options.alpn.empty()) {
    const std::vector<uint8_t> wire = AlpnWire(options.alpn);
    Require(SSL_set_alpn_protos(ssl_, wire.data(), static_cast<unsigned>(wire.size())) == 0,
            "ALPN");
  }
  if (options.status_request) {
    Require(SSL_set_tlsext_status_type(ssl_, TLSEXT_STATUSTYPE_ocsp) == 1, "status_request");
  }
  SSL_set_connect_state(ssl_);
}

LibsslClient::~LibsslClient() {
  for (SSL_SESSION* session : sessions_) SSL_SESSION_free(session);
  // Else libssl takes the session for broken and never resumes it.
  SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl_);
  SSL_CTX_free(context_);
}

int LibsslClient::OnSession(SSL* ssl, SSL_SESSION* session) {
  static_cast<LibsslClient*>(SSL_get_app_data(ssl))->sessions_.push_back(session);
  return 1;  // ours now
}

Bytes LibsslClient::StartWithEarlyData(ByteView plaintext) {
  size_t written = 0;
  Require(SSL_write_early_data(ssl_, plaintext.data(), plaintext.size(), &written) == 1,
          "early data");
  return Drain();
}

Bytes LibsslClient::Drain() {
  Bytes out(BIO_ctrl_pending(out_));
  if (!out.empty()) BIO_read(out_, out.data(), static_cast<int>(out.size()));
  return out;
}

Bytes LibsslClient::Receive(ByteView from_server) {
  if (!from_server.empty()) {
    BIO_write(in_, from_server.data(), static_cast<int>(from_server.size()));
  }
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result != 1) {
    const int code = SSL_get_error(ssl_, result);
    if (code != SSL_ERROR_WANT_READ && code != SSL_ERROR_WANT_WRITE) {
      const char* reason = ERR_reason_error_string(ERR_peek_last_error());
      error_ = reason != nullptr ? reason : "unknown";
    }
  }
  return Drain();
}

Bytes LibsslClient::ocsp_response() const {
  unsigned char* der = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(ssl_, &der);
  return size <= 0 ? Bytes() : Bytes(der, der + size);
}

bool LibsslClient::done() const { return SSL_is_init_finished(ssl_) == 1; }

Bytes LibsslClient::Write(ByteView plaintext) {
  Require(SSL_write(ssl_, plaintext.data(), static_cast<int>(plaintext.size())) > 0, "write");
  return Drain();
}

Bytes LibsslClient::Read(ByteView from_server) {
  if (!from_server.empty()) {
    BIO_write(in_, from_server.data(), static_cast<int>(from_server.size()));
  }
  Bytes plaintext;
  uint8_t chunk[16384];
  for (int n; (n = SSL_read(ssl_, chunk, sizeof(chunk))) > 0;) {
    plaintext.insert(plaintext.end(), chunk, chunk + n);
  }
  return plaintext;
}

Bytes LibsslClient::Close() {
  SSL_shutdown(ssl_);
  return Drain();
}

}  // namespace handfast::tls::test
