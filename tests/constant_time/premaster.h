// Encrypted premaster secrets of static RSA, good and bad, and the key that recovers them: T1's
// subject.
#ifndef HANDFAST_TESTS_CONSTANT_TIME_PREMASTER_H_
#define HANDFAST_TESTS_CONSTANT_TIME_PREMASTER_H_

#include "tls/crypto/sign.h"

namespace handfast::constant_time {

constexpr uint16_t kClientVersion = 0x0303;

// One for the process.
const tls::PrivateKey& RsaKey();
// The block of a client that does as it should; `filler`: what the padding is made of, not 0.
tls::Bytes GoodBlock(uint8_t filler);
tls::Bytes EncryptedBlock(const tls::Bytes& block);

// While it is on, what a private key of libcrypto's decrypts is poisoned as it comes out of the
// arithmetic, before anybody looks at its padding (premaster.cc says how). The arithmetic itself is
// left out: it works on the ciphertext, which is public, and blinds it.
void PoisonDecrypted(bool on);

}  // namespace handfast::constant_time

#endif  // HANDFAST_TESTS_CONSTANT_TIME_PREMASTER_H_
