#include "tls/crypto/rsa_premaster.h"

#include <array>
#include <cstring>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "tls/base/secret.h"
#include "tls/crypto/libcrypto.h"

namespace handfast::tls {
namespace {

using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

constexpr size_t kMaxModulus = 512;  // RSA of 4096 bits

KeyContext NewContext(EVP_PKEY* key, unsigned client_version) {
  KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  const OSSL_PARAM parameters[] = {
      // RFC 5246 §7.4.7.1: "If ClientHello.client_version is TLS 1.1 or higher, server
      // implementations MUST check the version number as described in the note below."
      OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &client_version),
      OSSL_PARAM_construct_end()};
  if (context == nullptr || EVP_PKEY_decrypt_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_WITH_TLS_PADDING) != 1 ||
      EVP_PKEY_CTX_set_params(context.get(), parameters) != 1) {
    return nullptr;
  }
  return context;
}

}  // namespace

bool RecoverRsaPremaster(EVP_PKEY* key, uint16_t client_version, ByteView encrypted,
                         std::span<uint8_t> out) {
  // For what is no number below the modulus, of the modulus's length: everybody can see that.
  std::array<uint8_t, kRsaPremasterSize> random;
  std::array<uint8_t, kMaxModulus> decrypted;
  const KeyContext context = NewContext(key, client_version);
  if (context == nullptr || RAND_priv_bytes(random.data(), random.size()) != 1) return false;
  size_t size = decrypted.size();
  // RFC 5246 §7.4.7.1: "In any case, a TLS server MUST NOT generate an alert if processing an
  // RSA-encrypted premaster secret message fails, or the version number is not as expected.
  // Instead, it MUST continue the handshake with a randomly generated premaster secret."
  // This padding mode yields 48 bytes whatever was encrypted, in constant time.
  // RFC 5246 §7.4.7.1: "Accordingly, implementations that use static RSA keys MUST use RSA blinding
  // or some other anti-timing technique, as described in [TIMING]." libcrypto blinds each use of an
  // RSA key.
  const bool is_number = encrypted.size() == static_cast<size_t>(EVP_PKEY_get_size(key)) &&
                         EVP_PKEY_decrypt(context.get(), decrypted.data(), &size, encrypted.data(),
                                          encrypted.size()) == 1 &&
                         size == kRsaPremasterSize;
  std::memcpy(out.data(), is_number ? decrypted.data() : random.data(), kRsaPremasterSize);
  Wipe(decrypted);
  Wipe(random);
  return true;
}

}  // namespace handfast::tls
