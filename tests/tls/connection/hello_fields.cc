#include "tests/tls/connection/hello_fields.h"

#include <algorithm>

#include "tests/tls/connection/fixed_randomness.h"
#include "tls/base/reader.h"
#include "tls/crypto/kex.h"
#include "tls/wire/extensions.h"

namespace handfast::tls::test {

Bytes* HelloFields::Find(ExtensionType type) {
  for (auto& [key, body] : extensions) {
    if (key == type) return &body;
  }
  return nullptr;
}

void HelloFields::Remove(ExtensionType type) {
  std::erase_if(extensions, [&](const auto& extension) { return extension.first == type; });
}

void HelloFields::Set(ExtensionType type, Bytes body) {
  if (Bytes* found = Find(type)) {
    *found = std::move(body);
  } else {
    extensions.emplace_back(type, std::move(body));
  }
}

void HelloFields::SetHex(ExtensionType type, std::string_view hex) {
  Set(type, FromHex(hex).value());
}

Bytes HelloFields::Message() const {
  constexpr Bounds kAny{.min = 0, .max = SIZE_MAX};
  Bytes out;
  Writer writer(out);
  writer.U8(HandshakeType::kClientHello);
  writer.Prefixed(3, kAny, [&] {
    writer.U16(legacy_version);
    writer.Rest(random);
    writer.Opaque8(session_id, kAny);
    writer.List16(cipher_suites, kAny);
    writer.Opaque8(compression_methods, kAny);
    if (!has_extensions) return true;
    return writer.Prefixed(2, kAny, [&] {
      for (const auto& [type, body] : extensions) {
        writer.U16(type);
        writer.Opaque16(body, kAny);
      }
      return true;
    });
  });
  return out;
}

Bytes ClientScalar(NamedGroup group) { return FixedScalar(group, 0x3c); }

Bytes KeyShareBody(const std::vector<NamedGroup>& groups) {
  std::vector<Bytes> keys;
  KeyShareClientHello shares;
  keys.reserve(groups.size());
  for (NamedGroup group : groups) {
    const Result<KeyPair> pair = KeyPair::FromPrivate(group, ClientScalar(group));
    keys.push_back(Copy(pair->public_key()));
    shares.client_shares.push_back({group, keys.back()});
  }
  return Serialize(shares);
}

HelloFields HelloFor(ProtocolVersion version, NamedGroup share) {
  const bool tls13 = version == ProtocolVersion::kTls13;
  HelloFields hello;
  if (tls13) {
    hello.session_id = Bytes(32, 0xc2);  // compatibility mode
    hello.cipher_suites = {CipherSuite::kTlsAes128GcmSha256, CipherSuite::kTlsAes256GcmSha384,
                           CipherSuite::kTlsChaCha20Poly1305Sha256};
  } else {
    hello.cipher_suites = {CipherSuite::kEcdheEcdsaAes128GcmSha256,
                           CipherSuite::kEcdheRsaAes128GcmSha256,
                           CipherSuite::kEcdheEcdsaAes256GcmSha384,
                           CipherSuite::kEcdheRsaAes256GcmSha384,
                           CipherSuite::kEcdheEcdsaChaCha20Poly1305Sha256,
                           CipherSuite::kEcdheRsaChaCha20Poly1305Sha256};
  }
  const std::string_view name = "example.test";
  hello.Set(ExtensionType::kServerName, Serialize(ServerNameList{{{0, AsBytes(name)}}}));
  hello.Set(ExtensionType::kSupportedGroups,
            Serialize(NamedGroupList{
                {NamedGroup::kX25519, NamedGroup::kSecp256r1, NamedGroup::kSecp384r1}}));
  hello.Set(ExtensionType::kSignatureAlgorithms,
            Serialize(SignatureSchemeList{
                {SignatureScheme::kEcdsaSecp256r1Sha256, SignatureScheme::kEcdsaSecp384r1Sha384,
                 SignatureScheme::kEd25519, SignatureScheme::kRsaPssRsaeSha256,
                 SignatureScheme::kRsaPkcs1Sha256}}));
  hello.SetHex(ExtensionType::kAlpn, "000c02683208687474702f312e31");
  hello.SetHex(ExtensionType::kRecordSizeLimit, tls13 ? "4001" : "4000");
  if (tls13) {
    hello.SetHex(ExtensionType::kSupportedVersions, "020304");
    hello.Set(ExtensionType::kKeyShare, KeyShareBody({share}));
  } else {
    hello.SetHex(ExtensionType::kEcPointFormats, "0100");
    hello.SetHex(ExtensionType::kExtendedMasterSecret, "");
    hello.SetHex(ExtensionType::kRenegotiationInfo, "00");
  }
  return hello;
}

}  // namespace handfast::tls::test
