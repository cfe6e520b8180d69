#include "tls/crypto/kex_hybrid.h"

#include <algorithm>
#include <utility>

#include <openssl/rand.h>

#include "tls/base/secret_access.h"

namespace handfast::tls {
namespace {

// draft-ietf-tls-ecdhe-mlkem, Negotiated Groups: "we put the ML-KEM shared secret first in
// X25519MLKEM768, and the ECDH shared secret first in SecP256r1MLKEM768".
constexpr HybridGroup kGroups[] = {
    {NamedGroup::kX25519MlKem768, NamedGroup::kX25519, 32, /*curve_first=*/false},
    {NamedGroup::kSecP256r1MlKem768, NamedGroup::kSecp256r1, 65, /*curve_first=*/true}};

constexpr size_t kScalarSize = 32;       // of both curves
constexpr size_t kCurveSecretSize = 32;  // likewise

template <class Span>
struct Halves {
  Span curve;
  Span mlkem;
};

template <class Span>
Halves<Span> Split(const HybridGroup& group, Span whole, size_t curve_size) {
  if (group.curve_first) return {whole.first(curve_size), whole.subspan(curve_size)};
  const size_t mlkem_size = whole.size() - curve_size;
  return {whole.subspan(mlkem_size), whole.first(mlkem_size)};
}

void CopyInto(ByteView from, std::span<uint8_t> to) {
  std::copy(from.begin(), from.end(), to.begin());
}

Halves<std::span<uint8_t>> SecretHalves(const HybridGroup& group, SharedSecret& shared) {
  return Split(group, SecretAccess::Fill(shared, kCurveSecretSize + kMlKemSecretSize),
               kCurveSecretSize);
}

// draft-ietf-tls-ecdhe-mlkem, Server share: "For all groups, both client and server MUST process
// the ECDH part as described in Section 4.2.8.2 of [RFC8446], including all validity checks, and
// abort with an illegal_parameter alert if it fails."
Result<void> DeriveCurve(KeyPair pair, ByteView peer, std::span<uint8_t> out) {
  const Result<SharedSecret> shared = std::move(pair).Derive(peer);
  if (!shared.ok()) return shared.reason();
  CopyInto(SecretAccess::Open(*shared), out);
  return {};
}

}  // namespace

const HybridGroup* FindHybrid(NamedGroup group) {
  const auto* found = std::find_if(std::begin(kGroups), std::end(kGroups),
                                   [&](const HybridGroup& g) { return g.group == group; });
  return found != std::end(kGroups) && HasMlKem() ? found : nullptr;
}

std::unique_ptr<HybridPair> HybridPair::From(const HybridGroup& group, Result<KeyPair> curve,
                                             Secret<kMlKemSeedSize> seed) {
  if (!curve.ok()) return nullptr;
  std::unique_ptr<HybridPair> pair(new HybridPair(group));
  pair->share_.resize(group.curve_share + kMlKemKeySize);
  const auto halves = Split(group, std::span<uint8_t>(pair->share_), group.curve_share);
  CopyInto(curve->public_key(), halves.curve);
  pair->curve_ = *std::move(curve);
  pair->mlkem_ = MlKemKey::FromSeed(SecretAccess::Open(seed), halves.mlkem);
  pair->seed_ = std::move(seed);
  return pair->mlkem_ ? std::move(pair) : nullptr;
}

std::unique_ptr<HybridPair> HybridPair::Generate(const HybridGroup& group) {
  Secret<kMlKemSeedSize> seed;
  const std::span<uint8_t> bytes = SecretAccess::Fill(seed, kMlKemSeedSize);
  if (RAND_priv_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return nullptr;
  return From(group, KeyPair::Generate(group.curve), std::move(seed));
}

std::unique_ptr<HybridPair> HybridPair::FromPrivate(const HybridGroup& group,
                                                    ByteView private_key) {
  if (private_key.size() != kScalarSize + kMlKemSeedSize) return nullptr;
  return From(group, KeyPair::FromPrivate(group.curve, private_key.first(kScalarSize)),
              *Secret<kMlKemSeedSize>::From(private_key.subspan(kScalarSize)));
}

Secret<KeyPair::kMaxPrivateKeySize> HybridPair::PrivateKey() const {
  Secret<KeyPair::kMaxPrivateKeySize> whole;
  const std::span<uint8_t> bytes = SecretAccess::Fill(whole, kScalarSize + kMlKemSeedSize);
  CopyInto(SecretAccess::Open(curve_.PrivateKey()), bytes);
  CopyInto(SecretAccess::Open(seed_), bytes.subspan(kScalarSize));
  return whole;
}

Result<SharedSecret> HybridPair::Derive(ByteView server_share) && {
  // draft-ietf-tls-ecdhe-mlkem, Server share: "For all groups, the client MUST check if the
  // ciphertext length matches the selected group, and abort with an illegal_parameter alert if it
  // fails."
  if (server_share.size() != group_.curve_share + kMlKemCiphertextSize) return Reason::kBadKeyShare;
  const auto theirs = Split(group_, server_share, group_.curve_share);
  SharedSecret shared;
  const auto secrets = SecretHalves(group_, shared);
  const Result<void> derived = DeriveCurve(std::move(curve_), theirs.curve, secrets.curve);
  if (!derived.ok()) return derived.reason();
  // draft-ietf-tls-ecdhe-mlkem, Server share: "If ML-KEM decapsulation fails for any other reason,
  // the connection MUST be aborted with an internal_error alert."
  if (!mlkem_.Decapsulate(theirs.mlkem, secrets.mlkem)) return Reason::kInternalError;
  return shared;
}

Result<SharedSecret> RespondHybrid(const HybridGroup& group, ByteView client_share,
                                   Randomness& randomness, ResponderShare& share) {
  if (client_share.size() != group.curve_share + kMlKemKeySize) return Reason::kBadKeyShare;
  const auto theirs = Split(group, client_share, group.curve_share);
  const auto ours =
      Split(group, share.Fill(group.curve_share + kMlKemCiphertextSize), group.curve_share);
  SharedSecret shared;
  const auto secrets = SecretHalves(group, shared);
  Secret<kMlKemMessageSize> message;
  bool bad_key = false;
  const Result<void> drawn = randomness.Fill(SecretAccess::Fill(message, kMlKemMessageSize));
  if (!drawn.ok()) return drawn.reason();
  if (!Encapsulate(theirs.mlkem, SecretAccess::Open(message), ours.mlkem, secrets.mlkem, bad_key)) {
    return bad_key ? Reason::kBadKeyShare : Reason::kInternalError;
  }
  Result<KeyPair> pair = randomness.NewKeyPair(group.curve);
  if (!pair.ok()) return pair.reason();
  CopyInto(pair->public_key(), ours.curve);
  const Result<void> derived = DeriveCurve(*std::move(pair), theirs.curve, secrets.curve);
  if (!derived.ok()) return derived.reason();
  return shared;
}

}  // namespace handfast::tls
