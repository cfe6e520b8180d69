// A caller who wants one handshake made, and the peer that it is made with: a sound TLS stack in
// memory. Whatever befalls the caller, it hands the peer's stream on in order, and once.
#ifndef HANDFAST_TESTS_SIM_EXCHANGE_H_
#define HANDFAST_TESTS_SIM_EXCHANGE_H_

#include <memory>
#include <optional>
#include <string>

#include "tests/sim/told.h"
#include "tests/sim/world.h"
#include "tests/tls/connection/server_driver.h"

namespace handfast::sim {

// What replicas and peers show; both trust the same root.
const tls::test::ServerKit& ServerKitOf();
const tls::test::ServerKit& ClientKitOf();

struct Plan {
  handshakes::Role role = handshakes::Role::kServer;  // the replicas'
  tls::ProtocolVersion version = tls::ProtocolVersion::kTls13;
  bool mutual = false;
  bool retry = false;  // HelloRetryRequest
  bool release = false;
  bool trace = false;
};

class Exchange {
 public:
  static std::unique_ptr<Exchange> Draw(World& world, size_t number);

  Exchange(World& world, std::string name, const Plan& plan);
  virtual ~Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // One thing that the caller does next, or that happens to it.
  virtual void Act() = 0;
  // All that is at this replica is gone.
  virtual void OnCrash(size_t replica) = 0;
  // Notes what replicas have told meanwhile, to whomever.
  virtual void HearOut() = 0;

  bool ended() const { return !how_.empty(); }
  const std::string& how() const { return how_; }

 protected:
  handshakes::Start NewStart() const;
  const handshakes::Owner& owner() const { return *owner_; }
  // A handshake has begun under this handle, not before `at_ns`.
  void Begun(const handshakes::Handle& handle, int64_t at_ns);
  // No step can be made any more, however the clocks differ.
  bool PastDeadline() const;

  // What the peer answers goes behind from_peer().
  void ToPeer(tls::ByteView bytes);
  tls::ByteView from_peer() const { return from_peer_; }

  // The end, as a caller is told; keys are spent.
  void OnOutcome(const handshakes::Handle& handle, Told& told);
  // NOT_FOUND: whether that can be.
  void OnNotFound();
  void End(const std::string& how);
  void Violated(const std::string& what);
  void Say(const std::string& what) { world_.Say(name_ + ": " + what); }

  // What the caller did that explains a failure.
  bool aborted_ = false;
  bool closed_ = false;
  bool spoiled_ = false;

  World& world_;
  Dice& dice_;
  const Plan plan_;

 private:
  void CheckFailure(const std::string& reason);
  void CheckEstablished(const handshakes::Handle& handle, Told& told);
  void ExchangeRecords(const handshakes::Handle& handle, Told& told);
  void ExchangeByKept(const handshakes::Handle& handle);

  const std::string name_;
  const std::shared_ptr<const handshakes::Owner> owner_;
  std::shared_ptr<const handshakes::Profile> profile_;
  tls::test::ServerKit peer_kit_;
  DiceRandomness peer_randomness_;
  std::optional<tls::test::ServerDriver> peer_;
  tls::Bytes from_peer_;
  int64_t began_ns_ = 0;
  std::string how_;
};

}  // namespace handfast::sim

#endif  // HANDFAST_TESTS_SIM_EXCHANGE_H_
