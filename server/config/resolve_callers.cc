// Listeners, and the principals that come in by them.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"

#include "server/config/resolver.h"

namespace handfast::config {
namespace {

// sockaddr_un holds 108 bytes, the last of them zero.
constexpr size_t kMaxSocketPath = 107;

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kSpiffe = "spiffe://";

// SPIFFE-ID §2: spiffe://trust-domain/path. The trust domain is in lower case; there is no query,
// fragment, user or port, and no percent-encoding.
bool IsSpiffeId(std::string_view name) {
  if (!name.starts_with(kSpiffe) || name.size() > 2048) return false;
  name.remove_prefix(kSpiffe.size());
  const std::string_view domain = name.substr(0, name.find('/'));
  const auto lower = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto mark = [](char c) { return c == '.' || c == '-' || c == '_'; };
  const auto in_path = [&](char c) {
    return lower(c) || mark(c) || (c >= 'A' && c <= 'Z') || c == '/';
  };
  const std::string_view path = name.substr(domain.size());
  return !domain.empty() && domain.size() <= 255 &&
         std::all_of(domain.begin(), domain.end(), [&](char c) { return lower(c) || mark(c); }) &&
         std::all_of(path.begin(), path.end(), in_path) &&
         path.find("//") == std::string_view::npos && !path.ends_with('/');
}

}  // namespace

void Resolver::Tcp(const std::string& path, const v1::TcpListenerConfig& written) {
  TcpListener listener;
  if (!ParseAddress(written.address(), listener.host, listener.port)) {
    Wrong(path + ".address",
          absl::StrCat("must be an IP address and a port (0.0.0.0:8443), and is ",
                       Quote(written.address())));
  }
  RequiredFile(path + ".certificate_file", {.path = written.certificate_file()});
  RequiredFile(path + ".key_file", {.path = written.key_file(),
                                    .content = NamedFile::Content::kPrivateKey,
                                    .certificate_file = written.certificate_file()});
  RequiredFile(path + ".client_ca_file", {.path = written.client_ca_file()});
  listener.certificate_file = written.certificate_file();
  listener.key_file = written.key_file();
  listener.client_ca_file = written.client_ca_file();
  for (const TcpListener& other : config_.tcp_listeners) {
    if (listener.port != 0 && other.host == listener.host && other.port == listener.port) {
      Wrong(path + ".address", absl::StrCat("is ", Quote(written.address()), " a second time"));
    }
  }
  config_.tcp_listeners.push_back(listener);
}

void Resolver::Unix(const std::string& path, const v1::UnixListenerConfig& written) {
  UnixListener listener{.path = written.path(), .mode = 0600, .allowed_uids = {}};
  if (!written.path().starts_with('/')) Wrong(path + ".path", "must be an absolute path");
  if (written.path().size() > kMaxSocketPath) {
    Wrong(path + ".path", absl::StrCat("must be at most ", kMaxSocketPath, " bytes long, and has ",
                                       written.path().size()));
  }
  if (written.mode() == "0660") {
    listener.mode = 0660;
  } else if (written.mode() != "0600") {
    Wrong(path + ".mode",
          absl::StrCat("must be \"0600\" or \"0660\", and is ", Quote(written.mode())));
  }
  listener.allowed_uids.assign(written.allowed_uids().begin(), written.allowed_uids().end());
  for (const UnixListener& other : config_.unix_listeners) {
    if (other.path == listener.path) {
      Wrong(path + ".path", absl::StrCat("is ", Quote(listener.path), " a second time"));
    }
  }
  config_.unix_listeners.push_back(std::move(listener));
}

void Resolver::Listeners() {
  if (written_.listeners().empty()) {
    Wrong("listeners", "must have at least one: nobody could call");
  }
  for (int i = 0; i < written_.listeners_size(); ++i) {
    const v1::ListenerConfig& written = written_.listeners(i);
    const std::string path = absl::StrCat("listeners[", i, "]");
    switch (written.transport_case()) {
      case v1::ListenerConfig::kTcp:
        Tcp(path + ".tcp", written.tcp());
        break;
      case v1::ListenerConfig::kUnix:
        Unix(path + ".unix", written.unix());
        break;
      case v1::ListenerConfig::TRANSPORT_NOT_SET:
        Wrong(path, "must have `tcp` or `unix`");
        break;
    }
  }
}

void Resolver::PrincipalName(const std::string& path, const std::string& name) {
  if (name.starts_with(kUnix)) {
    std::vector<std::string> sockets;
    for (const UnixListener& listener : config_.unix_listeners) {
      sockets.push_back(listener.principal());
    }
    if (std::find(sockets.begin(), sockets.end(), name) == sockets.end()) {
      Wrong(path, absl::StrCat("names a socket that is no listener", Hint(name, sockets)));
    }
  } else if (!IsSpiffeId(name)) {
    Wrong(path, absl::StrCat("must be a SPIFFE ID (spiffe://example.org/edge) or a socket "
                             "(unix:/path), and is ",
                             Quote(name)));
  }
}

void Resolver::Principals() {
  std::set<std::string> seen;
  for (int i = 0; i < written_.principals_size(); ++i) {
    const v1::PrincipalConfig& written = written_.principals(i);
    const std::string path = absl::StrCat("principals[", i, "]");
    PrincipalName(path + ".name", written.name());
    if (!seen.insert(written.name()).second) {
      Wrong(path + ".name", absl::StrCat("is ", Quote(written.name()), " a second time"));
    }
    if (!IsId(written.tenant())) {
      Wrong(path + ".tenant", "must be 1 to 63 of a-z, 0-9 and '-', beginning with a letter");
    }
    Principal principal{.name = written.name(),
                        .tenant = written.tenant(),
                        .caller = false,
                        .operator_role = false,
                        .release_keys = written.release_keys()};
    for (const int role : written.roles()) {
      bool& has = role == v1::PRINCIPAL_ROLE_CALLER ? principal.caller : principal.operator_role;
      if (has) Wrong(path + ".roles", "names a role twice");
      has = true;
    }
    if (written.roles().empty()) {
      Wrong(path + ".roles", "must name at least one of caller, operator");
    } else if (principal.release_keys && !principal.caller) {
      Wrong(path + ".release_keys", "is of no use without the role caller");
    }
    config_.principals.push_back(std::move(principal));
  }
  EachSocketHasItsPrincipal();
}

void Resolver::EachSocketHasItsPrincipal() {
  for (int i = 0; i < written_.listeners_size(); ++i) {
    if (!written_.listeners(i).has_unix()) continue;
    const std::string name = absl::StrCat(kUnix.data(), written_.listeners(i).unix().path());
    const bool named =
        std::any_of(config_.principals.begin(), config_.principals.end(),
                    [&name](const Principal& principal) { return principal.name == name; });
    if (!named) {
      Wrong(absl::StrCat("listeners[", i, "].unix.path"),
            absl::StrCat("has no principal: nobody could call (name it ", Quote(name), ")"));
    }
  }
}

}  // namespace handfast::config
