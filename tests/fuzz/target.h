// What a fuzz target is: OnInput is given bytes, and asks with Require for what must hold of them.
// A property that does not hold ends the process, as a crash does, and libFuzzer keeps the input.
#ifndef HANDFAST_TESTS_FUZZ_TARGET_H_
#define HANDFAST_TESTS_FUZZ_TARGET_H_

#include "tls/base/bytes.h"

namespace handfast::fuzz {

using tls::Bytes;
using tls::ByteView;

// Each target defines it.
void OnInput(ByteView input);

// Prints "PROPERTY BROKEN: name" and aborts where it does not hold.
void Require(bool holds, const char* property);

// True where HANDFAST_FUZZ_MUTANT names the property: the target then breaks what it looks at, and
// the corpus must show it. The negative control of each property.
bool Mutant(const char* property);

// Takes what a target needs besides its bytes off the front of its input; zeros at the end.
class Choices {
 public:
  explicit Choices(ByteView input) : rest_(input) {}
  uint8_t U8();
  uint16_t U16();
  // At most `size` bytes, fewer where fewer are left.
  ByteView Take(size_t size);
  ByteView rest() const { return rest_; }

 private:
  ByteView rest_;
};

}  // namespace handfast::fuzz

#endif  // HANDFAST_TESTS_FUZZ_TARGET_H_
