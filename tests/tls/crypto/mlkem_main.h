// For tests that need ML-KEM, which libcrypto has from 3.5 on. Linked with mlkem_main.cc in place
// of gtest_main, such a test runs itself anew with Debian 13's libraries where HANDFAST_DEBIAN13
// names a folder of them (tests/interop/debian13.sh) and the system's libcrypto has no ML-KEM.
#ifndef HANDFAST_TESTS_TLS_CRYPTO_MLKEM_MAIN_H_
#define HANDFAST_TESTS_TLS_CRYPTO_MLKEM_MAIN_H_

#include <gtest/gtest.h>

#include "tls/crypto/kex.h"

namespace handfast::tls::test {

constexpr NamedGroup kHybrids[] = {NamedGroup::kX25519MlKem768, NamedGroup::kSecP256r1MlKem768};

inline bool HasHybrids() { return Implemented(kHybrids[0]) && Implemented(kHybrids[1]); }

// Skips all of its tests where there is no ML-KEM.
class WithMlKem : public testing::Test {
 protected:
  void SetUp() override {
    if (!HasHybrids()) {
      GTEST_SKIP() << "this libcrypto has no ML-KEM, and HANDFAST_DEBIAN13 names no folder: see "
                      "tests/interop/debian13.sh";
    }
  }
};

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CRYPTO_MLKEM_MAIN_H_
