// Key exchange on curves goes through the cheapest constant-time public interface of libcrypto
// (README.md has the figures); finite fields are in kex_ffdhe.cc, hybrids in kex_hybrid.cc:
// - X25519 through EVP, with one generation context a thread.
// - The NIST curves through EC_POINT_mul, which is what EVP_PKEY_derive and EVP_PKEY_generate end
//   in, without the objects around it.
#include "tls/crypto/kex.h"

#include <algorithm>
#include <array>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include "tls/base/secret_access.h"
#include "tls/crypto/kex_ffdhe.h"
#include "tls/crypto/kex_hybrid.h"
#include "tls/crypto/libcrypto.h"

namespace handfast::tls {
namespace {

using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using Number = Owned<BIGNUM, BN_clear_free>;
using NumberContext = Owned<BN_CTX, BN_CTX_free>;
using Point = Owned<EC_POINT, EC_POINT_clear_free>;
using Group = Owned<EC_GROUP, EC_GROUP_free>;

constexpr size_t kX25519Size = 32;
constexpr size_t kMaxScalarSize = 66;                     // secp521r1
constexpr size_t kMaxPointSize = 1 + 2 * kMaxScalarSize;  // uncompressed
constexpr size_t kMaxPublicSize = kMaxFfdheSize;
static_assert(kMaxPublicSize >= kMaxPointSize);

// ---- X25519 ---------------------------------------------------------------------------------

// What a thread reuses from one pair to the next; nothing in it is secret.
struct X25519Tools {
  X25519Tools() {
    generation.reset(EVP_PKEY_CTX_new_from_name(nullptr, "X25519", nullptr));
    // Any point: it takes each peer's in turn.
    static constexpr uint8_t kBasePoint[kX25519Size] = {9};  // RFC 7748 §6.1
    peer.reset(EVP_PKEY_new_raw_public_key_ex(nullptr, "X25519", nullptr, kBasePoint, kX25519Size));
    if (generation != nullptr && EVP_PKEY_keygen_init(generation.get()) != 1) generation.reset();
  }

  KeyContext generation;
  Key peer;
};

X25519Tools& ThreadTools() {
  thread_local X25519Tools tools;
  return tools;
}

// False also where the result is all zeros: libcrypto refuses it, and compares in constant time.
bool DeriveX25519(EVP_PKEY* key, ByteView peer_point, std::span<uint8_t> out) {
  EVP_PKEY* const peer = ThreadTools().peer.get();
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  size_t size = out.size();
  return peer != nullptr && context != nullptr && peer_point.size() == kX25519Size &&
         EVP_PKEY_set1_encoded_public_key(peer, peer_point.data(), kX25519Size) == 1 &&
         EVP_PKEY_derive_init(context.get()) == 1 &&
         EVP_PKEY_derive_set_peer_ex(context.get(), peer, /*validate_peer=*/0) == 1 &&
         EVP_PKEY_derive(context.get(), out.data(), &size) == 1 && size == out.size();
}

// ---- The NIST curves ------------------------------------------------------------------------

struct Curve {
  explicit Curve(int nid) : group(EC_GROUP_new_by_curve_name(nid)) {
    if (group != nullptr) size = (static_cast<size_t>(EC_GROUP_get_degree(group.get())) + 7) / 8;
  }
  Group group;
  size_t size = 0;  // bytes of a scalar and of a coordinate
};

// Null where the group is no NIST curve of ours. The groups are read-only and shared by threads.
const Curve* FindCurve(NamedGroup group) {
  static const Curve p256(NID_X9_62_prime256v1);
  static const Curve p384(NID_secp384r1);
  static const Curve p521(NID_secp521r1);
  const Curve* curve = group == NamedGroup::kSecp256r1   ? &p256
                       : group == NamedGroup::kSecp384r1 ? &p384
                       : group == NamedGroup::kSecp521r1 ? &p521
                                                         : nullptr;
  return curve != nullptr && curve->group != nullptr ? curve : nullptr;
}

// scalar * base, uncompressed, into `out`; 0 on failure.
size_t PublicPoint(const Curve& curve, const BIGNUM* scalar, BN_CTX* numbers,
                   std::array<uint8_t, kMaxPublicSize>& out) {
  const EC_GROUP* group = curve.group.get();
  Point point(EC_POINT_new(group));
  if (point == nullptr ||
      EC_POINT_mul(group, point.get(), scalar, nullptr, nullptr, numbers) != 1) {
    return 0;
  }
  return EC_POINT_point2oct(group, point.get(), POINT_CONVERSION_UNCOMPRESSED, out.data(),
                            out.size(), numbers);
}

// The x coordinate of scalar * peer (RFC 8446 §7.4.2). False for a peer that is no such point.
bool DeriveOnCurve(const Curve& curve, ByteView scalar_bytes, ByteView peer,
                   std::span<uint8_t> out) {
  // RFC 8446 §4.2.8.2: "uint8 legacy_form = 4;"
  if (peer.size() != 1 + 2 * curve.size || peer[0] != POINT_CONVERSION_UNCOMPRESSED) return false;
  const EC_GROUP* group = curve.group.get();
  NumberContext numbers(BN_CTX_new());
  Number scalar(BN_bin2bn(scalar_bytes.data(), static_cast<int>(scalar_bytes.size()), nullptr));
  Number x(BN_new());
  Point point(EC_POINT_new(group));
  Point product(EC_POINT_new(group));
  if (!numbers || !scalar || !x || !point || !product) return false;
  BN_set_flags(scalar.get(), BN_FLG_CONSTTIME);
  // RFC 8446 §4.2.8.2: "For the curves secp256r1, secp384r1, and secp521r1, peers MUST validate
  // each other's public value Q by ensuring that the point is a valid point on the elliptic curve."
  // EC_POINT_oct2point checks the curve and the range of both coordinates; infinity has no
  // uncompressed form.
  // RFC 8446 §7.4.2: "Note that this octet string ("Z" in IEEE 1363 terminology) as output by
  // FE2OSP (the Field Element to Octet String Conversion Primitive) has constant length for any
  // given field; leading zeros found in this octet string MUST NOT be truncated."
  return EC_POINT_oct2point(group, point.get(), peer.data(), peer.size(), numbers.get()) == 1 &&
         EC_POINT_mul(group, product.get(), nullptr, point.get(), scalar.get(), numbers.get()) ==
             1 &&
         EC_POINT_get_affine_coordinates(group, product.get(), x.get(), nullptr, numbers.get()) ==
             1 &&
         BN_bn2binpad(x.get(), out.data(), static_cast<int>(out.size())) ==
             static_cast<int>(out.size());
}

}  // namespace

struct KeyPair::State {
  NamedGroup group;
  Key x25519 = nullptr;                // of that group alone
  std::unique_ptr<HybridPair> hybrid;  // of those alone, and all that there is of one
  Secret<kMaxScalarSize> scalar;       // of the others
  std::array<uint8_t, kMaxPublicSize> public_key;
  size_t public_key_size = 0;

  static Result<KeyPair> FromX25519(Key key) {
    auto state = std::make_unique<State>();
    state->group = NamedGroup::kX25519;
    state->x25519 = std::move(key);
    // EVP_PKEY_get_raw_public_key would have the key exported for it.
    if (state->x25519 == nullptr ||
        EVP_PKEY_get_octet_string_param(state->x25519.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                        state->public_key.data(), kX25519Size,
                                        &state->public_key_size) != 1) {
      return Refused(Reason::kInternalError);
    }
    return KeyPair(std::move(state));
  }

  // `scalar` is in [1, order).
  static Result<KeyPair> FromScalar(NamedGroup group, const Curve& curve, const BIGNUM* scalar,
                                    BN_CTX* numbers) {
    auto state = std::make_unique<State>();
    state->group = group;
    const std::span<uint8_t> bytes = SecretAccess::Fill(state->scalar, curve.size);
    if (BN_bn2binpad(scalar, bytes.data(), static_cast<int>(bytes.size())) < 0) {
      return Reason::kInternalError;
    }
    state->public_key_size = PublicPoint(curve, scalar, numbers, state->public_key);
    if (state->public_key_size == 0) return Reason::kInternalError;
    return KeyPair(std::move(state));
  }

  static Result<KeyPair> FromExponent(const FfdheGroup& group, Secret<kMaxScalarSize> exponent) {
    auto state = std::make_unique<State>();
    state->group = group.group;
    state->scalar = std::move(exponent);
    state->public_key_size = group.size;
    if (!FfdhePublic(group, SecretAccess::Open(state->scalar),
                     std::span(state->public_key).first(group.size))) {
      return Reason::kInternalError;
    }
    return KeyPair(std::move(state));
  }

  static Result<KeyPair> FromHybrid(std::unique_ptr<HybridPair> hybrid) {
    if (hybrid == nullptr) return Reason::kInternalError;
    auto state = std::make_unique<State>();
    state->group = hybrid->group();
    state->hybrid = std::move(hybrid);
    return KeyPair(std::move(state));
  }
};

KeyPair::KeyPair(std::unique_ptr<State> state) : state_(std::move(state)) {}
KeyPair::KeyPair() = default;
KeyPair::KeyPair(KeyPair&&) noexcept = default;
KeyPair& KeyPair::operator=(KeyPair&&) noexcept = default;
KeyPair::~KeyPair() = default;

Result<KeyPair> KeyPair::Generate(NamedGroup group) {
  if (group == NamedGroup::kX25519) {
    EVP_PKEY_CTX* const generation = ThreadTools().generation.get();
    EVP_PKEY* key = nullptr;
    if (generation == nullptr || EVP_PKEY_generate(generation, &key) != 1) {
      return Refused(Reason::kInternalError);
    }
    return State::FromX25519(Key(key));
  }
  ClearErrorsOnReturn clear;
  if (const FfdheGroup* ffdhe = FindFfdhe(group)) {
    Secret<kMaxScalarSize> exponent;
    if (!NewFfdheExponent(SecretAccess::Fill(exponent, ffdhe->exponent_size))) {
      return Reason::kInternalError;
    }
    return State::FromExponent(*ffdhe, std::move(exponent));
  }
  if (const HybridGroup* hybrid = FindHybrid(group)) {
    return State::FromHybrid(HybridPair::Generate(*hybrid));
  }
  const Curve* curve = FindCurve(group);
  if (curve == nullptr) return Reason::kInternalError;
  NumberContext numbers(BN_CTX_new());
  Number scalar(BN_new());
  if (numbers == nullptr || scalar == nullptr) return Reason::kInternalError;
  BN_set_flags(scalar.get(), BN_FLG_CONSTTIME);
  do {
    if (BN_priv_rand_range_ex(scalar.get(), EC_GROUP_get0_order(curve->group.get()), 0,
                              numbers.get()) != 1) {
      return Reason::kInternalError;
    }
  } while (BN_is_zero(scalar.get()));
  return State::FromScalar(group, *curve, scalar.get(), numbers.get());
}

Result<KeyPair> KeyPair::FromPrivate(NamedGroup group, ByteView private_key) {
  ClearErrorsOnReturn clear;
  if (group == NamedGroup::kX25519) {
    if (private_key.size() != kX25519Size) return Reason::kInternalError;
    return State::FromX25519(Key(EVP_PKEY_new_raw_private_key_ex(
        nullptr, "X25519", nullptr, private_key.data(), private_key.size())));
  }
  if (const FfdheGroup* ffdhe = FindFfdhe(group)) {
    const bool fits =
        private_key.size() == ffdhe->exponent_size &&
        std::any_of(private_key.begin(), private_key.end(), [](uint8_t byte) { return byte != 0; });
    if (!fits) return Reason::kInternalError;
    return State::FromExponent(*ffdhe, *Secret<kMaxScalarSize>::From(private_key));
  }
  if (const HybridGroup* hybrid = FindHybrid(group)) {
    return State::FromHybrid(HybridPair::FromPrivate(*hybrid, private_key));
  }
  const Curve* curve = FindCurve(group);
  if (curve == nullptr || private_key.size() != curve->size) return Reason::kInternalError;
  NumberContext numbers(BN_CTX_new());
  Number scalar(BN_bin2bn(private_key.data(), static_cast<int>(private_key.size()), nullptr));
  if (numbers == nullptr || scalar == nullptr || BN_is_zero(scalar.get()) ||
      BN_cmp(scalar.get(), EC_GROUP_get0_order(curve->group.get())) >= 0) {
    return Reason::kInternalError;
  }
  BN_set_flags(scalar.get(), BN_FLG_CONSTTIME);
  return State::FromScalar(group, *curve, scalar.get(), numbers.get());
}

NamedGroup KeyPair::group() const { return spent() ? NamedGroup{} : state_->group; }

ByteView KeyPair::public_key() const {
  if (spent()) return {};
  if (state_->hybrid != nullptr) return state_->hybrid->share();
  return {state_->public_key.data(), state_->public_key_size};
}

Secret<KeyPair::kMaxPrivateKeySize> KeyPair::PrivateKey() const {
  if (state_->hybrid != nullptr) return state_->hybrid->PrivateKey();
  if (state_->x25519 == nullptr) {
    return *Secret<kMaxPrivateKeySize>::From(SecretAccess::Open(state_->scalar));
  }
  Secret<kMaxPrivateKeySize> scalar;
  size_t size = kX25519Size;
  EVP_PKEY_get_raw_private_key(state_->x25519.get(), SecretAccess::Fill(scalar, kX25519Size).data(),
                               &size);
  return scalar;
}

Result<SharedSecret> KeyPair::Derive(ByteView peer_public_key) && {
  const std::unique_ptr<State> spent = std::move(state_);
  if (spent == nullptr) return Reason::kInternalError;
  SharedSecret shared;
  if (spent->group == NamedGroup::kX25519) {
    // RFC 8446 §7.4.2: "Implementations MUST check whether the computed Diffie-Hellman shared
    // secret is the all-zero value and abort if so"
    if (!DeriveX25519(spent->x25519.get(), peer_public_key,
                      SecretAccess::Fill(shared, kX25519Size))) {
      return Refused(Reason::kBadKeyShare);
    }
    return shared;
  }
  ClearErrorsOnReturn clear;
  if (const FfdheGroup* ffdhe = FindFfdhe(spent->group)) {
    // RFC 8446 §6: "Peers which receive a message which is syntactically correct but semantically
    // invalid (e.g., a DHE share of p - 1, or an invalid enum) MUST terminate the connection with
    // an "illegal_parameter" alert."
    if (!DeriveFfdhe(*ffdhe, SecretAccess::Open(spent->scalar), peer_public_key,
                     SecretAccess::Fill(shared, ffdhe->size))) {
      return Reason::kBadKeyShare;
    }
    return shared;
  }
  if (spent->hybrid != nullptr) return std::move(*spent->hybrid).Derive(peer_public_key);
  const Curve* curve = FindCurve(spent->group);
  if (curve == nullptr) return Reason::kInternalError;
  if (!DeriveOnCurve(*curve, SecretAccess::Open(spent->scalar), peer_public_key,
                     SecretAccess::Fill(shared, curve->size))) {
    return Reason::kBadKeyShare;
  }
  return shared;
}

// RFC 8446 §9.1: "A TLS-compliant application MUST support key exchange with secp256r1 (NIST P-256)
// and SHOULD support key exchange with X25519 [RFC7748]."
bool Implemented(NamedGroup group) {
  return group == NamedGroup::kX25519 || FindFfdhe(group) != nullptr ||
         FindCurve(group) != nullptr || FindHybrid(group) != nullptr;
}

FfdheParameters ParametersOf(NamedGroup group) {
  ClearErrorsOnReturn clear;
  static constexpr uint8_t kGenerator[] = {2};
  const FfdheGroup* ffdhe = FindFfdhe(group);
  if (ffdhe == nullptr) return {};
  return {FfdhePrimeOf(*ffdhe), kGenerator};
}

}  // namespace handfast::tls
