// A TLS client and server on BoringSSL, which ships as a library alone: see peer.h. Like Chromium
// it sends GREASE and shuffles its extensions.
//
//   boringssl_peer client|server FLAGS
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tests/interop/peer.h"

namespace {

using peer::Check;

// Of those that BoringSSL knows, all; some it leaves out by itself.
constexpr uint16_t kSchemes[] = {SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_ECDSA_SECP384R1_SHA384,
                                 SSL_SIGN_ECDSA_SECP521R1_SHA512, SSL_SIGN_ED25519,
                                 SSL_SIGN_RSA_PSS_RSAE_SHA256,    SSL_SIGN_RSA_PSS_RSAE_SHA384,
                                 SSL_SIGN_RSA_PSS_RSAE_SHA512,    SSL_SIGN_RSA_PKCS1_SHA256};

// The sessions that came last; the client offers it on its next connection.
SSL_SESSION* kept_session = nullptr;

int KeepSession(SSL*, SSL_SESSION* session) {
  SSL_SESSION_free(kept_session);
  kept_session = session;
  return 1;  // it is ours now
}

// The one protocol, as it stands in the extension.
std::string protocol_list;

int SelectProtocol(SSL*, const uint8_t** out, uint8_t* size, const uint8_t* offered,
                   unsigned offered_size, void*) {
  const auto* ours = reinterpret_cast<const uint8_t*>(protocol_list.data());
  uint8_t* chosen = nullptr;
  const int result = SSL_select_next_proto(
      &chosen, size, ours, static_cast<unsigned>(protocol_list.size()), offered, offered_size);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::string CurvesOf(const peer::Flags& flags) {
  // P-521 it leaves out by itself.
  if (!flags.Has("--groups")) return "X25519:P-256:P-384:P-521";
  std::string list;
  for (const std::string& name : flags.List("--groups")) {
    if (!list.empty()) list += ":";
    list += name == "x25519" ? "X25519" : "P-" + name.substr(1);
  }
  return list;
}

int VerifyModeOf(const peer::Flags& flags, bool server) {
  const std::string auth = flags.Get("--auth");
  if (!server) return SSL_VERIFY_PEER;
  if (auth == "required") return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  return auth == "optional" ? SSL_VERIFY_PEER : SSL_VERIFY_NONE;
}

void ConfigureProtocol(SSL_CTX* context, const peer::Flags& flags, bool server) {
  const std::string protocol = flags.Get("--alpn");
  if (protocol.empty()) return;
  protocol_list = std::string(1, static_cast<char>(protocol.size())) + protocol;
  if (server) {
    SSL_CTX_set_alpn_select_cb(context, SelectProtocol, nullptr);
  } else {
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const uint8_t*>(protocol_list.data()),
                            static_cast<unsigned>(protocol_list.size()));
  }
}

SSL_CTX* Configure(const peer::Flags& flags, bool server) {
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  Check(context != nullptr, "context");
  const uint16_t version = flags.Get("--version") == "1.3" ? TLS1_3_VERSION : TLS1_2_VERSION;
  Check(SSL_CTX_set_min_proto_version(context, version) == 1 &&
            SSL_CTX_set_max_proto_version(context, version) == 1,
        "--version");
  Check(SSL_CTX_load_verify_locations(context, flags.Get("--ca").c_str(), nullptr) == 1, "--ca");
  if (flags.Has("--cert")) {
    Check(SSL_CTX_use_certificate_chain_file(context, flags.Get("--cert").c_str()) == 1, "--cert");
    Check(SSL_CTX_use_PrivateKey_file(context, flags.Get("--key").c_str(), SSL_FILETYPE_PEM) == 1,
          "--key");
  }
  SSL_CTX_set_verify(context, VerifyModeOf(flags, server), nullptr);
  Check(SSL_CTX_set_verify_algorithm_prefs(context, kSchemes, std::size(kSchemes)) == 1, "schemes");
  Check(SSL_CTX_set1_curves_list(context, CurvesOf(flags).c_str()) == 1, "--groups");
  ConfigureProtocol(context, flags, server);
  // Without it no session of an authenticated client is resumed.
  const uint8_t name[] = "peer";
  SSL_CTX_set_session_id_context(context, name, sizeof(name));
  SSL_CTX_set_grease_enabled(context, 1);
  SSL_CTX_set_permute_extensions(context, 1);
  if (!server) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(context, KeepSession);
  }
  return context;
}

void Say(SSL* ssl) {
  const uint8_t* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &protocol, &size);
  char name[256] = "";
  if (X509* certificate = SSL_get_peer_certificate(ssl)) {
    X509_NAME_oneline(X509_get_subject_name(certificate), name, sizeof(name));
    X509_free(certificate);
  }
  peer::SayOfConnection(SSL_session_reused(ssl) == 1,
                        std::string(reinterpret_cast<const char*>(protocol), size), name);
}

[[noreturn]] void Serve(const peer::Flags& flags) {
  SSL_CTX* context = Configure(flags, true);
  const int listener = peer::Listen(flags);
  for (;;) {
    const int fd = accept(listener, nullptr, nullptr);
    Check(fd >= 0, "accept");
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) {
      Say(ssl);
      peer::AnswerLines([ssl](char* bytes, int size) { return SSL_read(ssl, bytes, size); },
                        [ssl](const char* bytes, int size) { return SSL_write(ssl, bytes, size); });
      SSL_shutdown(ssl);
    } else {
      ERR_print_errors_fp(stderr);
    }
    SSL_free(ssl);
    close(fd);
  }
}

void Connect(SSL_CTX* context, const peer::Flags& flags, const std::string& line) {
  const int fd = peer::Connect(flags);
  const std::string name = flags.Get("--name");
  SSL* ssl = SSL_new(context);
  Check(SSL_set_fd(ssl, fd) == 1 && SSL_set_tlsext_host_name(ssl, name.c_str()) == 1 &&
            X509_VERIFY_PARAM_set1_host(SSL_get0_param(ssl), name.data(), name.size()) == 1,
        "connection");
  if (kept_session != nullptr) Check(SSL_set_session(ssl, kept_session) == 1, "session");
  if (SSL_connect(ssl) != 1) {
    ERR_print_errors_fp(stderr);
    std::exit(1);
  }
  Say(ssl);
  Check(SSL_write(ssl, line.data(), static_cast<int>(line.size())) > 0, "write");
  const int end =
      peer::PrintAll([ssl](char* bytes, int size) { return SSL_read(ssl, bytes, size); });
  Check(SSL_get_error(ssl, end) == SSL_ERROR_ZERO_RETURN, "close_notify");
  SSL_shutdown(ssl);
  SSL_free(ssl);
  close(fd);
}

int RunClient(const peer::Flags& flags) {
  SSL_CTX* context = Configure(flags, false);
  const std::string line = peer::LineOfInput();
  for (int left = std::stoi(flags.Get("--connections")); left > 0; --left) {
    Connect(context, flags, line);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::string role = argc > 1 ? argv[1] : "";
  const peer::Flags flags(argc, argv, 2);
  if (role == "server") Serve(flags);
  if (role == "client") return RunClient(flags);
  std::fprintf(stderr, "usage: %s client|server FLAGS\n", argv[0]);
  return 2;
}
