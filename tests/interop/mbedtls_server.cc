// A TLS server on mbedTLS, which ships as a library alone: see peer.h. Serves one connection
// after the other until it is stopped.
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/interop/peer.h"

namespace {

std::string TextOf(int result) {
  char text[128];
  mbedtls_strerror(result, text, sizeof(text));
  return text;
}

// The process ends where it cannot start, and its memory with it.
void Check(int result, const char* what) {
  if (result >= 0) return;
  std::fprintf(stderr, "%s: %s\n", what, TextOf(result).c_str());
  std::exit(1);
}

int AuthModeOf(const std::string& word) {
  if (word == "required") return MBEDTLS_SSL_VERIFY_REQUIRED;
  return word == "optional" ? MBEDTLS_SSL_VERIFY_OPTIONAL : MBEDTLS_SSL_VERIFY_NONE;
}

mbedtls_ecp_group_id GroupOf(const std::string& name) {
  if (name == "x25519") return MBEDTLS_ECP_DP_CURVE25519;
  if (name == "p384") return MBEDTLS_ECP_DP_SECP384R1;
  return name == "p521" ? MBEDTLS_ECP_DP_SECP521R1 : MBEDTLS_ECP_DP_SECP256R1;
}

struct Server {
  mbedtls_net_context listener;
  mbedtls_entropy_context entropy;
  mbedtls_ctr_drbg_context random;
  mbedtls_ssl_config config;
  mbedtls_x509_crt authorities;
  mbedtls_x509_crt certificate;
  mbedtls_pk_context key;
  std::string protocol;
  const char* protocols[2] = {};
  std::vector<mbedtls_ecp_group_id> groups;

  explicit Server(const peer::Flags& flags) : protocol(flags.Get("--alpn")) {
    mbedtls_net_init(&listener);
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random);
    mbedtls_ssl_config_init(&config);
    mbedtls_x509_crt_init(&authorities);
    mbedtls_x509_crt_init(&certificate);
    mbedtls_pk_init(&key);
    Check(mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, nullptr, 0), "random");
    Check(mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                      MBEDTLS_SSL_PRESET_DEFAULT),
          "defaults");
    mbedtls_ssl_conf_min_version(&config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random);
    Check(mbedtls_x509_crt_parse_file(&authorities, flags.Get("--ca").c_str()), "--ca");
    Check(mbedtls_x509_crt_parse_file(&certificate, flags.Get("--cert").c_str()), "--cert");
    Check(mbedtls_pk_parse_keyfile(&key, flags.Get("--key").c_str(), nullptr), "--key");
    Check(mbedtls_ssl_conf_own_cert(&config, &certificate, &key), "own certificate");
    mbedtls_ssl_conf_ca_chain(&config, &authorities, nullptr);
    mbedtls_ssl_conf_authmode(&config, AuthModeOf(flags.Get("--auth")));
    protocols[0] = protocol.c_str();
    if (!protocol.empty()) Check(mbedtls_ssl_conf_alpn_protocols(&config, protocols), "--alpn");
    for (const std::string& name : flags.List("--groups")) groups.push_back(GroupOf(name));
    groups.push_back(MBEDTLS_ECP_DP_NONE);
    if (groups.size() > 1) mbedtls_ssl_conf_curves(&config, groups.data());
    Check(mbedtls_net_bind(&listener, "127.0.0.1", flags.Get("--port").c_str(),
                           MBEDTLS_NET_PROTO_TCP),
          "listen");
    peer::Say("listening");
  }

  void ServeOne() {
    mbedtls_net_context socket;
    mbedtls_ssl_context ssl;
    mbedtls_net_init(&socket);
    mbedtls_ssl_init(&ssl);
    Check(mbedtls_net_accept(&listener, &socket, nullptr, 0, nullptr), "accept");
    Check(mbedtls_ssl_setup(&ssl, &config), "setup");
    mbedtls_ssl_set_bio(&ssl, &socket, mbedtls_net_send, mbedtls_net_recv, nullptr);
    const int result = mbedtls_ssl_handshake(&ssl);
    if (result == 0) {
      Exchange(ssl);
    } else {
      std::fprintf(stderr, "handshake: %s\n", TextOf(result).c_str());
    }
    mbedtls_ssl_free(&ssl);
    mbedtls_net_free(&socket);
  }

  static void Exchange(mbedtls_ssl_context& ssl) {
    char subject[256] = "";
    const mbedtls_x509_crt* client = mbedtls_ssl_get_peer_cert(&ssl);
    if (client != nullptr) mbedtls_x509_dn_gets(subject, sizeof(subject), &client->subject);
    const char* protocol = mbedtls_ssl_get_alpn_protocol(&ssl);
    peer::SayOfConnection(false, protocol == nullptr ? "" : protocol, subject);
    peer::AnswerLines(
        [&ssl](char* bytes, int size) {
          return mbedtls_ssl_read(&ssl, reinterpret_cast<unsigned char*>(bytes),
                                  static_cast<size_t>(size));
        },
        [&ssl](const char* bytes, int size) {
          return mbedtls_ssl_write(&ssl, reinterpret_cast<const unsigned char*>(bytes),
                                   static_cast<size_t>(size));
        });
    mbedtls_ssl_close_notify(&ssl);
  }
};

}  // namespace

int main(int argc, char** argv) {
  static Server server(peer::Flags(argc, argv, 1));
  for (;;) server.ServeOne();
}
