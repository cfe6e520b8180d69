#include "tls/crypto/kex_mlkem.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "tls/crypto/libcrypto.h"

namespace handfast::tls {
namespace {

using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using Kem = Owned<EVP_KEM, EVP_KEM_free>;

constexpr char kName[] = "ML-KEM-768";
// Of parameters that 3.0's headers do not name.
constexpr char kSeed[] = "seed";
constexpr char kMessage[] = "ikme";

OSSL_PARAM Octets(const char* name, ByteView bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

bool HasMlKem() {
  static const bool has = [] {
    ClearErrorsOnReturn clear;
    return Kem(EVP_KEM_fetch(nullptr, kName, nullptr)) != nullptr;
  }();
  return has;
}

void MlKemKey::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

MlKemKey MlKemKey::FromSeed(ByteView seed, std::span<uint8_t> encapsulation_key) {
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, kName, nullptr));
  OSSL_PARAM parameters[] = {Octets(kSeed, seed), OSSL_PARAM_construct_end()};
  EVP_PKEY* made = nullptr;
  if (seed.size() != kMlKemSeedSize || context == nullptr ||
      EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, parameters) != 1) {
    return {};
  }
  MlKemKey key;
  key.key_.reset(made);
  size_t size = encapsulation_key.size();
  if (EVP_PKEY_get_raw_public_key(made, encapsulation_key.data(), &size) != 1 ||
      size != kMlKemKeySize) {
    return {};
  }
  return key;
}

bool MlKemKey::Decapsulate(ByteView ciphertext, std::span<uint8_t> secret) const {
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
  size_t size = secret.size();
  return context != nullptr && EVP_PKEY_decapsulate_init(context.get(), nullptr) == 1 &&
         EVP_PKEY_decapsulate(context.get(), secret.data(), &size, ciphertext.data(),
                              ciphertext.size()) == 1 &&
         size == kMlKemSecretSize;
}

bool Encapsulate(ByteView encapsulation_key, ByteView message, std::span<uint8_t> ciphertext,
                 std::span<uint8_t> secret, bool& bad_key) {
  // draft-ietf-tls-ecdhe-mlkem, Server share: "For all groups, the server MUST perform the
  // encapsulation key check described in Section 7.2 of [FIPS203] on the client's encapsulation
  // key, and abort with an illegal_parameter alert if it fails." libcrypto takes in no other key.
  const Key key(EVP_PKEY_new_raw_public_key_ex(nullptr, kName, nullptr, encapsulation_key.data(),
                                               encapsulation_key.size()));
  bad_key = key == nullptr;
  if (bad_key) return false;
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  const OSSL_PARAM parameters[] = {Octets(kMessage, message), OSSL_PARAM_construct_end()};
  size_t ciphertext_size = ciphertext.size();
  size_t secret_size = secret.size();
  return context != nullptr && EVP_PKEY_encapsulate_init(context.get(), parameters) == 1 &&
         EVP_PKEY_encapsulate(context.get(), ciphertext.data(), &ciphertext_size, secret.data(),
                              &secret_size) == 1 &&
         ciphertext_size == kMlKemCiphertextSize && secret_size == kMlKemSecretSize;
}

}  // namespace handfast::tls
