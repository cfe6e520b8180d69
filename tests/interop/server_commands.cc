// How each server program is told what to do.
#include "tests/interop/pki.h"
#include "tests/interop/servers.h"

namespace handfast::tls::test {
namespace {

using handfast::test::FindProgram;

bool Is13(const Post& post) { return post.version == ProtocolVersion::kTls13; }

// The word for whether clients are asked for a certificate.
std::string AuthWord(Auth auth, const char* none, const char* optional, const char* required) {
  if (auth == Auth::kNone) return none;
  return MayLeaveOut(auth) ? optional : required;
}

Argv Openssl(const Post& post, const std::string& port) {
  const LeafFiles files = ServerFilesOf(post.key);
  // What it says of a key update would stay in its buffer.
  Argv argv;
  if (post.root.empty()) argv = {FindProgram("stdbuf"), "-oL"};
  Add(argv, OpensslIn(post.root));
  Add(argv, {"s_server", "-accept", "127.0.0.1:" + port, "-cert", files.certificate, "-key",
             files.key, "-CAfile", RootFile(), Is13(post) ? "-tls1_3" : "-tls1_2"});
  const std::string ask = AuthWord(post.auth, "", "-verify", "-Verify");
  if (!ask.empty()) Add(argv, {ask, "2", "-verify_return_error"});
  if (!post.groups.empty()) {
    Add(argv, {"-groups", Join(post.groups, {"X25519", "P-256", "P-384", "P-521"}, ":")});
  }
  if (!post.own_groups.empty()) Add(argv, {"-groups", post.own_groups});
  if (!post.alpn.empty()) Add(argv, {"-alpn", post.alpn});
  if (!post.status_file.empty()) Add(argv, {"-status_file", post.status_file});
  return argv;
}

Argv Gnutls(const Post& post, const std::string& port) {
  const LeafFiles files = ServerFilesOf(post.key);
  // What it says of a connection would stay in its buffer.
  Argv argv = {FindProgram("stdbuf"),
               "-oL",
               FindProgram("gnutls-serv"),
               "--echo",
               "--port",
               port,
               "--priority",
               GnutlsPriority(post.version, post.groups),
               "--x509cafile",
               RootFile(),
               "--x509certfile",
               files.certificate,
               "--x509keyfile",
               files.key};
  if (post.auth == Auth::kNone) {
    Add(argv, {"--disable-client-cert"});
  } else {
    Add(argv, {"--verify-client-cert"});
    if (!MayLeaveOut(post.auth)) Add(argv, {"--require-client-cert"});
  }
  if (!post.alpn.empty()) Add(argv, {"--alpn", post.alpn, "--alpn-fatal"});
  return argv;
}

Argv Nss(const Post& post, const std::string& port) {
  const std::string version = Is13(post) ? "tls1.3" : "tls1.2";
  const bool rsa = post.key == KeyType::kRsa2048;
  Argv argv = {FindProgram("selfserv"), "-d", NssServerDatabase(post.key), "-p", port, "-V",
               version + ":" + version, rsa ? "-n" : "-e", kNickname,
               // Tickets, extended_master_secret, and words.
               "-u", "-G", "-v"};
  if (post.auth != Auth::kNone) Add(argv, {"-r"});
  if (post.auth != Auth::kNone && !MayLeaveOut(post.auth)) Add(argv, {"-r"});
  if (!post.groups.empty())
    Add(argv, {"-I", Join(post.groups, {"x25519", "P256", "P384", "P521"}, ",")});
  if (post.alpn == kProtocol) Add(argv, {"-Q"});
  return argv;
}

// Of our own programs.
Argv Flags(const Post& post, const std::string& port) {
  const LeafFiles files = ServerFilesOf(post.key);
  Argv argv = {"--port",    port,
               "--ca",      RootFile(),
               "--cert",    files.certificate,
               "--key",     files.key,
               "--version", Is13(post) ? "1.3" : "1.2",
               "--auth",    AuthWord(post.auth, "none", "optional", "required")};
  if (!post.groups.empty()) Add(argv, {"--groups", PeerGroups(post.groups)});
  if (!post.alpn.empty()) Add(argv, {"--alpn", post.alpn});
  return argv;
}

// A name for the folder or file of one server: no two have the same port.
std::string OwnName(const char* program, const std::string& port) {
  return std::string(program) + "." + port;
}

Argv Nginx(const Post& post, const std::string& port) {
  const LeafFiles files = ServerFilesOf(post.key);
  const std::string folder = NewFolder(OwnName("nginx", port));
  std::string conf =
      "daemon off;\nmaster_process off;\npid nginx.pid;\n"
      "error_log stderr notice;\nevents { worker_connections 16; }\nhttp {\n"
      "access_log off;\n";
  for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    conf += std::string(kind) + "_temp_path " + kind + ";\n";
  }
  conf += "server {\nlisten 127.0.0.1:" + port + " ssl;\nssl_certificate " + files.certificate +
          ";\nssl_certificate_key " + files.key + ";\nssl_protocols " +
          (Is13(post) ? "TLSv1.3" : "TLSv1.2") + ";\nssl_client_certificate " + RootFile() +
          ";\nssl_verify_client " + AuthWord(post.auth, "off", "optional", "on") + ";\n";
  if (!post.groups.empty()) {
    conf +=
        "ssl_ecdh_curve " + Join(post.groups, {"X25519", "P-256", "P-384", "P-521"}, ":") + ";\n";
  }
  conf +=
      "location / { return 200 \"version=$ssl_protocol reused=$ssl_session_reused "
      "alpn=$ssl_alpn_protocol client=$ssl_client_s_dn\\n\"; }\n}\n}\n";
  return {FindProgram("nginx"),
          "-e",
          "stderr",
          "-p",
          folder,
          "-c",
          WriteFile(OwnName("nginx.conf", port), conf)};
}

Argv Haproxy(const Post& post, const std::string& port, int inherited) {
  const std::string version = Is13(post) ? "TLSv1.3" : "TLSv1.2";
  std::string bind = "bind fd@" + std::to_string(inherited) + " ssl crt " +
                     ServerFilesOf(post.key).both + " ca-file " + RootFile() + " verify " +
                     AuthWord(post.auth, "none", "optional", "required") + " ssl-min-ver " +
                     version + " ssl-max-ver " + version;
  if (!post.groups.empty()) {
    bind += " curves " + Join(post.groups, {"X25519", "P-256", "P-384", "P-521"}, ":");
  }
  if (!post.alpn.empty()) bind += " alpn " + post.alpn;
  const std::string config =
      "global\n  tune.ssl.default-dh-param 2048\ndefaults\n  mode http\n  timeout client 20s\n"
      "  timeout server 20s\n  timeout connect 20s\nfrontend interop\n  " +
      bind +
      "\n  http-request return status 200 content-type text/plain lf-string "
      "\"version=%[ssl_fc_protocol] reused=%[ssl_fc_is_resumed] alpn=%[ssl_fc_alpn] "
      "client=%[ssl_c_s_dn]\\n\"\n";
  return {FindProgram("haproxy"), "-f", WriteFile(OwnName("haproxy.cfg", port), config)};
}

}  // namespace

Argv CommandOf(const Post& post, uint16_t port, int inherited) {
  const std::string text = std::to_string(port);
  Argv argv;
  switch (post.stack) {
    case Stack::kOpenssl:
      return Openssl(post, text);
    case Stack::kGnutls:
      return Gnutls(post, text);
    case Stack::kNss:
      return Nss(post, text);
    case Stack::kMbedtls:
      argv = {kMbedtlsServer};
      break;
    case Stack::kWolfssl:
      argv = {kWolfsslPeer, "server"};
      break;
    case Stack::kBoringssl:
      argv = {kBoringsslPeer, "server"};
      break;
    case Stack::kJsse:
      argv = JssePeer(post.groups);
      argv.emplace_back("server");
      break;
    case Stack::kNginx:
      return Nginx(post, text);
    case Stack::kHaproxy:
      return Haproxy(post, text, inherited);
    case Stack::kCurl:  // has no server
      break;
  }
  Add(argv, Flags(post, text));
  return argv;
}

}  // namespace handfast::tls::test
