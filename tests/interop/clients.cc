#include "tests/interop/clients.h"

#include <unistd.h>

#include <array>
#include <memory>
#include <utility>

#include "tests/interop/pki.h"
#include "tests/support/process.h"

namespace handfast::tls::test {
namespace {

using handfast::test::FindProgram;
using handfast::test::Process;
using Argv = std::vector<std::string>;

// Beside the tests, in their runfiles.
constexpr char kMbedtlsClient[] = "tests/interop/mbedtls_client";

void Add(Argv& argv, const Argv& more) { argv.insert(argv.end(), more.begin(), more.end()); }

bool Is13(const Errand& errand) { return errand.version == ProtocolVersion::kTls13; }

// The groups by a stack's own names, in the order X25519, P-256, P-384, P-521.
std::string Groups(const Errand& errand, const std::array<const char*, 4>& names,
                   const std::string& separator) {
  std::string list;
  for (NamedGroup group : errand.groups) {
    if (!list.empty()) list += separator;
    switch (group) {
      case NamedGroup::kX25519:
        list += names[0];
        break;
      case NamedGroup::kSecp256r1:
        list += names[1];
        break;
      case NamedGroup::kSecp384r1:
        list += names[2];
        break;
      default:
        list += names[3];
    }
  }
  return list;
}

Argv Openssl(const Errand& errand, const std::string& port) {
  Argv argv = {FindProgram("openssl"),
               "s_client",
               "-connect",
               "127.0.0.1:" + port,
               "-servername",
               kServerName,
               "-verify_hostname",
               kServerName,
               "-verify_return_error",
               "-CAfile",
               RootFile(),
               Is13(errand) ? "-tls1_3" : "-tls1_2"};
  if (errand.certificate) {
    const ClientFiles files = ClientFilesOf(*errand.certificate);
    Add(argv, {"-cert", files.certificate, "-key", files.key});
  }
  if (!errand.groups.empty()) {
    Add(argv, {"-groups", Groups(errand, {"X25519", "P-256", "P-384", "P-521"}, ":")});
  }
  if (!errand.alpn.empty()) Add(argv, {"-alpn", errand.alpn});
  if (!errand.suites.empty()) {
    Add(argv, {Is13(errand) ? "-ciphersuites" : "-cipher", errand.suites});
  }
  return argv;
}

Argv Gnutls(const Errand& errand, const std::string& port) {
  std::string priority = "NORMAL:-VERS-ALL:";
  priority += Is13(errand) ? "+VERS-TLS1.3" : "+VERS-TLS1.2";
  if (!errand.groups.empty()) {
    priority +=
        ":-GROUP-ALL:" +
        Groups(errand,
               {"+GROUP-X25519", "+GROUP-SECP256R1", "+GROUP-SECP384R1", "+GROUP-SECP521R1"}, ":");
  }
  Argv argv = {FindProgram("gnutls-cli"),
               "--priority",
               priority,
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
    const ClientFiles files = ClientFilesOf(*errand.certificate);
    Add(argv, {"--x509certfile", files.certificate, "--x509keyfile", files.key});
  }
  if (!errand.alpn.empty()) Add(argv, {"--alpn", errand.alpn});
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
    const ClientFiles files = ClientFilesOf(*errand.certificate);
    Add(argv, {"--cert", files.certificate, "--key", files.key});
  }
  if (!errand.groups.empty()) {
    Add(argv, {"--curves", Groups(errand, {"X25519", "P-256", "P-384", "P-521"}, ":")});
  }
  // It offers h2 and http/1.1 by itself.
  if (errand.alpn == "http/1.1") Add(argv, {"--http1.1"});
  Add(argv, {"https://" + std::string(kServerName) + ":" + port + "/"});
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
    Add(argv, {"-I", Groups(errand, {"x25519", "P256", "P384", "P521"}, ",")});
  }
  return argv;
}

Argv Mbedtls(const Errand& errand, const std::string& port) {
  Argv argv = {kMbedtlsClient, port, kServerName, RootFile(),
               errand.alpn.empty() ? "-" : errand.alpn};
  if (errand.certificate) {
    const ClientFiles files = ClientFilesOf(*errand.certificate);
    Add(argv, {files.certificate, files.key});
  }
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

std::string MissingPackage(Stack stack) {
  switch (stack) {
    case Stack::kOpenssl:
      return FindProgram("openssl").empty() ? "openssl" : "";
    case Stack::kGnutls:
      return FindProgram("gnutls-cli").empty() ? "gnutls-bin" : "";
    case Stack::kCurl:
      return FindProgram("curl").empty() ? "curl" : "";
    case Stack::kNss:
      for (const char* program : {"tstclnt", "certutil", "pk12util"}) {
        if (FindProgram(program).empty()) return "libnss3-tools";
      }
      return "";
    case Stack::kMbedtls:
      return access(kMbedtlsClient, X_OK) == 0 ? "" : "libmbedtls-dev";
  }
  return "";
}

std::vector<std::string> CommandOf(const Errand& errand, uint16_t port) {
  const std::string text = std::to_string(port);
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
  }
  return {};
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

Outcome RunClient(const Errand& errand, uint16_t port) { return EndOf(*StartClient(errand, port)); }

}  // namespace handfast::tls::test
