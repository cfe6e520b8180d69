// The table of live handshakes: by handle, each with a deadline. How many there may be is
// admission's to say.
#ifndef HANDFAST_SERVER_HANDSHAKES_HANDSHAKES_H_
#define HANDFAST_SERVER_HANDSHAKES_HANDSHAKES_H_

#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "absl/status/statusor.h"

#include "server/handshakes/handshake.h"
#include "server/store/timer_wheel.h"

namespace handfast::handshakes {

// Ended handshakes whose last reply is kept: some thousand a second. What ends beyond that is
// forgotten at once.
inline constexpr size_t kMaxLingering = 32'768;
// Of those replies together, for a peer may have a say in their size.
inline constexpr size_t kMaxLingeringBytes = size_t{128} << 20;

// Deadlines are seconds, so a twentieth of one is exact enough, and cheap when nothing happens.
inline constexpr std::chrono::milliseconds kReapInterval{50};

// What speaks against a handshake before it begins: statuses as the contract has them.
absl::Status CheckStart(const Services& services, const Start& start);

class Handshakes final : private Handshake::Table {
 public:
  explicit Handshakes(const Services& services);
  // Abandons what is left.
  ~Handshakes();
  Handshakes(const Handshakes&) = delete;
  Handshakes& operator=(const Handshakes&) = delete;

  // The handshake has not replied yet: call its Begin. Statuses as the contract has them: NOT_FOUND
  // (the credential), PERMISSION_DENIED (key release), FAILED_PRECONDITION (a client whose profile
  // trusts no server), RESOURCE_EXHAUSTED.
  // `enter`, where given, is called before its deadline can end it.
  absl::StatusOr<std::shared_ptr<Handshake>> Begin(
      Start start, const std::function<void(const std::shared_ptr<Handshake>&)>& enter = nullptr);

  // One that was saved goes on here: call its Resume. Whoever has it in this process loses it.
  // RESOURCE_EXHAUSTED.
  absl::StatusOr<std::shared_ptr<Handshake>> Resume(
      SavedHandshakes::Found found, const Handle& handle,
      const std::function<void(const std::shared_ptr<Handshake>&)>& enter);

  // Null where it is unknown, has ended, or is somebody else's.
  std::shared_ptr<Handshake> Find(const Owner& owner, const Handle& handle);

  // Ends those whose deadline has passed. To be called every kReapInterval.
  void Reap();

  // Ends what is live, in silence, and answers the steps that are under way.
  void AbandonAll();

  // From now on none begins by steps: UNAVAILABLE. Returns when none of those is live, or after
  // `within`.
  void DrainSteps(std::chrono::milliseconds within);

  // Those that have not ended.
  size_t live() const { return live_.load(std::memory_order_relaxed); }

 private:
  struct Entry : store::TimerWheel::Timer {
    std::shared_ptr<Handshake> handshake;
    bool ended = false;  // and lingers
    size_t bytes = 0;    // of its last reply
  };
  // Enough that threads seldom meet on one.
  static constexpr size_t kShards = 16;
  struct Shard {
    explicit Shard(uint64_t tick) : wheel(tick) {}
    // A handshake's lock may be held when this is taken, never the other way round.
    std::mutex mutex;
    store::TimerWheel wheel;
    std::unordered_map<Handle, std::unique_ptr<Entry>, HandleHash> by_handle;
  };

  void OnEnd(const FinishedHandshake& handshake, std::optional<size_t> linger) override;
  void OnLeft(const Handle& handle) override;
  Shard& ShardOf(const Handle& handle) { return *shards_[handle.high % kShards]; }
  bool EnterSteps();
  void LeaveSteps();
  void Forget(Shard& shard, const Entry& entry);
  void Insert(const std::shared_ptr<Handshake>& handshake);

  const Services services_;
  std::atomic<size_t> live_{0};
  std::atomic<size_t> lingering_{0};
  std::atomic<size_t> lingering_bytes_{0};
  std::mutex steps_mutex_;
  std::condition_variable steps_ended_;
  size_t live_by_steps_ = 0;
  bool draining_steps_ = false;
  std::array<std::unique_ptr<Shard>, kShards> shards_;
};

}  // namespace handfast::handshakes

#endif  // HANDFAST_SERVER_HANDSHAKES_HANDSHAKES_H_
