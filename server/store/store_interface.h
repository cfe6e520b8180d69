// The store: values that outlive the call that made them, each under a key, with a generation and a
// time to live. Durable handshakes and resumable sessions are what it is for; it knows neither.
//
// A key names one value for all time: callers draw handles at random and never use one twice. What
// exists is replaced by CompareAndSwap alone, so no writer can undo another's work unseen.
#ifndef HANDFAST_SERVER_STORE_STORE_INTERFACE_H_
#define HANDFAST_SERVER_STORE_STORE_INTERFACE_H_

#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "tls/base/bytes.h"
#include "tls/base/secret.h"

namespace handfast::store {

// Both are part of the name: another tenant's handle is as unknown as one that never was.
struct Key {
  std::string_view tenant;
  std::string_view handle;
};

// Move-only and wiped, for it may hold keys.
struct Value {
  Value() = default;
  Value(tls::Bytes bytes, uint64_t generation) : bytes(std::move(bytes)), generation(generation) {}
  Value(Value&& other) noexcept = default;
  Value& operator=(Value&& other) noexcept {
    std::swap(bytes, other.bytes);
    generation = other.generation;
    return *this;
  }
  ~Value() { tls::Wipe(bytes); }

  tls::Bytes bytes;
  // 1 as it was put; one more with each swap.
  uint64_t generation = 0;
};

using TimeToLive = std::chrono::milliseconds;

// Statuses of all four: INVALID_ARGUMENT where the arguments exceed limits.h; UNAVAILABLE where the
// store cannot be reached, or did not answer: a write may then have been done or not. What was
// stored and is no longer itself is DATA_LOSS, and is never handed out; FAILED_PRECONDITION, what a
// newer release stored, or a store that is set up wrongly.
class Store {
 public:
  virtual ~Store() = default;

  // NOT_FOUND where it never was, has expired, was popped, or was lost with an older store.
  virtual absl::StatusOr<Value> Get(const Key& key) = 0;

  // ALREADY_EXISTS where there is one: nothing is ever overwritten. RESOURCE_EXHAUSTED where the
  // store is full.
  virtual absl::Status Put(const Key& key, tls::ByteView value, TimeToLive time_to_live) = 0;

  // Replaces the value where its generation is still `generation`, and returns the new one. The
  // time to live starts anew. Of any number of callers with the same `generation` one wins; the
  // others have ABORTED, and find the winner's value with Get. NOT_FOUND as Get;
  // RESOURCE_EXHAUSTED where the store is full: the old value stays.
  virtual absl::StatusOr<uint64_t> CompareAndSwap(const Key& key, uint64_t generation,
                                                  tls::ByteView value, TimeToLive time_to_live) = 0;

  // Takes it out: no value is handed out twice. Where the answer is UNAVAILABLE or DATA_LOSS the
  // value may be gone, and nobody has it.
  virtual absl::StatusOr<Value> Pop(const Key& key) = 0;

  // To be called now and then: gives back the room of what has expired, where that is ours to do.
  virtual void Sweep() {}
};

}  // namespace handfast::store

#endif  // HANDFAST_SERVER_STORE_STORE_INTERFACE_H_
