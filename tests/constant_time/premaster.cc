#include "tests/constant_time/premaster.h"

#include <algorithm>

#include "tests/constant_time/poison.h"
#include "tests/tls/crypto/test_ca.h"

namespace {
bool poison_decrypted = false;
}  // namespace

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>

// valgrind calls this in place of libcrypto's RSA_private_decrypt, which yields the whole block:
// the padding mode of TLS looks at it afterwards, in rsa_decrypt
// (providers/implementations/asymciphers, rsa_enc.c of OpenSSL 3.0). Without valgrind it is never
// called.
extern "C" __attribute__((used)) int I_WRAP_SONAME_FNNAME_ZU(libcryptoZdsoZd3, RSA_private_decrypt)(
    int size, const unsigned char* from, unsigned char* to, void* rsa, int padding) {
  OrigFn original;
  VALGRIND_GET_ORIG_FN(original);
  int result = 0;
  CALL_FN_W_5W(result, original, size, from, to, rsa, padding);
  if (poison_decrypted && result > 0) {
    handfast::constant_time::Poison({to, static_cast<size_t>(result)});
  }
  return result;
}
#endif

namespace handfast::constant_time {

void PoisonDecrypted(bool on) { poison_decrypted = on; }

const tls::PrivateKey& RsaKey() {
  static const tls::PrivateKey key = *tls::PrivateKey::Generate(tls::KeyType::kRsa2048);
  return key;
}

tls::Bytes GoodBlock(uint8_t filler) {
  constexpr size_t kModulus = 256;
  constexpr size_t kSecret = 48;
  tls::Bytes block(kModulus, filler);
  block[0] = 0;
  block[1] = 2;
  block[kModulus - kSecret - 1] = 0;
  block[kModulus - kSecret] = kClientVersion >> 8;
  block[kModulus - kSecret + 1] = kClientVersion & 0xff;
  return block;
}

tls::Bytes EncryptedBlock(const tls::Bytes& block) {
  return tls::test::RsaEncryptRaw(RsaKey().PublicKeyDer(), block);
}

}  // namespace handfast::constant_time
