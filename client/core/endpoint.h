// Where the service is, and with which files its caller shows who it is.
#ifndef HANDFAST_CLIENT_CORE_ENDPOINT_H_
#define HANDFAST_CLIENT_CORE_ENDPOINT_H_

#include <optional>
#include <string>

namespace handfast::client {

struct Endpoint {
  // "unix:/run/handfast/handfast.sock": the socket is the identity. "HOST:PORT": mutual TLS with
  // the three files below, which are read again when they change.
  std::string address;
  std::string certificate_file;  // PEM, leaf first
  std::string key_file;          // PEM
  std::string ca_file;           // PEM: who signs the service's certificate
  // The name in the service's certificate, where it is not the address's host.
  std::string server_name;

  bool is_unix() const { return address.rfind("unix:", 0) == 0; }
};

// Fills each empty field from the environment: HANDFAST_ENDPOINT, HANDFAST_TLS_CERT,
// HANDFAST_TLS_KEY, HANDFAST_TLS_CA, HANDFAST_TLS_SERVER_NAME. Where nothing names an address, it
// is the socket that a service without configuration listens on: handfast.sock in
// $HANDFAST_STATE_DIR, else in the place where handfastd itself would put it.
void FillFromEnvironment(Endpoint& endpoint);

// What is wrong with it, in words that say what to do; nullopt: nothing.
std::optional<std::string> Check(const Endpoint& endpoint);

}  // namespace handfast::client

#endif  // HANDFAST_CLIENT_CORE_ENDPOINT_H_
