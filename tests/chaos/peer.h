// The peer of a handshake: libssl, in either role, on memory buffers.
#ifndef HANDFAST_TESTS_CHAOS_PEER_H_
#define HANDFAST_TESTS_CHAOS_PEER_H_

#include <memory>
#include <string>

#include "tests/tls/connection/libssl_client.h"
#include "tests/tls/connection/libssl_server.h"
#include "tests/tls/crypto/test_ca.h"

namespace handfast::chaos {

class Peer {
 public:
  virtual ~Peer() = default;
  // Takes bytes, goes on, and returns its own; the first call is with none.
  virtual tls::Bytes Receive(tls::ByteView bytes) = 0;
  // It has the other side's Finished, which is over the transcript that it saw itself.
  virtual bool done() const = 0;
  virtual std::string error() const = 0;
};

// `version`: TLS1_2_VERSION, TLS1_3_VERSION. The client verifies the service, and shows a
// certificate where it is asked.
class ClientPeer final : public Peer {
 public:
  ClientPeer(const tls::test::TestCa& ca, int version)
      : leaf_(ca.Issue({.server = false, .client = true})),
        client_({.version = version,
                 .server_name = "example.test",
                 .trusted_pem = ca.pem(),
                 .certificate = &leaf_}) {}
  tls::Bytes Receive(tls::ByteView bytes) override { return client_.Receive(bytes); }
  bool done() const override { return client_.done(); }
  std::string error() const override { return client_.error(); }

 private:
  const tls::test::Leaf leaf_;
  tls::test::LibsslClient client_;
};

class ServerPeer final : public Peer {
 public:
  ServerPeer(const tls::test::TestCa& ca, int version)
      : context_(tls::test::LibsslServerContext(ca.Issue({.dns = {"example.test"}})),
                 &SSL_CTX_free) {
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    server_ = std::make_unique<tls::test::LibsslServer>(context_.get());
  }
  tls::Bytes Receive(tls::ByteView bytes) override { return server_->Receive(bytes); }
  bool done() const override { return server_->done(); }
  std::string error() const override { return "libssl's server did not finish"; }

 private:
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<tls::test::LibsslServer> server_;
};

}  // namespace handfast::chaos

#endif  // HANDFAST_TESTS_CHAOS_PEER_H_
