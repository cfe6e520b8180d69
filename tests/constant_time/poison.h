// Marks bytes as secret, so that valgrind's memcheck reports each branch and each address that
// depends on them: to memcheck they are bytes that were never written. Without valgrind nothing
// happens.
#ifndef HANDFAST_TESTS_CONSTANT_TIME_POISON_H_
#define HANDFAST_TESTS_CONSTANT_TIME_POISON_H_

#include "tls/base/bytes.h"
#include "tls/base/secret_access.h"

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define VALGRIND_MAKE_MEM_UNDEFINED(address, size) static_cast<void>(address)
#define VALGRIND_MAKE_MEM_DEFINED(address, size) static_cast<void>(address)
#endif

namespace handfast::constant_time {

inline void Poison(tls::ByteView bytes) {
  VALGRIND_MAKE_MEM_UNDEFINED(const_cast<uint8_t*>(bytes.data()), bytes.size());
}

template <size_t N>
void Poison(const tls::Secret<N>& secret) {
  Poison(tls::SecretAccess::Open(secret));
}

// What the peer is told anyway, such as the outcome of a comparison, is no secret any more.
template <class T>
T Public(T value) {
  VALGRIND_MAKE_MEM_DEFINED(&value, sizeof(value));
  return value;
}

}  // namespace handfast::constant_time

#endif  // HANDFAST_TESTS_CONSTANT_TIME_POISON_H_
