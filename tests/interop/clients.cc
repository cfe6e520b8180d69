#include "tests/interop/clients.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "tests/interop/pki.h"
#include "tests/support/process.h"

namespace handfast::tls::test {
namespace {

using handfast::test::FindProgram;
using handfast::test::Process;

bool Is13(const Errand& errand) { return errand.version == ProtocolVersion::kTls13; }

Argv Openssl(const Errand& errand, const std::string& port) {
  Argv argv = OpensslIn(errand.root);
  Add(argv, {"s_client", "-connect", "127.0.0.1:" + port, "-servername", kServerName,
             "-verify_hostname", kServerName, "-verify_return_error", "-CAfile", RootFile(),
             Is13(errand) ? "-tls1_3" : "-tls1_2"});
  if (errand.certificate) {
    const LeafFiles files = ClientFilesOf(*errand.certificate);
    Add(argv, {"-cert", files.certificate, "-key", files.key});
  }
  if (!errand.groups.empty()) {
    Add(argv, {"-groups", Join(errand.groups, {"X25519", "P-256", "P-384", "P-521"}, ":")});
  }
  if (!errand.own_groups.empty()) Add(argv, {"-groups", errand.own_groups});
  if (!errand.alpn.empty()) Add(argv, {"-alpn", errand.alpn});
  if (!errand.suites.empty()) {
    Add(argv, {Is13(errand) ? "-ciphersuites" : "-cipher", errand.suites});
  }
  if (!errand.keep_session.empty()) Add(argv, {"-sess_out", errand.keep_session});
  if (!errand.offer_session.empty()) Add(argv, {"-sess_in", errand.offer_session});
  return argv;
}

Argv Gnutls(const Errand& errand, const std::string& port) {
  Argv argv = {FindProgram("gnutls-cli"),
               "--priority",
               GnutlsPriority(errand.version, errand.groups),
               "--x509cafile",
               RootFile(),
               "--sni-hostname",
               kServerName,
               "--verify-hostname",
               kServerName,
               "--port",
               port,
               "--single-key-share",
               "127.0.0.1"};
  if (errand.certificate) {
    const LeafFiles files = ClientFilesOf(*errand.certificate);
    Add(argv, {"--x509certfile", files.certificate, "--x509keyfile", files.key});
  }
  if (!errand.alpn.empty()) Add(argv, {"--alpn", errand.alpn});
  if (errand.twice) Add(argv, {"--resume"});
  return argv;
}

Argv Curl(const Errand& errand, const std::string& port) {
  // --disable: no .curlrc.
  Argv argv = {FindProgram("curl"),
               "--disable",
               "--silent",
               "--show-error",
               "--fail",
               "--noproxy",
               "*",
               "--cacert",
               RootFile(),
               "--resolve",
               std::string(kServerName) + ":" + port + ":127.0.0.1"};
  if (Is13(errand)) {
    Add(argv, {"--tlsv1.3"});
  } else {
    Add(argv, {"--tlsv1.2", "--tls-max", "1.2"});
  }
  if (errand.certificate) {
    const LeafFiles files = ClientFilesOf(*errand.certificate);
    Add(argv, {"--cert", files.certificate, "--key", files.key});
  }
  if (!errand.groups.empty()) {
    Add(argv, {"--curves", Join(errand.groups, {"X25519", "P-256", "P-384", "P-521"}, ":")});
  }
  // It offers h2 and http/1.1 by itself.
  if (errand.alpn == "http/1.1") Add(argv, {"--http1.1"});
  const std::string url = "https://" + std::string(kServerName) + ":" + port + "/";
  Add(argv, {url});
  // Tells of each handshake message.
  if (errand.twice) Add(argv, {url, "--verbose"});
  return argv;
}

Argv Nss(const Errand& errand, const std::string& port) {
  const KeyType* type = errand.certificate ? &*errand.certificate : nullptr;
  const std::string version = Is13(errand) ? "tls1.3" : "tls1.2";
  Argv argv = {FindProgram("tstclnt"),
               "-h",
               "127.0.0.1",
               "-p",
               port,
               "-a",
               kServerName,
               "-d",
               NssDatabase(type),
               "-V",
               version + ":" + version,
               "-G"};
  if (type != nullptr) Add(argv, {"-n", kNickname});
  // Not from a pipe: tstclnt does not notice a pipe's end and polls for ever.
  static const std::string line = WriteFile("line", kLine);
  Add(argv, {"-A", line});
  if (!errand.groups.empty()) {
    Add(argv, {"-I", Join(errand.groups, {"x25519", "P256", "P384", "P521"}, ",")});
  }
  if (errand.twice) Add(argv, {"-u", "-v", "-L", "2"});
  return argv;
}

Argv Mbedtls(const Errand& errand, const std::string& port) {
  Argv argv = {kMbedtlsClient,
               port,
               kServerName,
               RootFile(),
               errand.alpn.empty() ? "-" : errand.alpn,
               errand.twice ? "2" : "1"};
  if (errand.certificate) {
    const LeafFiles files = ClientFilesOf(*errand.certificate);
    Add(argv, {files.certificate, files.key});
  }
  return argv;
}

// Of our own programs that have a common command line.
Argv Flags(const Errand& errand, const std::string& port) {
  Argv argv = {"client",
               "--port",
               port,
               "--name",
               kServerName,
               "--ca",
               RootFile(),
               "--version",
               Is13(errand) ? "1.3" : "1.2",
               "--connections",
               errand.twice ? "2" : "1"};
  if (errand.certificate) {
    const LeafFiles files = ClientFilesOf(*errand.certificate);
    Add(argv, {"--cert", files.certificate, "--key", files.key});
  }
  if (!errand.groups.empty()) Add(argv, {"--groups", PeerGroups(errand.groups)});
  if (!errand.alpn.empty()) Add(argv, {"--alpn", errand.alpn});
  return argv;
}

std::unique_ptr<Process> StartClient(const Errand& errand, uint16_t port) {
  auto client = std::make_unique<Process>(CommandOf(errand, port));
  // Its input stays open: at its end some clients leave before they have read the reply.
  if (errand.stack != Stack::kCurl && errand.stack != Stack::kNss) client->Write(kLine);
  return client;
}

Outcome EndOf(Process& client) {
  Outcome outcome;
  outcome.exit_code = client.WaitForExit(kPatience);
  outcome.output = client.output();
  return outcome;
}

}  // namespace

void Accommodate(Stack stack, Profile& profile) {
  if (stack == Stack::kWolfssl) profile.require_renegotiation_info = false;
}

Argv CommandOf(const Errand& errand, uint16_t port) {
  const std::string text = std::to_string(port);
  Argv argv;
  switch (errand.stack) {
    case Stack::kOpenssl:
      return Openssl(errand, text);
    case Stack::kGnutls:
      return Gnutls(errand, text);
    case Stack::kCurl:
      return Curl(errand, text);
    case Stack::kNss:
      return Nss(errand, text);
    case Stack::kMbedtls:
      return Mbedtls(errand, text);
    case Stack::kWolfssl:
      argv = {kWolfsslPeer};
      break;
    case Stack::kBoringssl:
      argv = {kBoringsslPeer};
      break;
    case Stack::kJsse:
      argv = JssePeer(errand.groups);
      break;
    case Stack::kNginx:  // have no client
    case Stack::kHaproxy:
      break;
  }
  Add(argv, Flags(errand, text));
  return argv;
}

bool Outcome::client_content(Stack stack) const {
  const std::string wanted = stack == Stack::kCurl ? kBody : ReplyTo(kLine);
  return exit_code == 0 && output.find(wanted) != std::string::npos;
}

std::string Outcome::ToText() const {
  const std::string code = exit_code ? std::to_string(*exit_code) : "none (killed)";
  return server.ToText() + "\nclient: exit code " + code + ", output:\n" + output;
}

Outcome RunClient(const Errand& errand, const ServerKit& kit, const ServeOptions& options) {
  TcpServer server;
  const std::unique_ptr<Process> client = StartClient(errand, server.port());
  Served served = server.Serve(kit, options);
  Outcome outcome = EndOf(*client);
  outcome.server = std::move(served);
  return outcome;
}

bool Resumption::client_says_so(Stack stack) const {
  const std::string& text = second.output;
  const auto says = [&text](std::string_view words) { return text.find(words) != text.npos; };
  switch (stack) {
    case Stack::kOpenssl:
      return says("Reused, TLSv1.");
    case Stack::kGnutls:
      return says("*** This is a resumed session");
    case Stack::kCurl: {
      // It tells of each message: one Certificate came on two connections.
      constexpr std::string_view kCertificate = "(IN), TLS handshake, Certificate (11)";
      const size_t first = text.find(kCertificate);
      return first != text.npos && text.find(kCertificate, first + 1) == text.npos &&
             says("SSL re-using session ID");
    }
    case Stack::kNss:
      return says("1 stateless resumes");
    default:
      return says("resumed=0") && says("resumed=1");
  }
}

Resumption RunClientTwice(Errand errand, const ServerKit& kit, const ServeOptions& options) {
  Resumption outcome;
  if (errand.stack != Stack::kOpenssl) {
    errand.twice = true;
    TcpServer server;
    const std::unique_ptr<Process> client = StartClient(errand, server.port());
    // Who takes no ticket in TLS 1.2 goes by the id of a session, which the server keeps.
    ServerKit keeping = kit;
    keeping.keeps_sessions = true;
    outcome.first = server.Serve(keeping, options);
    keeping.kept = outcome.first.kept;
    Served second = server.Serve(keeping, options);
    outcome.second = EndOf(*client);
    outcome.second.server = std::move(second);
    return outcome;
  }
  errand.keep_session = WriteFile("openssl.session", "");
  outcome.first = RunClient(errand, kit, options).server;
  errand.offer_session = std::exchange(errand.keep_session, "");
  outcome.second = RunClient(errand, kit, options);
  return outcome;
}

Outcome RunClient(const Errand& errand, uint16_t port) { return EndOf(*StartClient(errand, port)); }

}  // namespace handfast::tls::test
