// A caller with one connection whose keys stay in the service, and its peer: a sound TLS stack in
// memory. The caller keeps to the contract; the network does not.
#ifndef HANDFAST_TESTS_SIM_CONVERSATION_H_
#define HANDFAST_TESTS_SIM_CONVERSATION_H_

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "server/connections/connections.h"
#include "tests/sim/nonce_table.h"
#include "tests/sim/records_world.h"
#include "tests/tls/connection/server_driver.h"

namespace handfast::sim {

class Conversation {
 public:
  Conversation(RecordsWorld& world, size_t number);

  // One thing that the caller does next, or that happens to it.
  void Act();
  // In calm: what is open comes to an end.
  void Wind();
  bool ended() const { return !how_.empty(); }
  const std::string& how() const { return how_; }
  // Where Bug::kTakesOver is planted, and nowhere else.
  void OnCrash();

 private:
  using Answer = absl::StatusOr<connections::RecordAnswer>;
  struct Call {
    bool seal = false;
    uint64_t first_seq = 0;
    tls::Bytes input = {};
    bool peer_closed = false;
    bool made = false;        // it reached the owner
    int64_t made_ns = 0;      // when it did
    tls::Bytes to_peer = {};  // what was said then
  };

  Answer Ask(connections::Connections& table, const Call& call);
  // At the owner, wherever it comes from: notes what is made, by whomever.
  Answer Make(Call& call);
  void Send(Call& call);
  void OnReply(Call& call, const connections::RecordReply& reply);
  void OnError(const Call& call, const absl::Status& status);
  void Hand(uint64_t offset, const tls::Bytes& to_peer);

  void PeerSpeaks();
  void NextSeal();
  void NextOpen(bool all);
  void Duplicate();
  void Rival();
  void AskElsewhere();
  void UpdateKeys();

  void End(const std::string& how);
  void Violated(const std::string& what) { world_.Violated(name_ + ": " + what); }
  tls::Bytes Text(size_t size);

  RecordsWorld& world_;
  Dice& dice_;
  const std::string name_;
  const std::shared_ptr<const handshakes::Owner> owner_;
  const handshakes::Handle handle_;
  tls::test::ServerKit ours_kit_;
  tls::test::ServerKit peer_kit_;
  DiceRandomness randomness_;
  std::optional<tls::test::ServerDriver> peer_;
  std::unique_ptr<NonceTable> nonces_;
  tls::Bytes saved_;   // ours, as it was at first: for the bugs
  uint64_t life_ = 0;  // of the owner

  std::optional<Call> seal_;
  std::optional<Call> open_;
  std::optional<Call> last_seal_;
  std::optional<Call> last_open_;
  uint64_t seal_seq_ = 0;
  uint64_t open_seq_ = 0;
  tls::Bytes from_peer_;                    // not consumed yet
  tls::Bytes sent_;                         // what the peer is to hear
  tls::Bytes said_;                         // what the peer has said
  tls::Bytes heard_;                        // what came out of that
  std::map<uint64_t, tls::Bytes> to_peer_;  // by offset, not handed on yet
  uint64_t handed_ = 0;
  std::string how_;
};

}  // namespace handfast::sim

#endif  // HANDFAST_TESTS_SIM_CONVERSATION_H_
