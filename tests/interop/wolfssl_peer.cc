// A TLS client and server on wolfSSL, which ships as a library alone: see peer.h.
//
//   wolfssl_peer client|server FLAGS
// clang-format off: its settings come first.
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
// clang-format on
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/interop/peer.h"

namespace {

using peer::Check;

void Check(WOLFSSL* ssl, int result, const char* what) {
  if (result == WOLFSSL_SUCCESS) return;
  char text[WOLFSSL_MAX_ERROR_SZ];
  const int error = wolfSSL_get_error(ssl, result);
  wolfSSL_ERR_error_string_n(static_cast<unsigned long>(error), text, sizeof(text));
  std::fprintf(stderr, "%s: %s\n", what, text);
  std::exit(1);
}

int GroupOf(const std::string& name) {
  if (name == "x25519") return WOLFSSL_ECC_X25519;
  if (name == "p384") return WOLFSSL_ECC_SECP384R1;
  return name == "p521" ? WOLFSSL_ECC_SECP521R1 : WOLFSSL_ECC_SECP256R1;
}

int VerifyModeOf(const peer::Flags& flags, bool server) {
  const std::string auth = flags.Get("--auth");
  if (!server) return WOLFSSL_VERIFY_PEER;
  if (auth == "required") return WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  return auth == "optional" ? WOLFSSL_VERIFY_PEER : WOLFSSL_VERIFY_NONE;
}

WOLFSSL_METHOD* MethodOf(const peer::Flags& flags, bool server) {
  if (flags.Get("--version") == "1.3") {
    return server ? wolfTLSv1_3_server_method() : wolfTLSv1_3_client_method();
  }
  return server ? wolfTLSv1_2_server_method() : wolfTLSv1_2_client_method();
}

WOLFSSL_CTX* Configure(const peer::Flags& flags, bool server) {
  Check(wolfSSL_Init() == WOLFSSL_SUCCESS, "init");
  WOLFSSL_CTX* context = wolfSSL_CTX_new(MethodOf(flags, server));
  Check(context != nullptr, "context");
  Check(wolfSSL_CTX_load_verify_locations(context, flags.Get("--ca").c_str(), nullptr) ==
            WOLFSSL_SUCCESS,
        "--ca");
  if (flags.Has("--cert")) {
    Check(wolfSSL_CTX_use_certificate_chain_file(context, flags.Get("--cert").c_str()) ==
              WOLFSSL_SUCCESS,
          "--cert");
    Check(wolfSSL_CTX_use_PrivateKey_file(context, flags.Get("--key").c_str(),
                                          WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS,
          "--key");
  }
  wolfSSL_CTX_set_verify(context, VerifyModeOf(flags, server), nullptr);
  std::vector<int> groups;
  for (const std::string& name : flags.List("--groups")) groups.push_back(GroupOf(name));
  if (!groups.empty()) {
    Check(wolfSSL_CTX_set_groups(context, groups.data(), static_cast<int>(groups.size())) ==
              WOLFSSL_SUCCESS,
          "--groups");
  }
  return context;
}

WOLFSSL* NewConnection(WOLFSSL_CTX* context, const peer::Flags& flags, int fd) {
  WOLFSSL* ssl = wolfSSL_new(context);
  Check(ssl != nullptr && wolfSSL_set_fd(ssl, fd) == WOLFSSL_SUCCESS, "connection");
  std::string protocol = flags.Get("--alpn");
  if (!protocol.empty()) {
    Check(wolfSSL_UseALPN(ssl, protocol.data(), static_cast<unsigned>(protocol.size()),
                          WOLFSSL_ALPN_FAILED_ON_MISMATCH) == WOLFSSL_SUCCESS,
          "--alpn");
  }
  return ssl;
}

// The last commonName, which is the subject's, in the certificate's DER.
std::string CommonNameIn(const std::string& der) {
  const size_t oid = der.rfind("\x55\x04\x03");
  if (oid == std::string::npos || oid + 5 > der.size()) return "";
  return "CN=" + der.substr(oid + 5, static_cast<unsigned char>(der[oid + 4]));
}

std::string PeerNameOf(WOLFSSL* ssl) {
  if (WOLFSSL_X509* certificate = wolfSSL_get_peer_certificate(ssl)) {
    char name[256] = "";
    wolfSSL_X509_NAME_oneline(wolfSSL_X509_get_subject_name(certificate), name, sizeof(name));
    return name;
  }
  // It parses none with an Ed25519 key for us, but has it.
  WOLFSSL_X509_CHAIN* chain = wolfSSL_get_peer_chain(ssl);
  if (chain == nullptr || wolfSSL_get_chain_count(chain) == 0) return "";
  const auto* der = reinterpret_cast<const char*>(wolfSSL_get_chain_cert(chain, 0));
  return CommonNameIn(std::string(der, static_cast<size_t>(wolfSSL_get_chain_length(chain, 0))));
}

void Say(WOLFSSL* ssl) {
  char* protocol = nullptr;
  unsigned short size = 0;
  const bool has_protocol = wolfSSL_ALPN_GetProtocol(ssl, &protocol, &size) == WOLFSSL_SUCCESS;
  peer::SayOfConnection(wolfSSL_session_reused(ssl) == 1, has_protocol ? protocol : "",
                        PeerNameOf(ssl));
}

// ---- The server.

void ServeOne(WOLFSSL_CTX* context, const peer::Flags& flags, int listener) {
  const int fd = accept(listener, nullptr, nullptr);
  Check(fd >= 0, "accept");
  WOLFSSL* ssl = NewConnection(context, flags, fd);
  if (const int result = wolfSSL_accept(ssl); result != WOLFSSL_SUCCESS) {
    std::fprintf(stderr, "handshake: error %d\n", wolfSSL_get_error(ssl, result));
  } else {
    Say(ssl);
    peer::AnswerLines(
        [ssl](char* bytes, int size) { return wolfSSL_read(ssl, bytes, size); },
        [ssl](const char* bytes, int size) { return wolfSSL_write(ssl, bytes, size); });
    wolfSSL_shutdown(ssl);
  }
  wolfSSL_free(ssl);
  close(fd);
}

[[noreturn]] void Serve(const peer::Flags& flags) {
  WOLFSSL_CTX* context = Configure(flags, true);
  const int listener = peer::Listen(flags);
  for (;;) ServeOne(context, flags, listener);
}

// ---- The client.

// One connection, which offers `session` where there is one; what it leaves for the next.
WOLFSSL_SESSION* Connect(WOLFSSL_CTX* context, const peer::Flags& flags, const std::string& line,
                         WOLFSSL_SESSION* session) {
  const int fd = peer::Connect(flags);
  WOLFSSL* ssl = NewConnection(context, flags, fd);
  const std::string name = flags.Get("--name");
  Check(ssl,
        wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, name.data(),
                       static_cast<unsigned short>(name.size())),
        "server name");
  Check(ssl, wolfSSL_check_domain_name(ssl, name.c_str()), "server name");
  const std::vector<std::string> groups = flags.List("--groups");
  if (!groups.empty() && flags.Get("--version") == "1.3") {
    Check(ssl, wolfSSL_UseKeyShare(ssl, static_cast<unsigned short>(GroupOf(groups[0]))), "share");
  }
  if (session != nullptr) Check(ssl, wolfSSL_set_session(ssl, session), "session");
  Check(ssl, wolfSSL_connect(ssl), "handshake");
  Say(ssl);
  Check(wolfSSL_write(ssl, line.data(), static_cast<int>(line.size())) ==
            static_cast<int>(line.size()),
        "write");
  const int n =
      peer::PrintAll([ssl](char* bytes, int size) { return wolfSSL_read(ssl, bytes, size); });
  Check(wolfSSL_get_error(ssl, n) == WOLFSSL_ERROR_ZERO_RETURN, "close_notify");
  WOLFSSL_SESSION* next = wolfSSL_get1_session(ssl);
  wolfSSL_shutdown(ssl);
  wolfSSL_free(ssl);
  close(fd);
  return next;
}

int RunClient(const peer::Flags& flags) {
  WOLFSSL_CTX* context = Configure(flags, false);
  const std::string line = peer::LineOfInput();
  static WOLFSSL_SESSION* session = nullptr;  // stays reachable
  for (int left = std::stoi(flags.Get("--connections")); left > 0; --left) {
    session = Connect(context, flags, line, session);
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
