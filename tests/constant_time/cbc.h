// AES-CBC records made by hand, good and bad, and what opens them: T2's subject.
#ifndef HANDFAST_TESTS_CONSTANT_TIME_CBC_H_
#define HANDFAST_TESTS_CONSTANT_TIME_CBC_H_

#include "tls/crypto/cbc.h"

namespace handfast::constant_time {

struct CbcCase {
  tls::CbcAlgorithm algorithm;
  bool encrypt_then_mac = false;
};

// With `secret` its keys are poisoned, and so is all that it decrypts.
tls::CbcHmac CbcOpener(const CbcCase& of, bool secret);
tls::Result<std::span<uint8_t>> OpenCbc(tls::CbcHmac& opener, std::span<uint8_t> body);

// A body that opens to this.
tls::Bytes GoodCbcBody(const CbcCase& of, tls::ByteView plaintext);
// One that decrypts to `blocks`, whole blocks that end in padding, right or wrong; without a MAC
// behind it (MAC-then-encrypt).
tls::Bytes CbcBodyOf(const CbcCase& of, tls::ByteView blocks);
// Of `size` bytes, whose last is `padding`, as are so many before it where `whole`.
tls::Bytes PaddedBlocks(size_t size, uint8_t padding, bool whole);

}  // namespace handfast::constant_time

#endif  // HANDFAST_TESTS_CONSTANT_TIME_CBC_H_
