#include "tls/crypto/aead.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "tests/tls/crypto/vectors.h"

namespace handfast::tls {
namespace {

using test::Hex;
using test::TestGroups;

constexpr AeadAlgorithm kAll[] = {AeadAlgorithm::kAes128Gcm, AeadAlgorithm::kAes256Gcm,
                                  AeadAlgorithm::kChaCha20Poly1305};

Aead Keyed(AeadAlgorithm algorithm, AeadDirection direction, ByteView key) {
  Result<Aead> aead = Aead::Create(algorithm, direction, *AeadKey::From(key));
  EXPECT_TRUE(aead.ok());
  return *std::move(aead);
}

Bytes Pattern(size_t size) {
  Bytes bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 7 + 1);
  return bytes;
}

const Bytes kNonce = Pattern(kAeadNonceSize);

Bytes Sealed(Aead& aead, ByteView nonce, ByteView ad, ByteView a, ByteView b) {
  Bytes out(a.size() + b.size() + kAeadTagSize);
  EXPECT_TRUE(aead.Seal(nonce, ad, a, b, out.data()).ok());
  return out;
}

TEST(Aead, Wycheproof) {
  HANDFAST_VECTORS_OR_SKIP(path, "wycheproof/aes_gcm_test.json", 316);
  int ran = 0;
  for (const auto& group : TestGroups(path)) {
    // TLS has nonces of 96 bits, and no AES-192.
    if (group["ivSize"] != 96 || group["keySize"] == 192) continue;
    const AeadAlgorithm algorithm =
        group["keySize"] == 128 ? AeadAlgorithm::kAes128Gcm : AeadAlgorithm::kAes256Gcm;
    for (const auto& vector : group["tests"]) {
      const Bytes key = Hex(vector["key"]), nonce = Hex(vector["iv"]), ad = Hex(vector["aad"]);
      const Bytes message = Hex(vector["msg"]);
      Bytes sealed = Hex(vector["ct"]);
      Append(sealed, Hex(vector["tag"]));
      const bool valid = vector["result"] == "valid";
      if (valid) {
        Aead sealer = Keyed(algorithm, AeadDirection::kSeal, key);
        EXPECT_EQ(Sealed(sealer, nonce, ad, message, {}), sealed) << vector["tcId"];
      }
      Aead opener = Keyed(algorithm, AeadDirection::kOpen, key);
      const Result<std::span<uint8_t>> opened = opener.Open(nonce, ad, sealed);
      EXPECT_EQ(opened.ok(), valid) << vector["tcId"];
      if (opened.ok()) {
        EXPECT_TRUE(Equal(*opened, message)) << vector["tcId"];
      } else {
        EXPECT_EQ(opened.reason(), Reason::kBadRecordMac);
      }
      ++ran;
    }
  }
  EXPECT_GE(ran, 130);
}

// RFC 8439 §2.8.2.
TEST(Aead, ChaCha20Poly1305OfTheRfc) {
  const Bytes key = *FromHex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
  const Bytes nonce = *FromHex("070000004041424344454647");
  const Bytes ad = *FromHex("50515253c0c1c2c3c4c5c6c7");
  const std::string_view text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.";
  Aead sealer = Keyed(AeadAlgorithm::kChaCha20Poly1305, AeadDirection::kSeal, key);
  EXPECT_EQ(ToHex(Sealed(sealer, nonce, ad, AsBytes(text), {})),
            "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
            "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
            "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
            "3ff4def08e4b7a9de576d26586cec64b6116"
            "1ae10b594f09e26a7e902ecbd0600691");
}

// The inner content type rides behind the plaintext without being copied there.
TEST(Aead, TwoPartsAreOnePlaintext) {
  for (AeadAlgorithm algorithm : kAll) {
    const Bytes key = Pattern(AeadKeySize(algorithm));
    Aead sealer = Keyed(algorithm, AeadDirection::kSeal, key);
    for (size_t size : {0u, 1u, 15u, 16u, 17u, 63u, 64u, 65u, 1000u, 4095u, 4096u, 16384u}) {
      const Bytes whole = Pattern(size + 1);
      const ByteView a = ByteView(whole).first(size);
      const ByteView b = ByteView(whole).subspan(size);
      EXPECT_EQ(Sealed(sealer, kNonce, Pattern(5), a, b),
                Sealed(sealer, kNonce, Pattern(5), whole, {}))
          << size;
    }
  }
}

TEST(Aead, SealsAndOpensInPlace) {
  for (AeadAlgorithm algorithm : kAll) {
    const Bytes key = Pattern(AeadKeySize(algorithm));
    Aead sealer = Keyed(algorithm, AeadDirection::kSeal, key);
    Aead opener = Keyed(algorithm, AeadDirection::kOpen, key);
    const Bytes message = Pattern(500);
    const Bytes type = {23};
    const Bytes expected = Sealed(sealer, kNonce, {}, message, type);
    Bytes buffer = message;
    buffer.resize(message.size() + 1 + kAeadTagSize);
    ASSERT_TRUE(
        sealer.Seal(kNonce, {}, ByteView(buffer).first(message.size()), type, buffer.data()).ok());
    EXPECT_EQ(buffer, expected);
    const Result<std::span<uint8_t>> opened = opener.Open(kNonce, {}, buffer);
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(opened->data(), buffer.data());
    EXPECT_TRUE(Equal(opened->first(message.size()), message));
    EXPECT_EQ(opened->back(), 23);
  }
}

// One context serves a whole direction: no record may depend on the one before.
TEST(Aead, RecordsDoNotDisturbEachOther) {
  for (AeadAlgorithm algorithm : kAll) {
    const Bytes key = Pattern(AeadKeySize(algorithm));
    Aead reused = Keyed(algorithm, AeadDirection::kSeal, key);
    Aead opener = Keyed(algorithm, AeadDirection::kOpen, key);
    for (uint8_t i = 0; i < 20; ++i) {
      Bytes nonce = kNonce;
      nonce[11] = i;
      const Bytes message = Pattern(i * 13u);
      const Bytes ad = Pattern(i % 3 * 5u);
      Aead fresh = Keyed(algorithm, AeadDirection::kSeal, key);
      Bytes sealed = Sealed(reused, nonce, ad, message, {});
      EXPECT_EQ(sealed, Sealed(fresh, nonce, ad, message, {}));
      Bytes forged = sealed;
      forged.back() ^= 1;
      EXPECT_EQ(opener.Open(nonce, ad, forged).reason(), Reason::kBadRecordMac);
      EXPECT_TRUE(opener.Open(nonce, ad, sealed).ok());
    }
  }
}

TEST(Aead, EveryFlippedBitIsFound) {
  for (AeadAlgorithm algorithm : kAll) {
    const Bytes key = Pattern(AeadKeySize(algorithm));
    Aead sealer = Keyed(algorithm, AeadDirection::kSeal, key);
    Aead opener = Keyed(algorithm, AeadDirection::kOpen, key);
    const Bytes ad = Pattern(5);
    const Bytes sealed = Sealed(sealer, kNonce, ad, Pattern(20), {});
    for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
      Bytes forged = sealed;
      forged[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      EXPECT_EQ(opener.Open(kNonce, ad, forged).reason(), Reason::kBadRecordMac);
    }
    for (size_t bit = 0; bit < ad.size() * 8; ++bit) {
      Bytes other = ad;
      other[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      Bytes copy = sealed;
      EXPECT_FALSE(opener.Open(kNonce, other, copy).ok());
    }
    for (size_t size = 0; size < sealed.size(); ++size) {
      Bytes cut(sealed.begin(), sealed.begin() + static_cast<ptrdiff_t>(size));
      EXPECT_EQ(opener.Open(kNonce, ad, cut).reason(), Reason::kBadRecordMac) << size;
    }
  }
}

TEST(Aead, RefusesWrongSizesAndTheWrongDirection) {
  for (AeadAlgorithm algorithm : kAll) {
    for (size_t size = 0; size <= 32; ++size) {
      EXPECT_EQ(Aead::Create(algorithm, AeadDirection::kSeal, *AeadKey::From(Pattern(size))).ok(),
                size == AeadKeySize(algorithm));
    }
    Aead sealer = Keyed(algorithm, AeadDirection::kSeal, Pattern(AeadKeySize(algorithm)));
    Aead opener = Keyed(algorithm, AeadDirection::kOpen, Pattern(AeadKeySize(algorithm)));
    Bytes buffer(40);
    EXPECT_FALSE(sealer.Seal(Pattern(11), {}, {}, {}, buffer.data()).ok());
    EXPECT_FALSE(sealer.Seal(Pattern(13), {}, {}, {}, buffer.data()).ok());
    EXPECT_FALSE(opener.Open(Pattern(11), {}, buffer).ok());
    EXPECT_EQ(opener.Seal(kNonce, {}, {}, {}, buffer.data()).reason(), Reason::kInternalError);
    EXPECT_EQ(sealer.Open(kNonce, {}, buffer).reason(), Reason::kInternalError);
  }
  EXPECT_FALSE(
      Aead::Create(AeadAlgorithm{9}, AeadDirection::kSeal, *AeadKey::From(Pattern(32))).ok());
}

// Looking costs too much to be done after each record: what succeeds must leave nothing by itself.
TEST(Aead, LeavesNoErrorsBehind) {
  for (AeadAlgorithm algorithm : kAll) {
    Aead sealer = Keyed(algorithm, AeadDirection::kSeal, Pattern(AeadKeySize(algorithm)));
    Aead opener = Keyed(algorithm, AeadDirection::kOpen, Pattern(AeadKeySize(algorithm)));
    Bytes sealed = Sealed(sealer, kNonce, Pattern(5), Pattern(100), {});
    EXPECT_EQ(ERR_peek_error(), 0u);
    Bytes spoilt = sealed;
    spoilt.back() ^= 1;
    EXPECT_FALSE(opener.Open(kNonce, Pattern(5), spoilt).ok());
    EXPECT_EQ(ERR_peek_error(), 0u);
    EXPECT_TRUE(opener.Open(kNonce, Pattern(5), sealed).ok());
    EXPECT_EQ(ERR_peek_error(), 0u);
  }
}

TEST(Aead, MovesWithItsKey) {
  Aead sealer = Keyed(AeadAlgorithm::kAes128Gcm, AeadDirection::kSeal, Pattern(16));
  const Bytes before = Sealed(sealer, kNonce, {}, Pattern(10), {});
  Aead moved = std::move(sealer);
  EXPECT_EQ(Sealed(moved, kNonce, {}, Pattern(10), {}), before);
}

}  // namespace
}  // namespace handfast::tls
