// One replica of the service, as far as handshakes go: tables on fakes, all of it gone in a crash.
#ifndef HANDFAST_TESTS_SIM_REPLICA_H_
#define HANDFAST_TESTS_SIM_REPLICA_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/handshakes/durable.h"
#include "server/handshakes/handshakes.h"
#include "tests/server/handshakes/fake_backends.h"
#include "tests/sim/ledger.h"
#include "tests/sim/sim_store.h"
#include "tests/tls/connection/server_driver.h"

namespace handfast::sim {

// Thrown where a replica crashes in the middle of a call; nothing of the call goes on.
struct Crash {};

// Answers for either role.
class TwoKeys final : public custody::CredentialsInterface {
 public:
  // Both outlive it.
  TwoKeys(const tls::test::ServerKit& server, const tls::test::ServerKit& client)
      : server_(server), client_(client) {}

  tls::Chosen Choose(std::string_view, const tls::Choose& question, const std::string&,
                     bool) const override {
    return std::get<tls::Chosen>(
        tls::test::AnswerFrom(question.as_client ? client_ : server_, question));
  }
  tls::PrivateKeyUsed Use(std::string_view, const tls::UsePrivateKey& question) const override {
    const bool as_client = question.credential == client_.credential->name;
    return std::get<tls::PrivateKeyUsed>(
        tls::test::AnswerFrom(as_client ? client_ : server_, question));
  }
  bool IsActive(std::string_view, std::string_view) const override { return true; }

 private:
  const tls::test::ServerKit& server_;
  const tls::test::ServerKit& client_;
};

// Who a peer is has its tests elsewhere.
class AllTrusted final : public trust::PeerTrustInterface {
 public:
  trust::Verification VerifyClient(std::string_view, const std::vector<tls::Bytes>&,
                                   int64_t) const override {
    return {};
  }
  trust::Verification VerifyServer(std::string_view, const trust::PresentedServer&,
                                   int64_t) const override {
    return {};
  }
  tls::Bytes Fingerprint(std::string_view, int64_t) const override { return {}; }
};

class Keeper final : public handshakes::EstablishedConnections {
 public:
  explicit Keeper(Ledger& ledger) : ledger_(ledger) {}
  bool HasRoom(const std::string&, bool) const override { return true; }
  void Add(handshakes::EstablishedConnection connection) override {
    ledger_.Kept(connection.handle);
    const std::string name = ToHex(connection.handle);
    if (connection.kept) by_handle_.insert_or_assign(name, *std::move(connection.kept));
  }
  tls::Connection* Find(const handshakes::Handle& handle) {
    const auto found = by_handle_.find(ToHex(handle));
    return found == by_handle_.end() ? nullptr : &found->second;
  }

 private:
  Ledger& ledger_;
  std::map<std::string, tls::Connection> by_handle_;
};

struct Replica {
  Replica(const Moment& now, uint64_t entropy, int64_t began_ns, int64_t skew_ms, Bug bug,
          const TwoKeys& keys, Ledger& ledger, StoreServer& server, Dice& dice,
          const Weather& weather, handshakes::test::CountedAdmission& admission,
          std::function<void()> wait)
      : clock(now, began_ns, skew_ms, bug == Bug::kIgnoresDeadlines),
        randomness(entropy),
        store(server, dice, weather, bug, std::move(wait)),
        admission(admission),
        connections(ledger),
        services{.clock = clock,
                 .randomness = randomness,
                 .credentials = keys,
                 .trust = trust,
                 .admission = admission,
                 .work = work,
                 .connections = connections,
                 .metrics = metrics,
                 .saved = saved,
                 .sessions = sessions} {}

  SimClock clock;
  DiceRandomness randomness;
  SimStore store;
  AllTrusted trust;
  handshakes::test::CountedAdmission& admission;
  handshakes::test::HeldWork work;
  Keeper connections;
  handshakes::test::CountedMetrics metrics;
  handshakes::SavedHandshakes saved{clock, store};
  sessions::NoSessions sessions;
  handshakes::Services services;
  handshakes::Handshakes table{services};
  handshakes::DurableHandshakes durable{services, saved};

  // Calls that are under way here.
  int active = 0;
  // It crashes where the next of them looks.
  bool doomed = false;
};

}  // namespace handfast::sim

#endif  // HANDFAST_TESTS_SIM_REPLICA_H_
