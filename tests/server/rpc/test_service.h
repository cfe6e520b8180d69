// The whole service but its main: real custody, trust, access and gRPC over Unix sockets (and
// mutual TLS), with a clock that stands still until it is turned.
#ifndef HANDFAST_TESTS_SERVER_RPC_TEST_SERVICE_H_
#define HANDFAST_TESTS_SERVER_RPC_TEST_SERVICE_H_

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "server/access/admission.h"
#include "server/access/policy.h"
#include "server/access/work_queue.h"
#include "server/connections/connections.h"
#include "server/custody/custody.h"
#include "server/handshakes/handshakes.h"
#include "server/rpc/rpc_server.h"
#include "server/sessions/sessions.h"
#include "server/store/memory_store.h"
#include "server/trust/peer_trust.h"
#include "tests/tls/crypto/test_ca.h"

namespace handfast::rpc::test {

class ManualClock final : public handshakes::Clock {
 public:
  handshakes::MonotonicTime Now() const override {
    return handshakes::MonotonicTime(std::chrono::nanoseconds(now_ns_.load()));
  }
  int64_t UnixSeconds() const override { return tls::test::kNow + wall_s_.load(); }
  int64_t UnixMilliseconds() const override {
    return UnixSeconds() * 1000 + now_ns_.load() / 1'000'000;
  }
  void Advance(std::chrono::nanoseconds by) { now_ns_ += by.count(); }
  // The wall clock alone, against tls::test::kNow.
  void SetWall(std::chrono::seconds offset) { wall_s_ = offset.count(); }

 private:
  std::atomic<int64_t> wall_s_{0};
  // Not zero: a service that has run for a while.
  std::atomic<int64_t> now_ns_{3'600'000'000'000};
};

class CountedMetrics final : public observe::MetricsInterface {
 public:
  void HandshakeStarted() override { ++started; }
  void HandshakeFinished(const observe::FinishedHandshake& handshake) override {
    ++finished;
    std::lock_guard lock(mutex_);
    last_ = handshake;
  }
  void PrivateKeyUsed(const observe::PrivateKeyOperation&) override { ++signatures; }
  void RpcFinished(std::string_view, std::string_view) override {}
  void Refused(std::string_view) override { ++refused; }
  void RecordsDone(observe::RecordDirection direction, uint64_t records, uint64_t bytes) override {
    const bool sealed = direction == observe::RecordDirection::kSealed;
    (sealed ? records_sealed : records_opened) += records;
    (sealed ? bytes_sealed : bytes_opened) += bytes;
  }
  void WorkDone(std::string_view, double, double) override {}

  std::atomic<int> started{0};
  std::atomic<int> finished{0};
  std::atomic<int> signatures{0};
  std::atomic<int> refused{0};
  std::atomic<uint64_t> records_sealed{0};
  std::atomic<uint64_t> records_opened{0};
  std::atomic<uint64_t> bytes_sealed{0};
  std::atomic<uint64_t> bytes_opened{0};

  // What the handshake that ended last is counted as.
  observe::FinishedHandshake last() const {
    std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  mutable std::mutex mutex_;
  observe::FinishedHandshake last_;
};

// Where a caller comes in decides who it is.
enum class As {
  kEdge,      // tenant acme: caller, operator, may release keys
  kSibling,   // tenant acme: caller, may not release keys
  kOperator,  // tenant acme: operator only
  kForeign,   // tenant other: caller, operator, may release keys
  kStranger,  // a socket that no principal is configured for
};

struct TestOptions {
  tls::KeyType key_type = tls::KeyType::kEcdsaP256;
  int max_live = 5000;
  connections::Limits connections = {.released = 1000, .kept = 1000};
  access::WorkQueueOptions work = {};
  bool tcp = false;
  size_t max_connections = 200;
  CallLimits limits = {};
  // Durable handshakes are kept here, with other replicas; null: in a store of its own.
  store::Store* store = nullptr;
  // Sessions are kept, and ticket keys agreed on, here; null: in a store of its own.
  store::Store* session_store = nullptr;
  // False: every handshake is a full one, and leaves no ticket.
  bool sessions = false;
  // Has the same keys, and trusts the same authorities.
  const class TestService* replica_of = nullptr;
};

// Profiles: intermediate (the default) and modern release keys, sealed does not, mutual and legacy
// demand a client certificate, short has a deadline of 100 ms, outbound is mutual and for the
// client role too, stapled is for the client role and demands an OCSP response; durable,
// durable-mutual and durable-outbound are kept in the store.
class TestService final : private handshakes::ProfileSource {
 public:
  explicit TestService(TestOptions options = {});
  ~TestService() override;

  // A channel of its own, so that connections are not shared between tests' callers.
  std::shared_ptr<grpc::Channel> Channel(As caller) const;
  // Over mutual TLS; with this certificate.
  std::shared_ptr<grpc::Channel> TlsChannel(const tls::test::Leaf* certificate) const;
  std::string SocketPath(As caller) const;
  const std::string& tcp_address() const { return tcp_address_; }

  const tls::test::TestCa& ca() const { return ca_; }
  // Whom `outbound` trusts as servers.
  const tls::test::TestCa& server_ca() const { return server_ca_; }
  // Every certificate that callers may show comes from here.
  const tls::test::TestCa& caller_ca() const { return caller_ca_; }
  static constexpr char kSpiffe[] = "spiffe://example.test/edge";

  ManualClock clock;
  CountedMetrics metrics;
  handshakes::Handshakes& handshakes() { return *handshakes_; }
  connections::Connections& connections() { return *connections_; }
  sessions::Sessions& sessions() { return *sessions_; }
  custody::Custody& custody() { return *custody_; }
  RpcServer& server() { return *server_; }
  // Where what waits for a disk runs, one at a time.
  access::WorkQueue& blocking() { return *blocking_; }

 private:
  std::shared_ptr<const handshakes::Profile> Find(std::string_view name) const override;
  void AddProfiles();
  void OpenCustody(const TestOptions& options);
  access::Policy MakePolicy() const;
  RpcOptions MakeRpcOptions(const TestOptions& options) const;

  tls::test::Leaf LeafFor(const std::string& tenant, const TestOptions& options);

  std::string Principal(As caller) const;

  const std::string folder_;
  const std::string names_folder_;  // by whose sockets callers are known
  const tls::test::TestCa ca_;
  const tls::test::TestCa server_ca_;
  const tls::test::TestCa caller_ca_;
  std::map<std::string, std::shared_ptr<const handshakes::Profile>, std::less<>> profiles_;
  std::map<std::string, tls::test::Leaf> leaves_;  // by tenant
  std::unique_ptr<custody::Custody> custody_;
  std::unique_ptr<trust::PeerTrust> trust_;
  std::unique_ptr<access::Policy> policy_;
  std::unique_ptr<access::Admission> admission_;
  std::unique_ptr<access::WorkQueue> work_;
  std::unique_ptr<access::WorkQueue> blocking_;
  std::unique_ptr<access::WorkQueue> durable_work_;
  std::unique_ptr<connections::Whereabouts> whereabouts_;  // null: the store is its own
  std::unique_ptr<connections::Connections> connections_;
  std::unique_ptr<store::Store> own_store_;
  std::unique_ptr<handshakes::SavedHandshakes> saved_;
  std::unique_ptr<store::Store> own_session_store_;
  std::unique_ptr<sessions::Sessions> sessions_;
  sessions::NoSessions no_sessions_;
  std::unique_ptr<handshakes::Services> services_;
  std::unique_ptr<handshakes::Handshakes> handshakes_;
  std::unique_ptr<handshakes::DurableHandshakes> durable_;
  std::unique_ptr<RpcServer> server_;
  std::string tcp_address_;
};

}  // namespace handfast::rpc::test

#endif  // HANDFAST_TESTS_SERVER_RPC_TEST_SERVICE_H_
