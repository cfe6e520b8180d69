// The stores that keep the same contract, each with a way to let time pass without waiting for it.
#ifndef HANDFAST_TESTS_SERVER_STORE_BACKENDS_H_
#define HANDFAST_TESTS_SERVER_STORE_BACKENDS_H_

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "server/handshakes/clock_interface.h"
#include "server/store/memory_store.h"
#include "server/store/redis_store.h"
#include "tests/support/patience.h"
#include "tests/support/redis_server.h"
#include "tls/crypto/random.h"

namespace handfast::store::test {

using handfast::test::RedisServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline RedisOptions OptionsOf(const RedisServer& server) {
  RedisOptions options;
  options.unix_socket = server.socket();
  // A machine that builds something meanwhile is slow, not out.
  options.connect_timeout = options.command_timeout = handfast::test::kPatience;
  return options;
}

class ManualClock final : public handshakes::Clock {
 public:
  handshakes::MonotonicTime Now() const override {
    return handshakes::MonotonicTime(std::chrono::nanoseconds(now_ns_.load()));
  }
  int64_t UnixSeconds() const override { return 1'800'000'000; }
  void Advance(std::chrono::nanoseconds by) { now_ns_ += by.count(); }

 private:
  std::atomic<int64_t> now_ns_{3'600'000'000'000};
};

inline tls::AeadKey KeyOf(uint8_t byte) {
  return *tls::AeadKey::From(tls::Bytes(kStoreKeySize, byte));
}

inline std::string TextOf(const Value& value) { return std::string(tls::AsText(value.bytes)); }

// The value's text and generation, or the status: "hi (1)".
inline std::string Show(const absl::StatusOr<Value>& value) {
  if (!value.ok()) return absl::StatusCodeToString(value.status().code());
  return TextOf(*value) + " (" + std::to_string(value->generation) + ")";
}

class Backend {
 public:
  virtual ~Backend() = default;
  virtual Store& store() = 0;
  // Another client of the same: the same store where there is but one process.
  virtual Store& other() = 0;
  // All that is there now has lived its time.
  virtual void LetExpire() = 0;
};

class MemoryBackend final : public Backend {
 public:
  Store& store() override { return store_; }
  Store& other() override { return store_; }
  void LetExpire() override { clock_.Advance(kLongest); }

 private:
  // The longest time to live in these tests.
  static constexpr seconds kLongest{3600};
  ManualClock clock_;
  MemoryStore store_{clock_, {.entries = 1000, .bytes = 1 << 22}};
};

class RedisBackend final : public Backend {
 public:
  Store& store() override { return store_; }
  Store& other() override { return other_; }
  void LetExpire() override {
    for (const std::string& name : server_.EntryNames()) server_.Do({"PEXPIREAT", name, "1"});
  }

 private:
  ManualClock clock_;
  RedisServer server_;
  RedisStore store_{OptionsOf(server_), "test", KeyOf(7), clock_, tls::SystemRandomness()};
  RedisStore other_{OptionsOf(server_), "test", KeyOf(7), clock_, tls::SystemRandomness()};
};

// Runs each test over both.
class EachStore : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (GetParam() == std::string_view("memory")) {
      backend_ = std::make_unique<MemoryBackend>();
    } else if (!RedisServer::IsInstalled()) {
      GTEST_SKIP() << "redis-server is not installed";
    } else {
      backend_ = std::make_unique<RedisBackend>();
    }
  }
  Store& store() { return backend_->store(); }
  Store& other() { return backend_->other(); }
  absl::Status Put(const Key& key, std::string_view text) {
    return store().Put(key, tls::AsBytes(text), seconds(60));
  }

  std::unique_ptr<Backend> backend_;
};

#define INSTANTIATE_FOR_EACH_STORE(Suite)                               \
  INSTANTIATE_TEST_SUITE_P(, Suite, testing::Values("memory", "redis"), \
                           [](const auto& info) { return std::string(info.param); })

}  // namespace handfast::store::test

#endif  // HANDFAST_TESTS_SERVER_STORE_BACKENDS_H_
