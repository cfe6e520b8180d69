// The hybrid groups: what their shares and secrets consist of, by way of the halves, which are
// computed here a second time; and every share that must be refused.
#include <utility>

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "tests/tls/connection/fixed_randomness.h"
#include "tests/tls/crypto/mlkem_main.h"
#include "tls/base/secret_access.h"
#include "tls/crypto/kex.h"
#include "tls/crypto/random.h"
#include "tls/crypto/respond.h"

namespace handfast::tls::test {
namespace {

// draft-ietf-tls-ecdhe-mlkem, Construction.
struct Layout {
  NamedGroup group;
  NamedGroup curve;
  size_t client_share;
  size_t server_share;
  size_t curve_share;
  bool curve_first;

  ByteView CurveOf(ByteView share, size_t size) const {
    return curve_first ? share.first(size) : share.last(size);
  }
  ByteView MlKemOf(ByteView share, size_t curve_size) const {
    return curve_first ? share.subspan(curve_size) : share.first(share.size() - curve_size);
  }
};
constexpr Layout kLayouts[] = {
    {NamedGroup::kX25519MlKem768, NamedGroup::kX25519, 1216, 1120, 32, false},
    {NamedGroup::kSecP256r1MlKem768, NamedGroup::kSecp256r1, 1249, 1153, 65, true}};
constexpr size_t kCiphertext = 1088;
constexpr size_t kEncapsulationKey = 1184;

// A client's private value, all its bytes different from a server's.
Bytes ClientPrivate(const Layout& layout) { return FixedScalar(layout.group, 0x3c); }

KeyPair Client(const Layout& layout) {
  Result<KeyPair> pair = KeyPair::FromPrivate(layout.group, ClientPrivate(layout));
  EXPECT_TRUE(pair.ok());
  return *std::move(pair);
}

struct Answered {
  Bytes share;
  Result<SharedSecret> secret = Reason::kInternalError;
};

Answered Answer(const Layout& layout, ByteView client_share) {
  FixedRandomness randomness;
  ResponderShare share;
  Result<SharedSecret> secret = Respond(layout.group, client_share, randomness, share);
  return {Copy(share.view()), std::move(secret)};
}

std::string Label(Reason reason) { return std::string(Describe(reason).label); }

std::string Text(const Result<SharedSecret>& secret) {
  return secret.ok() ? ToHex(SecretAccess::Open(*secret)) : Label(secret.reason());
}

std::string Opened(const Layout& layout, ByteView server_share) {
  return Text(Client(layout).Derive(server_share));
}

Bytes Digest(const EVP_MD* kind, ByteView bytes) {
  Bytes digest(static_cast<size_t>(EVP_MD_get_size(kind)));
  EXPECT_EQ(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, kind, nullptr), 1);
  return digest;
}

class HybridShares : public WithMlKem {};

TEST_F(HybridShares, BothSidesAgreeAndTheSizesAreTheDrafts) {
  for (const Layout& layout : kLayouts) {
    EXPECT_TRUE(IsHybrid(layout.group));
    KeyPair client = *KeyPair::Generate(layout.group);
    EXPECT_EQ(client.group(), layout.group);
    EXPECT_EQ(client.public_key().size(), layout.client_share);
    ResponderShare share;
    const Result<SharedSecret> secret =
        Respond(layout.group, client.public_key(), SystemRandomness(), share);
    ASSERT_TRUE(secret.ok());
    EXPECT_EQ(share.view().size(), layout.server_share);
    EXPECT_EQ(secret->size(), 64u);
    EXPECT_EQ(Text(std::move(client).Derive(share.view())), Text(secret));
    EXPECT_TRUE(client.spent());
  }
}

TEST_F(HybridShares, TheClientsIsThePointAndTheKeyInTheDraftsOrder) {
  Bytes keys[2];
  for (size_t i = 0; i < 2; ++i) {
    const Layout& layout = kLayouts[i];
    const KeyPair client = Client(layout);
    const KeyPair curve =
        *KeyPair::FromPrivate(layout.curve, ByteView(ClientPrivate(layout)).first(32));
    EXPECT_TRUE(Equal(layout.CurveOf(client.public_key(), layout.curve_share), curve.public_key()));
    keys[i] = Copy(layout.MlKemOf(client.public_key(), layout.curve_share));
    EXPECT_EQ(keys[i].size(), kEncapsulationKey);
  }
  EXPECT_EQ(keys[0], keys[1]);  // of one seed
}

// FIPS 203, algorithm 17: K is the first half of G(m || H(ek)), and H and G are SHA3-256 and -512.
TEST_F(HybridShares, TheSecretIsThatOfThePointAndThatOfTheKeyInTheDraftsOrder) {
  for (const Layout& layout : kLayouts) {
    const KeyPair client = Client(layout);
    const Answered answered = Answer(layout, client.public_key());
    ASSERT_TRUE(answered.secret.ok());
    ASSERT_EQ(answered.share.size(), layout.server_share);
    const ByteView secret = SecretAccess::Open(*answered.secret);

    KeyPair curve = *KeyPair::FromPrivate(layout.curve, ByteView(ClientPrivate(layout)).first(32));
    const Result<SharedSecret> of_curve =
        std::move(curve).Derive(layout.CurveOf(answered.share, layout.curve_share));
    ASSERT_TRUE(of_curve.ok());
    EXPECT_TRUE(Equal(layout.CurveOf(secret, 32), SecretAccess::Open(*of_curve)));

    Bytes input(32);
    ASSERT_TRUE(FixedRandomness().Fill(input).ok());
    Append(input, Digest(EVP_sha3_256(), layout.MlKemOf(client.public_key(), layout.curve_share)));
    EXPECT_TRUE(
        Equal(layout.MlKemOf(secret, 32), ByteView(Digest(EVP_sha3_512(), input)).first(32)));
  }
}

// With the same randomness, and so in every replay.
TEST_F(HybridShares, TheAnswerIsTheSameEveryTime) {
  for (const Layout& layout : kLayouts) {
    const KeyPair client = Client(layout);
    const Answered one = Answer(layout, client.public_key());
    const Answered two = Answer(layout, client.public_key());
    EXPECT_EQ(one.share, two.share);
    EXPECT_EQ(Text(one.secret), Text(two.secret));
    ResponderShare other;
    ASSERT_TRUE(Respond(layout.group, client.public_key(), SystemRandomness(), other).ok());
    EXPECT_NE(Copy(other.view()), one.share);
  }
}

TEST_F(HybridShares, ThePrivateKeyMakesThePairAgain) {
  for (const Layout& layout : kLayouts) {
    KeyPair pair = *KeyPair::Generate(layout.group);
    const auto saved = pair.PrivateKey();
    EXPECT_EQ(saved.size(), 96u);
    KeyPair again = *KeyPair::FromPrivate(layout.group, SecretAccess::Open(saved));
    EXPECT_TRUE(Equal(again.public_key(), pair.public_key()));
    const Answered answered = Answer(layout, pair.public_key());
    EXPECT_EQ(Text(std::move(again).Derive(answered.share)), Text(answered.secret));
    for (size_t size : {size_t{0}, size_t{32}, size_t{64}, size_t{95}}) {
      EXPECT_FALSE(KeyPair::FromPrivate(layout.group, Bytes(size, 1)).ok()) << size;
    }
  }
}

TEST_F(HybridShares, RefusesThoseOfAnotherLength) {
  for (const Layout& layout : kLayouts) {
    Bytes share = Copy(Client(layout).public_key());
    Bytes answer = Answer(layout, share).share;
    EXPECT_NE(Opened(layout, answer), Label(Reason::kBadKeyShare));
    share.push_back(0);
    answer.push_back(0);
    for (size_t size = 0; size <= share.size(); ++size) {
      if (size == layout.client_share) continue;
      ASSERT_EQ(Text(Answer(layout, ByteView(share).first(size)).secret),
                Label(Reason::kBadKeyShare))
          << size;
    }
    for (size_t size = 0; size <= answer.size(); ++size) {
      if (size == layout.server_share) continue;
      ASSERT_EQ(Opened(layout, ByteView(answer).first(size)), Label(Reason::kBadKeyShare)) << size;
    }
  }
}

// FIPS 203 §7.2: an encapsulation key holds 768 numbers of 12 bits, each below 3329.
TEST_F(HybridShares, RefusesAKeyThatFailsTheModulusCheck) {
  for (const Layout& layout : kLayouts) {
    const size_t key_at = layout.curve_first ? layout.curve_share : 0;
    for (const size_t pair : {0, 1, 200, 383}) {  // of numbers, three bytes each
      const auto with = [&](unsigned first, unsigned second) {
        Bytes share = Copy(Client(layout).public_key());
        uint8_t* at = share.data() + key_at + 3 * pair;
        at[0] = static_cast<uint8_t>(first);
        at[1] = static_cast<uint8_t>(first >> 8 | second << 4);
        at[2] = static_cast<uint8_t>(second >> 4);
        return Answer(layout, share).secret.ok();
      };
      EXPECT_TRUE(with(3328, 3328)) << pair;  // the control
      EXPECT_FALSE(with(3329, 0)) << pair;
      EXPECT_FALSE(with(0, 3329)) << pair;
      EXPECT_FALSE(with(4095, 4095)) << pair;
    }
  }
}

// T14: the curve's half is checked as if it were alone, on both sides.
TEST_F(HybridShares, T14_RefusesABadPoint) {
  for (const Layout& layout : kLayouts) {
    const auto spoilt = [&](Bytes share) {
      const ByteView half = layout.CurveOf(share, layout.curve_share);
      uint8_t* at = share.data() + (half.data() - share.data());
      std::fill_n(at, half.size(), uint8_t{0});
      return share;
    };
    const Bytes share = Copy(Client(layout).public_key());
    const Answered answered = Answer(layout, share);
    EXPECT_EQ(Opened(layout, answered.share), Text(answered.secret));  // the control
    EXPECT_EQ(Text(Answer(layout, spoilt(share)).secret), Label(Reason::kBadKeyShare));
    EXPECT_EQ(Opened(layout, spoilt(answered.share)), Label(Reason::kBadKeyShare));
  }
}

// FIPS 203 §6.3: a ciphertext that was altered yields a secret, which nobody shares.
TEST_F(HybridShares, AnAlteredCiphertextGivesAnotherSecret) {
  for (const Layout& layout : kLayouts) {
    const Answered answered = Answer(layout, Client(layout).public_key());
    const ByteView ciphertext = layout.MlKemOf(answered.share, layout.curve_share);
    ASSERT_EQ(ciphertext.size(), kCiphertext);
    const auto from = static_cast<size_t>(ciphertext.data() - answered.share.data());
    for (const size_t at : {from, from + kCiphertext / 2, from + kCiphertext - 1}) {
      Bytes altered = answered.share;
      altered[at] ^= 1;
      const std::string opened = Opened(layout, altered);
      EXPECT_EQ(opened.size(), 128u);
      EXPECT_NE(opened, Text(answered.secret));
    }
  }
}

// Of a group of Diffie-Hellman, an answer is a pair's share and secret.
TEST(Respond, WithOneCurve) {
  for (NamedGroup group : {NamedGroup::kX25519, NamedGroup::kSecp256r1, NamedGroup::kSecp521r1,
                           NamedGroup::kFfdhe2048, NamedGroup::kFfdhe4096}) {
    KeyPair client = *KeyPair::FromPrivate(group, FixedScalar(group, 0x3c));
    FixedRandomness randomness;
    ResponderShare share;
    const Result<SharedSecret> secret = Respond(group, client.public_key(), randomness, share);
    ASSERT_TRUE(secret.ok());
    EXPECT_TRUE(Equal(share.view(), randomness.NewKeyPair(group)->public_key()));
    EXPECT_EQ(Text(std::move(client).Derive(share.view())), Text(secret));
    EXPECT_EQ(Respond(group, Bytes(3, 1), randomness, share).reason(), Reason::kBadKeyShare);
  }
  ResponderShare share;
  EXPECT_EQ(Respond(NamedGroup::kX448, Bytes(56, 1), SystemRandomness(), share).reason(),
            Reason::kInternalError);
}

}  // namespace
}  // namespace handfast::tls::test
