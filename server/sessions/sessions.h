// Sessions for all replicas: one set of ticket keys in the store, of which each replica has a copy
// in memory, and a table of the sessions that do not travel as tickets.
#ifndef HANDFAST_SERVER_SESSIONS_SESSIONS_H_
#define HANDFAST_SERVER_SESSIONS_SESSIONS_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "server/access/work_queue_interface.h"
#include "server/handshakes/clock_interface.h"
#include "server/sessions/session_table.h"
#include "server/sessions/sessions_interface.h"
#include "server/sessions/ticket_key_set.h"
#include "server/store/store_interface.h"
#include "tls/crypto/random.h"

namespace handfast::sessions {

// A key is in the store two hours before it seals, so once a minute would do as well.
inline constexpr std::chrono::seconds kRefreshEvery{30};
// Where there is no key that seals: just started, or the store was away for long.
inline constexpr std::chrono::seconds kRefreshWithoutKeys{1};

class Sessions final : public SessionsInterface {
 public:
  // All outlive it. `work` is where waiting for the store is done.
  Sessions(const handshakes::Clock& clock, store::Store& store, access::WorkQueueInterface& work,
           tls::Randomness& randomness)
      : clock_(clock), store_(store), work_(work), randomness_(randomness), table_(clock, store) {}

  // Agrees with the other replicas on the ticket keys, rotates them where that is due, and has them
  // used here. Waits for the store; where it is away, what is known here goes on while it is valid.
  void Refresh();
  // Has Refresh called where that is due. To be called now and then; never waits.
  void Tick();
  // Seconds since the epoch: when the key that seals here began to; 0: there is none.
  int64_t ticket_keys_rotated_unix_s() const;

  bool enabled() const override { return true; }
  std::shared_ptr<const tls::TicketKeys> CurrentTicketKeys() const override;
  void KeepServerSession(const std::string& tenant, const tls::Bytes& binding,
                         tls::Session spent) override;
  std::shared_ptr<const tls::Session> FindServerSession(const std::string& tenant,
                                                        const tls::Bytes& binding,
                                                        const tls::Bytes& session_id) override;
  bool FindServerSessionLater(const std::string& tenant, const tls::Bytes& binding,
                              const tls::Bytes& session_id, Found found) override;
  void KeepClientSession(const std::string& tenant, const tls::Bytes& binding,
                         tls::Session spent) override;
  std::optional<tls::Session> TakeClientSession(const std::string& tenant,
                                                const tls::Bytes& binding) override;

 private:
  // What handshakes see; immutable.
  struct Snapshot {
    std::shared_ptr<const tls::TicketKeys> keys;
    int64_t rotated_unix_s = 0;
  };

  // The store's set as it is to be from now on; nullopt: the store cannot say.
  std::optional<TicketKeySet> Agree(int64_t now_unix_s);
  void Publish(int64_t now_unix_s);
  void KeepLater(const std::string& tenant, const SessionTable::Label& label, tls::Session spent);

  const handshakes::Clock& clock_;
  store::Store& store_;
  access::WorkQueueInterface& work_;
  tls::Randomness& randomness_;
  SessionTable table_;

  std::mutex refreshing_;  // guards the next two; held while the store is asked
  TicketKeySet set_;
  bool told_ = false;  // that the store is away
  std::atomic<bool> queued_{false};
  std::atomic<handshakes::MonotonicTime> due_{handshakes::MonotonicTime::min()};
  // Touched by std::atomic_load and std::atomic_store alone.
  std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<const Snapshot>();
};

}  // namespace handfast::sessions

#endif  // HANDFAST_SERVER_SESSIONS_SESSIONS_H_
