// A TLS client on mbedTLS, which ships as a library alone: connects to 127.0.0.1, sends its
// standard input's first line, prints what comes back. Exit code 0 after the server's close_notify.
//
//   mbedtls_client PORT SERVER_NAME CA_FILE PROTOCOL|- CONNECTIONS [CERTIFICATE_FILE KEY_FILE]
//
// A connection after the first offers the session of the one before. That it was resumed shows in
// that no certificate was verified.
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

// The process ends at the first failure, and its memory with it.
void Check(int result, const char* what) {
  if (result >= 0) return;
  char text[128];
  mbedtls_strerror(result, text, sizeof(text));
  std::fprintf(stderr, "%s: -0x%x %s\n", what, static_cast<unsigned>(-result), text);
  std::exit(1);
}

struct Client {
  mbedtls_net_context socket;
  mbedtls_entropy_context entropy;
  mbedtls_ctr_drbg_context random;
  mbedtls_ssl_config config;
  mbedtls_ssl_context ssl;
  mbedtls_x509_crt authorities;
  mbedtls_x509_crt certificate;
  mbedtls_pk_context key;
  mbedtls_ssl_session session;
  int verified = 0;  // certificates, on this connection

  Client() {
    mbedtls_net_init(&socket);
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random);
    mbedtls_ssl_config_init(&config);
    mbedtls_ssl_init(&ssl);
    mbedtls_x509_crt_init(&authorities);
    mbedtls_x509_crt_init(&certificate);
    mbedtls_pk_init(&key);
    mbedtls_ssl_session_init(&session);
    Check(mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, nullptr, 0), "random");
  }

  void Configure(const char* ca_file, const char* certificate_file, const char* key_file) {
    Check(mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                      MBEDTLS_SSL_PRESET_DEFAULT),
          "defaults");
    mbedtls_ssl_conf_min_version(&config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random);
    Check(mbedtls_x509_crt_parse_file(&authorities, ca_file), ca_file);
    mbedtls_ssl_conf_authmode(&config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(&config, &authorities, nullptr);
    mbedtls_ssl_conf_verify(
        &config,
        [](void* self, mbedtls_x509_crt*, int, uint32_t*) {
          ++static_cast<Client*>(self)->verified;
          return 0;
        },
        this);
    if (certificate_file == nullptr) return;
    Check(mbedtls_x509_crt_parse_file(&certificate, certificate_file), certificate_file);
    Check(mbedtls_pk_parse_keyfile(&key, key_file, nullptr), key_file);
    Check(mbedtls_ssl_conf_own_cert(&config, &certificate, &key), "own certificate");
  }

  void Offer(const char* protocol) {
    static const char* protocols[2] = {};
    protocols[0] = protocol;
    Check(mbedtls_ssl_conf_alpn_protocols(&config, protocols), "protocol");
  }

  void Connect(const char* port, const char* server_name, bool again) {
    mbedtls_ssl_free(&ssl);
    mbedtls_ssl_init(&ssl);
    verified = 0;
    Check(mbedtls_net_connect(&socket, "127.0.0.1", port, MBEDTLS_NET_PROTO_TCP), "connect");
    Check(mbedtls_ssl_setup(&ssl, &config), "setup");
    Check(mbedtls_ssl_set_hostname(&ssl, server_name), "server name");
    if (again) Check(mbedtls_ssl_set_session(&ssl, &session), "session");
    mbedtls_ssl_set_bio(&ssl, &socket, mbedtls_net_send, mbedtls_net_recv, nullptr);
    Check(mbedtls_ssl_handshake(&ssl), "handshake");
    std::printf("%s %s\n", mbedtls_ssl_get_version(&ssl), mbedtls_ssl_get_ciphersuite(&ssl));
    std::printf("resumed=%d\n", verified == 0 ? 1 : 0);
  }

  void Exchange(const std::string& line) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(line.data());
    Check(mbedtls_ssl_write(&ssl, bytes, line.size()), "write");
    for (;;) {
      unsigned char chunk[1024];
      const int n = mbedtls_ssl_read(&ssl, chunk, sizeof(chunk));
      if (n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) break;
      Check(n == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : n, "read");
      std::fwrite(chunk, 1, static_cast<size_t>(n), stdout);
    }
    mbedtls_ssl_session_free(&session);
    mbedtls_ssl_session_init(&session);
    Check(mbedtls_ssl_get_session(&ssl, &session), "session");
    Check(mbedtls_ssl_close_notify(&ssl), "close_notify");
    mbedtls_net_free(&socket);
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6 && argc != 8) {
    std::fprintf(stderr,
                 "usage: %s PORT SERVER_NAME CA_FILE PROTOCOL|- CONNECTIONS"
                 " [CERTIFICATE_FILE KEY_FILE]\n",
                 argv[0]);
    return 2;
  }
  char line[1024];
  if (std::fgets(line, sizeof(line), stdin) == nullptr) return 2;
  static Client client;  // never torn down: static, so that it stays reachable
  client.Configure(argv[3], argc == 8 ? argv[6] : nullptr, argc == 8 ? argv[7] : nullptr);
  if (std::strcmp(argv[4], "-") != 0) client.Offer(argv[4]);
  for (int done = 0; done < std::atoi(argv[5]); ++done) {
    client.Connect(argv[1], argv[2], done > 0);
    client.Exchange(line);
  }
  return 0;
}
