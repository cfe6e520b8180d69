// What the tests of the client role share: an authority, and a client that trusts it.
#ifndef HANDFAST_TESTS_TLS_CONNECTION_CLIENT_FIXTURE_H_
#define HANDFAST_TESTS_TLS_CONNECTION_CLIENT_FIXTURE_H_

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <openssl/ssl.h>

#include "tests/tls/connection/server_driver.h"
#include "tests/tls/crypto/test_ca.h"

namespace handfast::tls::test {

inline const TestCa& Ca() {
  static const TestCa ca = TestCa::Create("CA");
  return ca;
}

// Trusts the CA; has no certificate of its own.
inline ServerKit ClientKit() {
  ServerKit kit;
  kit.as_client = true;
  kit.profile = ModernProfile();
  kit.clients = std::make_shared<const TrustBundle>(Ca().Bundle());
  return kit;
}

inline Profile Tls12Only(Profile profile = IntermediateProfile()) {
  profile.versions = {ProtocolVersion::kTls12};
  return profile;
}

// The same under another profile.
inline ServerKit Client12Kit(Profile profile = Tls12Only()) {
  ServerKit kit = ClientKit();
  kit.profile = std::move(profile);
  return kit;
}

// The certificate that is shown where one is asked for.
inline void GiveIdentity(ServerKit& kit, const Leaf& leaf) {
  const ServerKit own = ServerKit::For(leaf);
  kit.key = own.key;
  kit.credential = own.credential;
}

// Our client and our server, until neither has anything to say.
struct OurTwo {
  ServerKit client_kit;
  ServerKit server_kit;
  std::optional<ServerDriver> server = std::nullopt;
  std::optional<ServerDriver> client = std::nullopt;

  // In pieces of so many bytes; `amnesia`: with save and restore between all steps.
  void Run(size_t piece = SIZE_MAX, bool amnesia = false) {
    server.emplace(server_kit, ConnectionOptions{.alpn = {"h2"}});
    client.emplace(client_kit, ConnectionOptions{.alpn = {"h2"}, .server_name = "example.test"});
    server->amnesia = client->amnesia = amnesia;
    Bytes to_server = client->Begin();
    while (!to_server.empty()) {
      const Bytes to_client = Feed(*server, to_server, piece);
      to_server = Feed(*client, to_client, piece);
    }
  }
  static Bytes Feed(ServerDriver& driver, ByteView bytes, size_t piece) {
    Bytes out;
    while (!bytes.empty()) {
      const ByteView some = bytes.first(std::min(piece, bytes.size()));
      Append(out, driver.Receive(some));
      bytes = bytes.subspan(some.size());
    }
    return out;
  }
};

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using LibsslContext = std::unique_ptr<SSL_CTX, FreeContext>;

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CONNECTION_CLIENT_FIXTURE_H_
