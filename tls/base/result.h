// Result<T>: a value or the Reason why there is none. The only error channel of tls/. The compiler
// is told that there mostly is a value: what is done without one then lies apart from the rest, and
// a handshake that goes well, which finds the caches full of other work, need not fetch it.
#ifndef HANDFAST_TLS_BASE_RESULT_H_
#define HANDFAST_TLS_BASE_RESULT_H_

#include <optional>
#include <utility>

#include "tls/base/reason.h"

namespace handfast::tls {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Reason reason) : reason_(reason) {}     // NOLINT(google-explicit-constructor)
  // A value to be filled in place, where it is too large to be moved for nothing.
  explicit Result(std::in_place_t) : value_(std::in_place) {}

  bool ok() const { return __builtin_expect(value_.has_value(), true); }
  // Meaningful only where !ok().
  Reason reason() const { return reason_; }

  // Meaningful only where ok().
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Reason reason_ = Reason::kInternalError;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Reason reason) : reason_(reason) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return __builtin_expect(!reason_.has_value(), true); }
  Reason reason() const { return reason_.value_or(Reason::kInternalError); }

 private:
  std::optional<Reason> reason_;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_BASE_RESULT_H_
