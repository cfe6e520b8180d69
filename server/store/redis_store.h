// A store in Redis 7, shared by all replicas. Redis is not trusted with what it keeps: each value
// is sealed (envelope.h), and what comes back is used only where it is what was put there, for this
// key, in this incarnation of the store. README.md says what can be noticed and what cannot.
#ifndef HANDFAST_SERVER_STORE_REDIS_STORE_H_
#define HANDFAST_SERVER_STORE_REDIS_STORE_H_

#include <functional>
#include <string>
#include <vector>

#include "server/handshakes/clock_interface.h"
#include "server/store/envelope.h"
#include "server/store/lineage.h"
#include "server/store/redis_pool.h"
#include "server/store/store_interface.h"
#include "tls/crypto/random.h"

namespace handfast::store {

class RedisStore final : public Store {
 public:
  // `space` keeps what different services or ends put into one Redis apart. All replicas have the
  // same space and the same key of kStoreKeySize bytes. Clock and randomness outlive the store.
  // Connects when it is first used.
  RedisStore(RedisOptions options, std::string space, tls::AeadKey key,
             const handshakes::Clock& clock, tls::Randomness& randomness);

  absl::StatusOr<Value> Get(const Key& key) override;
  absl::Status Put(const Key& key, tls::ByteView value, TimeToLive time_to_live) override;
  absl::StatusOr<uint64_t> CompareAndSwap(const Key& key, uint64_t generation, tls::ByteView value,
                                          TimeToLive time_to_live) override;
  absl::StatusOr<Value> Pop(const Key& key) override;

  uint64_t connects() const { return pool_.connects(); }

 private:
  // How often a call begins anew when the store changes under it.
  static constexpr int kMaxTries = 4;
  static constexpr size_t kRemembered = 65'536;

  struct Answer {
    std::string incarnation;
    std::string name;
    uint64_t known_generation;  // before Redis was asked
    ScriptReply reply;
  };
  // What follows {what, incarnation, least epoch, least mark}.
  using Arguments = std::function<absl::StatusOr<std::vector<std::string>>(
      const std::string& incarnation, uint64_t known_generation)>;

  absl::StatusOr<Answer> Run(const char* what, const Key& key, const Arguments& arguments);
  absl::StatusOr<Value> Read(const Key& key, bool pops);
  absl::StatusOr<Era> Current();
  absl::StatusOr<ScriptReply> Settle(const char* what, std::vector<std::string> incarnations);
  std::string KeyName(std::string_view last) const;

  const handshakes::Clock& clock_;
  const std::string prefix_;
  const Envelope envelope_;
  tls::Randomness& randomness_;
  // This process among those that write.
  const std::string mark_;
  RedisPool pool_;
  Lineage lineage_;
  RecentGenerations recent_{kRemembered};
};

}  // namespace handfast::store

#endif  // HANDFAST_SERVER_STORE_REDIS_STORE_H_
