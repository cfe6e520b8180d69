#include "client/core/endpoint.h"

#include <unistd.h>

#include <cstdlib>

namespace handfast::client {
namespace {

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

void Fill(std::string& field, const char* name) {
  if (field.empty()) field = FromEnvironment(name);
}

// As handfastd chooses it.
std::string DefaultStateFolder() {
  if (std::string folder = FromEnvironment("HANDFAST_STATE_DIR"); !folder.empty()) return folder;
  constexpr char kSystemFolder[] = "/var/lib/handfast";
  if (geteuid() == 0 || access(kSystemFolder, W_OK) == 0) return kSystemFolder;
  if (std::string base = FromEnvironment("XDG_STATE_HOME"); !base.empty()) {
    return base + "/handfast";
  }
  return FromEnvironment("HOME") + "/.local/state/handfast";
}

}  // namespace

void FillFromEnvironment(Endpoint& endpoint) {
  Fill(endpoint.address, "HANDFAST_ENDPOINT");
  Fill(endpoint.certificate_file, "HANDFAST_TLS_CERT");
  Fill(endpoint.key_file, "HANDFAST_TLS_KEY");
  Fill(endpoint.ca_file, "HANDFAST_TLS_CA");
  Fill(endpoint.server_name, "HANDFAST_TLS_SERVER_NAME");
  if (endpoint.address.empty()) {
    endpoint.address = "unix:" + DefaultStateFolder() + "/handfast.sock";
  }
}

std::optional<std::string> Check(const Endpoint& endpoint) {
  if (endpoint.is_unix()) {
    if (endpoint.address.size() == 5) return "the endpoint unix: names no path";
    return std::nullopt;
  }
  const size_t colon = endpoint.address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == endpoint.address.size()) {
    return "the endpoint \"" + endpoint.address + "\" is neither unix:PATH nor HOST:PORT";
  }
  if (endpoint.certificate_file.empty() || endpoint.key_file.empty() || endpoint.ca_file.empty()) {
    return "the endpoint " + endpoint.address +
           " needs a client certificate: give --tls-cert, --tls-key and --tls-ca (or "
           "HANDFAST_TLS_CERT, HANDFAST_TLS_KEY, HANDFAST_TLS_CA)";
  }
  for (const std::string& file : {endpoint.certificate_file, endpoint.key_file, endpoint.ca_file}) {
    if (access(file.c_str(), R_OK) != 0) return "cannot read " + file;
  }
  return std::nullopt;
}

}  // namespace handfast::client
