// handfast handshake walk: a handshake by step RPCs, one for each message, in either role. With
// --listen a real client is served, with --connect a real server is called.

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "client/cli/command.h"
#include "client/cli/listener.h"
#include "client/cli/output.h"
#include "client/cli/socket.h"
#include "client/cli/walker.h"
#include "client/core/steps.h"

namespace handfast::cli {
namespace {

struct WalkArguments {
  std::string listen;
  std::string connect;
  std::string server_name;
  std::string profile;
  std::string credential;
  std::vector<std::string> alpn;
  bool once = false;
  bool explain = false;
  bool http = false;
  bool no_release = false;
};

// What is wrong with the arguments beside each other; empty: nothing.
std::string Mistake(const WalkArguments& arguments) {
  if (arguments.listen.empty() == arguments.connect.empty()) {
    return "give --listen HOST:PORT to serve a client, or --connect HOST:PORT to call a server";
  }
  if (!arguments.listen.empty()) {
    if (!arguments.server_name.empty()) return "--server-name is for --connect";
    if (arguments.http) return "--http is for --connect: with --listen the client asks";
    return {};
  }
  if (arguments.once) return "--once is for --listen";
  if (arguments.explain) {
    return "--explain is for --listen: in a call it is the server that chooses";
  }
  if (arguments.http && arguments.no_release) return "--http needs keys: leave out --no-release";
  return {};
}

// As a certificate has it: in lower case, without the dot of a full name.
std::string DnsName(std::string host) {
  if (IsAddress(host)) return {};
  if (!host.empty() && host.back() == '.') host.pop_back();
  std::transform(host.begin(), host.end(), host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return host;
}

WalkOptions OptionsFrom(const WalkArguments& arguments, const Common& common) {
  WalkOptions options;
  options.http = arguments.http;
  v1::Start& start = options.start;
  start.set_role(arguments.connect.empty() ? v1::ROLE_SERVER : v1::ROLE_CLIENT);
  start.set_profile(arguments.profile);
  if (!arguments.credential.empty()) {
    start.set_credential(common.Name("credentials", arguments.credential));
  }
  for (const std::string& protocol : arguments.alpn) start.add_alpn(protocol);
  start.set_explain(arguments.explain);
  start.set_server_name(arguments.server_name);
  // Keys are asked for where they are used, and nowhere else.
  const bool uses_keys = arguments.connect.empty() ? !arguments.no_release : arguments.http;
  if (uses_keys) start.set_key_release(v1::KEY_RELEASE_ON_ESTABLISHED);
  return options;
}

void Call(WalkArguments arguments, Common& common) {
  const auto to = SplitAddress(arguments.connect);
  if (!to || to->host.empty() || to->port.empty()) {
    return ReportUsage("--connect " + arguments.connect + " is not HOST:PORT", common);
  }
  if (arguments.server_name.empty()) arguments.server_name = DnsName(to->host);
  if (arguments.server_name.empty()) {
    return ReportUsage("--connect " + arguments.connect +
                           " names no host: give --server-name, which the server's certificate "
                           "must bear",
                       common);
  }
  const Connected connected = Connect(*to);
  if (connected.fd < 0) {
    common.exit_code = kFailed;
    std::fprintf(stderr, "handfast: %s: %s\n  Does a TLS server listen there?\n",
                 arguments.connect.c_str(), connected.error.c_str());
    return;
  }
  if (common.output == Output::kTable) {
    PrintLines({"handshake with " + arguments.server_name + " at " + connected.address +
                "; \"*\" marks what travels encrypted"});
  }
  client::Steps steps(common.endpoint);
  const WalkOptions options = OptionsFrom(arguments, common);
  (void)Walker(steps, options, connected.fd, common).Walk(connected.address);
  close(connected.fd);
}

void Serve(const WalkArguments& arguments, Common& common) {
  Listener listener;
  if (const auto wrong = listener.Open(arguments.listen)) return ReportUsage(*wrong, common);
  const bool draws = common.output == Output::kTable;
  if (draws) {
    PrintLines({"listening on " + listener.address() + "; \"*\" marks what travels encrypted"});
  } else {
    PrintLines({R"({"listening":")" + listener.address() + R"("})"});
  }
  client::Steps steps(common.endpoint);
  const WalkOptions options = OptionsFrom(arguments, common);
  for (bool goes_on = true; goes_on;) {
    std::string peer;
    const int fd = listener.Accept(peer);
    if (fd < 0) continue;
    if (draws) PrintLines({"", "handshake with " + peer});
    common.exit_code = kSuccess;
    goes_on = Walker(steps, options, fd, common).Walk(peer) && !arguments.once;
    close(fd);
  }
}

void Walk(const WalkArguments& arguments, Common& common) {
  const std::string mistake = Mistake(arguments);
  if (!mistake.empty()) return ReportUsage(mistake, common);
  if (!PrepareEndpoint(common)) return;
  std::signal(SIGPIPE, SIG_IGN);
  if (arguments.listen.empty()) {
    Call(arguments, common);
  } else {
    Serve(arguments, common);
  }
}

}  // namespace

void DeclareWalk(CLI::App& handshake, Common& common) {
  CLI::App* walk = handshake.add_subcommand(
      "walk", "Take a handshake by one RPC for each message, and draw each as it passes");
  auto arguments = std::make_shared<WalkArguments>();
  walk->add_option("--listen", arguments->listen,
                   "HOST:PORT: serve TLS clients a small page; port 0: any");
  walk->add_option("--connect", arguments->connect, "HOST:PORT: call a TLS server");
  walk->add_option("--server-name", arguments->server_name,
                   "The name that the server must prove; default: the host of --connect");
  walk->add_option("--profile", arguments->profile, "The service's TLS profile");
  walk->add_option("--credential", arguments->credential,
                   "The credential to show; default: the service chooses");
  walk->add_option("--alpn", arguments->alpn, "Protocols, best first")->delimiter(',');
  walk->add_flag("--explain", arguments->explain, "Say why each value was chosen (--listen)");
  walk->add_flag("--once", arguments->once, "Leave after one connection (--listen)");
  walk->add_flag("--http", arguments->http, "Then ask for \"/\" over released keys (--connect)");
  walk->add_flag("--no-release", arguments->no_release,
                 "Leave the keys in the service: no page is answered");
  walk->callback([arguments, &common] { Walk(*arguments, common); });
}

}  // namespace handfast::cli
