// What handshakes stand on, as fakes: one key in memory, a clock that is turned, work that runs
// when the test says so.
#ifndef HANDFAST_TESTS_SERVER_HANDSHAKES_FAKE_BACKENDS_H_
#define HANDFAST_TESTS_SERVER_HANDSHAKES_FAKE_BACKENDS_H_

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/handshakes/handshakes.h"
#include "server/store/memory_store.h"
#include "tests/tls/connection/server_driver.h"
#include "tests/tls/crypto/test_ca.h"

namespace handfast::handshakes::test {

class ManualClock final : public Clock {
 public:
  MonotonicTime Now() const override {
    return MonotonicTime(std::chrono::nanoseconds(now_ns_.load()));
  }
  int64_t UnixSeconds() const override { return tls::test::kNow; }
  void Advance(std::chrono::nanoseconds by) { now_ns_ += by.count(); }

 private:
  std::atomic<int64_t> now_ns_{3'600'000'000'000};
};

class OneKey final : public custody::CredentialsInterface {
 public:
  explicit OneKey(const tls::test::Leaf& leaf) : kit_(tls::test::ServerKit::For(leaf)) {}

  tls::Chosen Choose(std::string_view, const tls::Choose& question, const std::string&,
                     bool) const override {
    return std::get<tls::Chosen>(tls::test::AnswerFrom(kit_, question));
  }
  tls::PrivateKeyUsed Use(std::string_view, const tls::UsePrivateKey& question) const override {
    ++uses;
    return std::get<tls::PrivateKeyUsed>(tls::test::AnswerFrom(kit_, question));
  }
  bool IsActive(std::string_view, std::string_view credential) const override {
    return credential == kit_.credential->name;
  }

  mutable std::atomic<int> uses{0};

 private:
  const tls::test::ServerKit kit_;
};

class NoTrust final : public trust::PeerTrustInterface {
 public:
  trust::Verification VerifyClient(std::string_view, const std::vector<tls::Bytes>&,
                                   int64_t) const override {
    trust::Verification refused;
    refused.refusal = tls::Reason::kUnknownCa;
    refused.detail = "nobody is trusted";
    return refused;
  }
  trust::Verification VerifyServer(std::string_view, const trust::PresentedServer&,
                                   int64_t) const override {
    trust::Verification refused;
    refused.refusal = tls::Reason::kNameMismatch;
    refused.detail = "no server is trusted";
    return refused;
  }
  tls::Bytes Fingerprint(std::string_view, int64_t) const override { return {}; }
};

class CountedAdmission final : public access::AdmissionInterface {
 public:
  absl::StatusOr<access::Admitted> Admit(std::string_view) override {
    if (refuse) return absl::ResourceExhaustedError("full");
    ++live;
    return access::Admitted([this] { --live; });
  }
  std::atomic<int> live{0};
  std::atomic<bool> refuse{false};
};

// Keeps work until it is run.
class HeldWork final : public access::WorkQueueInterface {
 public:
  absl::Status Submit(std::string_view, access::Lane lane, Work work) override {
    if (full) return absl::ResourceExhaustedError("the queue is full");
    std::lock_guard lock(mutex_);
    lanes.push_back(lane);
    waiting_.push_back(std::move(work));
    return absl::OkStatus();
  }
  bool RunOne() {
    Work work;
    {
      std::lock_guard lock(mutex_);
      if (waiting_.empty()) return false;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
    return true;
  }
  // As a queue that is shut down.
  void DropAll() {
    std::lock_guard lock(mutex_);
    waiting_.clear();
  }
  bool full = false;
  std::vector<access::Lane> lanes;

 private:
  std::mutex mutex_;
  std::deque<Work> waiting_;
};

class KeptConnections final : public EstablishedConnections {
 public:
  bool HasRoom(const std::string&, bool) const override { return room; }
  void Add(EstablishedConnection connection) override {
    std::lock_guard lock(mutex_);
    all.push_back(std::move(connection));
  }
  bool room = true;
  std::vector<EstablishedConnection> all;

 private:
  std::mutex mutex_;
};

class CountedMetrics final : public observe::MetricsInterface {
 public:
  void HandshakeStarted() override { ++started; }
  void HandshakeFinished(const observe::FinishedHandshake& handshake) override {
    ++finished;
    if (handshake.failure) ++failed;
    if (handshake.role == "client") ++as_client;
  }
  void PrivateKeyUsed(const observe::PrivateKeyOperation&) override { ++signatures; }
  void RpcFinished(std::string_view, std::string_view) override {}
  void Refused(std::string_view) override {}
  void RecordsDone(observe::RecordDirection, uint64_t, uint64_t) override {}
  void WorkDone(std::string_view, double, double) override {}
  std::atomic<int> started{0};
  std::atomic<int> finished{0};
  std::atomic<int> failed{0};
  std::atomic<int> as_client{0};
  std::atomic<int> signatures{0};
};

// Notes what it is told.
class Replies final : public ReplyListener {
 public:
  void OnReply(uint64_t tag, Reply reply) override {
    std::lock_guard lock(mutex_);
    ended += reply.ended();
    all.emplace_back(tag, std::move(reply));
  }
  // The oldest that was not taken yet.
  std::optional<Reply> Take() {
    std::lock_guard lock(mutex_);
    if (all.empty()) return std::nullopt;
    Reply reply = std::move(all.front().second);
    all.pop_front();
    return reply;
  }
  std::atomic<int> ended{0};
  std::deque<std::pair<uint64_t, Reply>> all;

 private:
  std::mutex mutex_;
};

struct Backends {
  explicit Backends(tls::KeyType type = tls::KeyType::kEcdsaP256)
      : key(tls::test::TestCa::Create("CA").Issue({.type = type})) {}

  Start NewStart(std::shared_ptr<ReplyListener> listener, uint64_t tag = 1) const {
    Start start;
    start.owner = owner;
    start.profile = profile;
    start.listener = std::move(listener);
    start.tag = tag;
    return start;
  }

  ManualClock clock;
  OneKey key;
  NoTrust trust;
  CountedAdmission admission;
  HeldWork work;
  KeptConnections connections;
  CountedMetrics metrics;
  std::shared_ptr<Owner> owner =
      std::make_shared<Owner>(Owner{.tenant = "acme", .principal = "edge"});
  std::shared_ptr<Profile> profile =
      std::make_shared<Profile>(Profile{.tls = tls::IntermediateProfile(),
                                        .deadline = std::chrono::seconds(10),
                                        .release_keys = true,
                                        .trust_bundle = {},
                                        .server_trust_bundle = {}});
  store::MemoryStore store{clock, {.entries = 100, .bytes = size_t{16} << 20}};
  SavedHandshakes saved{clock, store};
  sessions::NoSessions no_sessions;
  Services services{.clock = clock,
                    .randomness = tls::SystemRandomness(),
                    .credentials = key,
                    .trust = trust,
                    .admission = admission,
                    .work = work,
                    .connections = connections,
                    .metrics = metrics,
                    .saved = saved,
                    .sessions = no_sessions};
};

}  // namespace handfast::handshakes::test

#endif  // HANDFAST_TESTS_SERVER_HANDSHAKES_FAKE_BACKENDS_H_
