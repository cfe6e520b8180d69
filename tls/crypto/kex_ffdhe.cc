// The primes are libcrypto's, by the group's name. The power is BN_mod_exp_mont_consttime, which is
// what EVP_PKEY_derive ends in, without the objects around it.
#include "tls/crypto/kex_ffdhe.h"

#include <algorithm>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>

#include "tls/crypto/libcrypto.h"

namespace handfast::tls {
namespace {

using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using Number = Owned<BIGNUM, BN_clear_free>;
using NumberContext = Owned<BN_CTX, BN_CTX_free>;
using Montgomery = Owned<BN_MONT_CTX, BN_MONT_CTX_free>;

// RFC 7919 appendix A asks for exponents of at least 225, 275 and 325 bits.
constexpr FfdheGroup kGroups[] = {{NamedGroup::kFfdhe2048, "ffdhe2048", 256, 32},
                                  {NamedGroup::kFfdhe3072, "ffdhe3072", 384, 40},
                                  {NamedGroup::kFfdhe4096, "ffdhe4096", 512, 48}};
constexpr BN_ULONG kGenerator = 2;  // RFC 7919 appendix A

// What every power needs of a group; read-only once made, and shared by threads.
struct Field {
  explicit Field(const FfdheGroup& group) {
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                                const_cast<char*>(group.name), 0),
                               OSSL_PARAM_construct_end()};
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "DH", nullptr));
    EVP_PKEY* key = nullptr;
    if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEY_PARAMETERS, parameters) != 1) {
      return;
    }
    const Key owned(key);
    BIGNUM* read = nullptr;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_FFC_P, &read) != 1) return;
    p.reset(read);
    bytes.resize(group.size);
    const NumberContext numbers(BN_CTX_new());
    below_p.reset(BN_dup(p.get()));
    montgomery.reset(BN_MONT_CTX_new());
    usable = BN_bn2binpad(p.get(), bytes.data(), static_cast<int>(group.size)) ==
                 static_cast<int>(group.size) &&
             numbers != nullptr && below_p != nullptr && montgomery != nullptr &&
             BN_sub_word(below_p.get(), 1) == 1 &&
             BN_MONT_CTX_set(montgomery.get(), p.get(), numbers.get()) == 1;
  }

  Number p;
  Number below_p;  // p - 1
  Montgomery montgomery;
  Bytes bytes;
  bool usable = false;
};

const Field* FieldOf(const FfdheGroup& group) {
  static const Field fields[] = {Field(kGroups[0]), Field(kGroups[1]), Field(kGroups[2])};
  const Field& field = fields[&group - kGroups];
  return field.usable ? &field : nullptr;
}

// base^exponent mod p, in constant time; `base` is public.
bool Power(const Field& field, const BIGNUM* base, ByteView exponent, std::span<uint8_t> out) {
  const NumberContext numbers(BN_CTX_new());
  const Number power(BN_secure_new());
  const Number result(BN_new());
  if (numbers == nullptr || power == nullptr || result == nullptr ||
      BN_bin2bn(exponent.data(), static_cast<int>(exponent.size()), power.get()) == nullptr) {
    return false;
  }
  BN_set_flags(power.get(), BN_FLG_CONSTTIME);
  return BN_mod_exp_mont_consttime(result.get(), base, power.get(), field.p.get(), numbers.get(),
                                   field.montgomery.get()) == 1 &&
         BN_bn2binpad(result.get(), out.data(), static_cast<int>(out.size())) ==
             static_cast<int>(out.size());
}

}  // namespace

const FfdheGroup* FindFfdhe(NamedGroup group) {
  const auto* found = std::find_if(std::begin(kGroups), std::end(kGroups),
                                   [&](const FfdheGroup& g) { return g.group == group; });
  return found == std::end(kGroups) ? nullptr : found;
}

ByteView FfdhePrimeOf(const FfdheGroup& group) {
  const Field* field = FieldOf(group);
  return field == nullptr ? ByteView() : ByteView(field->bytes);
}

bool NewFfdheExponent(std::span<uint8_t> out) {
  if (RAND_priv_bytes(out.data(), static_cast<int>(out.size())) != 1) return false;
  out[0] |= 0x80;  // of full length, and so never 0
  return true;
}

bool FfdhePublic(const FfdheGroup& group, ByteView exponent, std::span<uint8_t> out) {
  const Field* field = FieldOf(group);
  const Number generator(BN_new());
  return field != nullptr && generator != nullptr &&
         BN_set_word(generator.get(), kGenerator) == 1 &&
         Power(*field, generator.get(), exponent, out);
}

bool DeriveFfdhe(const FfdheGroup& group, ByteView exponent, ByteView peer,
                 std::span<uint8_t> out) {
  const Field* field = FieldOf(group);
  // RFC 8446 §4.2.8.1: the value is "padded to the left with zeros to the size of p in bytes".
  if (field == nullptr || peer.size() != group.size) return false;
  const Number value(BN_bin2bn(peer.data(), static_cast<int>(peer.size()), nullptr));
  // RFC 7919 §5.1: "Peers MUST validate each other's public key Y (dh_Ys offered by the server or
  // dh_Yc offered by the client) by ensuring that 1 < Y < p-1."
  // RFC 8446 §4.2.8.1: "Peers MUST validate each other's public key Y by ensuring that 1 < Y <
  // p-1."
  if (value == nullptr || BN_cmp(value.get(), BN_value_one()) <= 0 ||
      BN_cmp(value.get(), field->below_p.get()) >= 0) {
    return false;
  }
  return Power(*field, value.get(), exponent, out);
}

}  // namespace handfast::tls
