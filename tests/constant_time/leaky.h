// What must not be: a comparison that ends at the first difference, and the like. The controls of
// both tests.
#ifndef HANDFAST_TESTS_CONSTANT_TIME_LEAKY_H_
#define HANDFAST_TESTS_CONSTANT_TIME_LEAKY_H_

#include "tls/base/bytes.h"

namespace handfast::constant_time {

// In a file of its own, so that the optimiser does not see through it.
bool LeakyEqual(tls::ByteView a, tls::ByteView b);

// Looks a byte up at an address that depends on it.
uint8_t LeakyLookUp(uint8_t secret);

// Takes off the padding that the last byte tells of, and hashes what is left: Lucky13.
bool LeakyUnpad(tls::ByteView decrypted);

}  // namespace handfast::constant_time

#endif  // HANDFAST_TESTS_CONSTANT_TIME_LEAKY_H_
