// The client's certificate and its proof, spoilt: T16 (signature confusion) and T25 (paths).
#include <map>

#include <gtest/gtest.h>

#include "tests/tls/connection/wrong_peer.h"
#include "tls/engine/intent.h"

namespace handfast::tls::test {
namespace {

using enum ProtocolVersion;

const TestCa& Root() {
  static const TestCa root = TestCa::Create("root");
  return root;
}

// A client of the test CA with one type of key.
const Leaf& Client(KeyType type) {
  static std::map<KeyType, Leaf> leaves;
  if (!leaves.contains(type)) {
    leaves[type] = Root().Issue({.type = type, .server = false, .client = true});
  }
  return leaves[type];
}

ServerKit Kit(ClientAuth client_auth = ClientAuth::kRequired) {
  ServerKit kit = FixedKit(client_auth);
  kit.clients = std::make_shared<TrustBundle>(Root().Bundle());
  kit.profile.certificate_authorities = kit.clients->subjects();
  return kit;
}

struct Proof {
  const Leaf* leaf;
  SignatureScheme scheme;
  std::function<void(Bytes&)> edit_signed_content = {};
  std::function<void(Flight&)> edit_flight = {};
};

Outcome Prove(ProtocolVersion version, const Proof& proof) {
  ClientScript script = Sound(version);
  script.certificate = proof.leaf;
  script.scheme = proof.scheme;
  script.edit_signed_content = proof.edit_signed_content;
  script.edit_flight = proof.edit_flight;
  return Shake(Kit(), std::move(script));
}

// Says that another scheme was used than was.
std::function<void(Flight&)> Relabel(uint16_t scheme) {
  return [scheme](Flight& flight) {
    Bytes& message = flight[IndexOf(flight, HandshakeType::kCertificateVerify)].content;
    message[4] = static_cast<uint8_t>(scheme >> 8);
    message[5] = static_cast<uint8_t>(scheme);
  };
}

// ---- The negative control: every kind of key proves itself.

TEST(T16_Signature, SoundOnesSucceed) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    for (KeyType type : {KeyType::kRsa2048, KeyType::kEcdsaP256, KeyType::kEcdsaP384,
                         KeyType::kEcdsaP521, KeyType::kEd25519}) {
      for (SignatureScheme scheme : SchemesOf(type)) {
        const bool pkcs1 = scheme == SignatureScheme::kRsaPkcs1Sha256 ||
                           scheme == SignatureScheme::kRsaPkcs1Sha384 ||
                           scheme == SignatureScheme::kRsaPkcs1Sha512;
        const Outcome outcome = Prove(version, {&Client(type), scheme});
        if (version == kTls13 && pkcs1) {
          // RFC 8446 §4.4.3: "RSA signatures MUST use an RSASSA-PSS algorithm".
          EXPECT_TRUE(Refused(outcome, Reason::kSchemeNotOffered, Alert::kIllegalParameter));
        } else {
          EXPECT_TRUE(Succeeded(outcome)) << Name(version) << " " << Name(scheme);
        }
      }
    }
  }
}

// ---- T16: RFC 8446 §4.4.3.

TEST(T16_Signature, OfTheServersContext) {
  const Proof proof{&Client(KeyType::kEcdsaP256), SignatureScheme::kEcdsaSecp256r1Sha256,
                    [](Bytes& content) {
                      const Bytes hash(content.end() - 32, content.end());
                      content = ContentToSign(Tls13ServerCertificateVerify{hash});
                    }};
  EXPECT_TRUE(Refused(Prove(kTls13, proof), Reason::kBadSignature, Alert::kDecryptError));
}
TEST(T16_Signature, OfOtherContents) {
  const std::function<void(Bytes&)> kSpoils[] = {
      [](Bytes& content) { content.erase(content.begin(), content.begin() + 64); },
      [](Bytes& content) { content.pop_back(); },
      [](Bytes& content) { content.back() ^= 1; },
      [](Bytes& content) { content.clear(); },
      // Only the hash, as an older version might have it.
      [](Bytes& content) { content.erase(content.begin(), content.end() - 32); },
  };
  for (ProtocolVersion version : {kTls13, kTls12}) {
    for (const auto& spoil : kSpoils) {
      const Proof proof{&Client(KeyType::kEcdsaP256), SignatureScheme::kEcdsaSecp256r1Sha256,
                        spoil};
      EXPECT_TRUE(Refused(Prove(version, proof), Reason::kBadSignature, Alert::kDecryptError));
    }
  }
}
// TLS 1.2 signs the messages themselves, TLS 1.3 a context and a hash: neither stands for the
// other.
TEST(T16_Signature, OfTheOtherVersion) {
  const Proof proof12{&Client(KeyType::kEcdsaP256), SignatureScheme::kEcdsaSecp256r1Sha256,
                      [](Bytes& content) {
                        const Digest hash = Hash(HashAlgorithm::kSha256, content);
                        content = ContentToSign(Tls13ClientCertificateVerify{Copy(hash.view())});
                      }};
  EXPECT_TRUE(Refused(Prove(kTls12, proof12), Reason::kBadSignature, Alert::kDecryptError));
}
TEST(T16_Signature, SchemeThatWasNotOffered) {
  // SHA-1, MD5, DSA, RSA-PSS with an RSA-PSS key, Ed448, nothing.
  for (uint16_t scheme : {0x0201, 0x0203, 0x0101, 0x0402, 0x0809, 0x0808, 0x0000}) {
    for (ProtocolVersion version : {kTls13, kTls12}) {
      const Proof proof{
          &Client(KeyType::kRsa2048), SignatureScheme::kRsaPssRsaeSha256, {}, Relabel(scheme)};
      EXPECT_TRUE(
          Refused(Prove(version, proof), Reason::kSchemeNotOffered, Alert::kIllegalParameter))
          << scheme;
    }
  }
}
TEST(T16_Signature, SchemeOfAnotherKeyOrPadding) {
  struct Confusion {
    KeyType key;
    SignatureScheme used;
    SignatureScheme said;
  };
  const Confusion kConfusions[] = {
      {KeyType::kRsa2048, SignatureScheme::kRsaPkcs1Sha256, SignatureScheme::kRsaPssRsaeSha256},
      {KeyType::kRsa2048, SignatureScheme::kRsaPssRsaeSha256, SignatureScheme::kRsaPssRsaeSha384},
      {KeyType::kRsa2048, SignatureScheme::kRsaPssRsaeSha256,
       SignatureScheme::kEcdsaSecp256r1Sha256},
      {KeyType::kEcdsaP256, SignatureScheme::kEcdsaSecp256r1Sha256,
       SignatureScheme::kEcdsaSecp384r1Sha384},
      {KeyType::kEcdsaP256, SignatureScheme::kEcdsaSecp256r1Sha256, SignatureScheme::kEd25519},
      {KeyType::kEd25519, SignatureScheme::kEd25519, SignatureScheme::kEcdsaSecp256r1Sha256},
      {KeyType::kEd25519, SignatureScheme::kEd25519, SignatureScheme::kRsaPssRsaeSha256},
  };
  for (ProtocolVersion version : {kTls13, kTls12}) {
    for (const Confusion& c : kConfusions) {
      const Proof proof{&Client(c.key), c.used, {}, Relabel(static_cast<uint16_t>(c.said))};
      EXPECT_TRUE(Refused(Prove(version, proof), Reason::kBadSignature, Alert::kDecryptError))
          << Name(c.used) << " as " << Name(c.said);
    }
  }
}
// RFC 8446 §4.4.3 and §4.2.3: TLS 1.3 refuses the name, whatever it is said of; to TLS 1.2 it is
// one of those that were offered.
TEST(T16_Signature, PssAsPkcs1) {
  const Proof proof{&Client(KeyType::kRsa2048),
                    SignatureScheme::kRsaPssRsaeSha256,
                    {},
                    Relabel(static_cast<uint16_t>(SignatureScheme::kRsaPkcs1Sha256))};
  EXPECT_TRUE(Refused(Prove(kTls13, proof), Reason::kSchemeNotOffered, Alert::kIllegalParameter));
  EXPECT_TRUE(Refused(Prove(kTls12, proof), Reason::kBadSignature, Alert::kDecryptError));
}
TEST(T16_Signature, EmptyOrCut) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    for (size_t size : {size_t{0}, size_t{1}, size_t{63}}) {
      const auto cut = [&](Flight& flight) {
        const size_t at = IndexOf(flight, HandshakeType::kCertificateVerify);
        const Bytes signature(size, 1);
        Bytes message;
        ASSERT_TRUE(
            AppendMessage(message, CertificateVerify{SignatureScheme::kEd25519, signature}));
        flight[at].content = message;
      };
      const Proof proof{&Client(KeyType::kEd25519), SignatureScheme::kEd25519, {}, cut};
      EXPECT_TRUE(Refused(Prove(version, proof), Reason::kBadSignature, Alert::kDecryptError));
    }
  }
}
// Of another key than the certificate's.
TEST(T16_Signature, OfAStranger) {
  Leaf mixed = Client(KeyType::kEcdsaP256);
  mixed.key_pkcs8 = Root().Issue().key_pkcs8;
  for (ProtocolVersion version : {kTls13, kTls12}) {
    EXPECT_TRUE(Refused(Prove(version, {&mixed, SignatureScheme::kEcdsaSecp256r1Sha256}),
                        Reason::kBadSignature, Alert::kDecryptError));
  }
}

// ---- T25: what the kit's bundle does not trust. RFC 8446 §4.4.2.4 and §6.2.

Outcome Present(ProtocolVersion version, const Leaf* leaf,
                ClientAuth mode = ClientAuth::kRequired) {
  ClientScript script = Sound(version);
  script.certificate = leaf;
  script.scheme = SignatureScheme::kEcdsaSecp256r1Sha256;
  return Shake(Kit(mode), std::move(script));
}

TEST(T25_Certificate, None) {
  EXPECT_TRUE(
      Refused(Present(kTls13, nullptr), Reason::kNoClientCertificate, Alert::kCertificateRequired));
  // RFC 5246 §7.4.6.
  EXPECT_TRUE(
      Refused(Present(kTls12, nullptr), Reason::kNoClientCertificate, Alert::kHandshakeFailure));
  EXPECT_TRUE(Succeeded(Present(kTls13, nullptr, ClientAuth::kOptional)));
  EXPECT_TRUE(Succeeded(Present(kTls12, nullptr, ClientAuth::kOptional)));
}
TEST(T25_Certificate, OfAStrangersCa) {
  const Leaf leaf = TestCa::Create("stranger").Issue({.server = false, .client = true});
  for (ProtocolVersion version : {kTls13, kTls12}) {
    for (ClientAuth mode : {ClientAuth::kRequired, ClientAuth::kOptional}) {
      EXPECT_TRUE(Refused(Present(version, &leaf, mode), Reason::kUnknownCa, Alert::kUnknownCa));
    }
  }
}
TEST(T25_Certificate, Expired) {
  const Leaf leaf =
      Root().Issue({.not_after_unix_s = kNow - kDay, .server = false, .client = true});
  for (ProtocolVersion version : {kTls13, kTls12}) {
    EXPECT_TRUE(
        Refused(Present(version, &leaf), Reason::kCertificateExpired, Alert::kCertificateExpired));
  }
}
TEST(T25_Certificate, ForServersOnly) {
  const Leaf leaf = Root().Issue({.server = true, .client = false});
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const Outcome outcome = Present(version, &leaf);
    ASSERT_TRUE(outcome.failure.has_value());
    EXPECT_FALSE(outcome.established);
    EXPECT_EQ(outcome.alert_at_client, outcome.failure->alert);
  }
}
TEST(T25_Certificate, NoDer) {
  Leaf leaf = Client(KeyType::kEcdsaP256);
  leaf.chain = {{0x30, 0x03, 0x01, 0x01, 0x01}};
  for (ProtocolVersion version : {kTls13, kTls12}) {
    EXPECT_TRUE(Refused(Present(version, &leaf), Reason::kBadCertificate, Alert::kBadCertificate));
  }
}
TEST(T25_Certificate, ChainOfMoreThanTen) {
  Leaf leaf = Client(KeyType::kEcdsaP256);
  leaf.chain.resize(11, leaf.chain.front());
  for (ProtocolVersion version : {kTls13, kTls12}) {
    EXPECT_TRUE(Refused(Present(version, &leaf), Reason::kBadCertificate, Alert::kBadCertificate));
  }
}
// RFC 8446 §4.4.2: no extension that was not asked for, no context but the request's.
TEST(T25_Certificate, ExtensionsAndContext) {
  const Bytes der = Client(KeyType::kEcdsaP256).chain.front();
  const Bytes context = {1};
  const auto send = [&](const tls13::Certificate& certificate) {
    ClientScript script = Sound(kTls13);
    script.certificate = &Client(KeyType::kEcdsaP256);
    script.scheme = SignatureScheme::kEcdsaSecp256r1Sha256;
    script.edit_flight = [&](Flight& flight) {
      Bytes message;
      ASSERT_TRUE(AppendMessage(message, certificate));
      flight[IndexOf(flight, HandshakeType::kCertificate)].content = message;
    };
    return Shake(Kit(), std::move(script));
  };
  EXPECT_TRUE(Refused(send({{}, {{der, {{ExtensionType::kStatusRequest, {}}}}}}),
                      Reason::kUnsolicitedExtension, Alert::kUnsupportedExtension));
  EXPECT_TRUE(
      Refused(send({context, {{der, {}}}}), Reason::kUnexpectedMessage, Alert::kUnexpectedMessage));
  EXPECT_TRUE(Succeeded(send({{}, {{der, {}}}})));
}

}  // namespace
}  // namespace handfast::tls::test
