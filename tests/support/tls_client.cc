#include "tests/support/tls_client.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tests/support/net.h"

namespace handfast::test {
namespace {

std::string AlpnList(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += static_cast<char>(name.size()) + name;
  return list;
}

}  // namespace

struct TlsClient::State {
  SSL_CTX* context = nullptr;
  SSL* ssl = nullptr;
  ~State() {
    SSL_free(ssl);
    SSL_CTX_free(context);
  }
};

TlsClient::TlsClient(int port, const TlsClientOptions& options)
    : state_(std::make_unique<State>()) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  state_->context = context;
  if (options.version != 0) {
    SSL_CTX_set_min_proto_version(context, options.version);
    SSL_CTX_set_max_proto_version(context, options.version);
  }
  // A transport that ends without close_notify is an error, as libssl has it by default.
  if (!options.ca_file.empty()) {
    SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  }
  if (!options.certificate_file.empty()) {
    SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str());
    SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM);
  }
  const std::string alpn = AlpnList(options.alpn);
  if (!alpn.empty()) {
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(alpn.data()),
                            static_cast<unsigned>(alpn.size()));
  }
  fd_ = ConnectTo(port, options.receive_buffer);
  if (fd_ < 0) {
    error_ = "cannot connect";
    return;
  }
  if (!SendAll(fd_, options.preface)) return;
  SSL* ssl = SSL_new(context);
  state_->ssl = ssl;
  SSL_set_fd(ssl, fd_);
  if (!options.server_name.empty()) {
    SSL_set_tlsext_host_name(ssl, options.server_name.c_str());
    if (!options.ca_file.empty()) SSL_set1_host(ssl, options.server_name.c_str());
  }
  ERR_clear_error();
  ok_ = SSL_connect(ssl) == 1;
  if (!ok_) NoteError("handshake");
}

TlsClient::~TlsClient() { Drop(); }

void TlsClient::NoteError(const char* what) {
  char words[256] = "no reason given";
  if (const auto code = ERR_get_error(); code != 0) {
    ERR_error_string_n(code, words, sizeof words);
  }
  error_ = std::string(what) + ": " + words;
}

std::string TlsClient::version() const { return SSL_get_version(state_->ssl); }

std::string TlsClient::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(state_->ssl, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

bool TlsClient::Write(std::string_view bytes) {
  ERR_clear_error();
  size_t wrote = 0;
  while (!bytes.empty()) {
    if (SSL_write_ex(state_->ssl, bytes.data(), bytes.size(), &wrote) != 1) {
      NoteError("write");
      return false;
    }
    bytes.remove_prefix(wrote);
  }
  return true;
}

std::string TlsClient::Read(size_t size) {
  std::string bytes(size, '\0');
  size_t got = 0;
  ERR_clear_error();
  if (SSL_read_ex(state_->ssl, bytes.data(), size, &got) != 1) {
    // libssl's shutdown state would not do: a fatal alert sets it too.
    ended_cleanly_ = SSL_get_error(state_->ssl, 0) == SSL_ERROR_ZERO_RETURN;
    NoteError("read");
    got = 0;
  }
  bytes.resize(got);
  return bytes;
}

std::string TlsClient::ReadExactly(size_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    const std::string more = Read(std::min<size_t>(size - bytes.size(), 65536));
    if (more.empty()) break;
    bytes += more;
  }
  return bytes;
}

std::string TlsClient::ReadAll() {
  std::string bytes;
  for (std::string more = Read(); !more.empty(); more = Read()) bytes += more;
  return bytes;
}

bool TlsClient::ended_cleanly() const { return ended_cleanly_; }

void TlsClient::CloseWrite() {
  ERR_clear_error();
  SSL_shutdown(state_->ssl);
}

void TlsClient::Drop() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

bool TlsClient::UpdateKeys(bool request) {
  const int type = request ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED;
  return SSL_key_update(state_->ssl, type) == 1 && SSL_do_handshake(state_->ssl) == 1;
}

std::string MakeClientHello(const std::string& server_name) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  SSL_set_tlsext_host_name(ssl, server_name.c_str());
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
  (void)SSL_connect(ssl);
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(out, &bytes);
  std::string hello(bytes, static_cast<size_t>(size));
  SSL_free(ssl);
  SSL_CTX_free(context);
  return hello;
}

bool TlsClient::Renegotiate() {
  ERR_clear_error();
  if (SSL_renegotiate(state_->ssl) != 1) return false;
  const bool done = SSL_do_handshake(state_->ssl) == 1;
  if (!done) NoteError("renegotiation");
  return done;
}

}  // namespace handfast::test
