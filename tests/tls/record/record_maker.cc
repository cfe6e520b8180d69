#include "tests/tls/record/record_maker.h"

#include <algorithm>
#include <array>

#include "tls/base/secret_access.h"
#include "tls/crypto/cipher_suite.h"
#include "tls/crypto/hkdf.h"

namespace handfast::tls::test {
namespace {

Bytes CountUp(size_t size, uint8_t from) {
  Bytes bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(from + i);
  return bytes;
}

std::array<uint8_t, 8> BigEndian(uint64_t v) {
  std::array<uint8_t, 8> bytes;
  for (int i = 7; i >= 0; --i, v >>= 8) bytes[static_cast<size_t>(i)] = static_cast<uint8_t>(v);
  return bytes;
}

bool IsChaCha(const SuiteInfo& suite) { return suite.aead == AeadAlgorithm::kChaCha20Poly1305; }

// The padded sequence number, XORed with the IV.
Bytes XoredNonce(ByteView iv, uint64_t sequence) {
  Bytes nonce = Copy(iv);
  const auto number = BigEndian(sequence);
  for (size_t i = 0; i < 8; ++i) nonce[4 + i] ^= number[i];
  return nonce;
}

Bytes SealWith(const SuiteInfo& suite, const AeadKey& key, ByteView nonce, ByteView data,
               ByteView plaintext) {
  Bytes out(plaintext.size() + kAeadTagSize);
  Result<Aead> aead = Aead::Create(suite.aead, AeadDirection::kSeal, key);
  if (!aead.ok() || !aead->Seal(nonce, data, plaintext, {}, out.data()).ok()) out.clear();
  return out;
}

Bytes Header(uint8_t type, size_t length) {
  return {type, 3, 3, static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)};
}

}  // namespace

TrafficKeys KeysFor(CipherSuite suite, uint64_t sequence, bool encrypt_then_mac) {
  const SuiteInfo& info = *FindSuite(suite);
  if (info.version == ProtocolVersion::kTls13) {
    return TrafficKeys13{suite, *HashSecret::From(CountUp(DigestSize(info.hash), 0x10)), sequence};
  }
  if (info.cbc) {
    return TrafficKeys12{
        suite,    *AeadKey::From(CountUp(info.cbc->key_size, 0x20)),           AeadIv(),
        sequence, *HashSecret::From(CountUp(CbcMacSize(info.cbc->mac), 0x70)), encrypt_then_mac};
  }
  return TrafficKeys12{suite, *AeadKey::From(CountUp(AeadKeySize(info.aead), 0x20)),
                       *AeadIv::From(CountUp(IsChaCha(info) ? 12 : 4, 0x60)), sequence};
}

Bytes MakeRecord13(CipherSuite suite, uint64_t sequence, ByteView inner) {
  const SuiteInfo& info = *FindSuite(suite);
  const TrafficKeys keys = KeysFor(suite);
  const HashSecret& secret = std::get<TrafficKeys13>(keys).secret;
  AeadKey key;
  HkdfExpandLabel(info.hash, secret, "key", {}, SecretAccess::Fill(key, AeadKeySize(info.aead)));
  Bytes iv(12);
  HkdfExpandLabel(info.hash, secret, "iv", {}, iv);
  Bytes record = Header(23, inner.size() + kAeadTagSize);
  const Bytes sealed = SealWith(info, key, XoredNonce(iv, sequence), record, inner);
  Append(record, sealed);
  return record;
}

Bytes MakeRecord12(CipherSuite suite, uint64_t sequence, uint64_t explicit_nonce, uint8_t type,
                   ByteView plaintext) {
  const SuiteInfo& info = *FindSuite(suite);
  const TrafficKeys keys = KeysFor(suite);
  const TrafficKeys12& k = std::get<TrafficKeys12>(keys);
  const ByteView iv = SecretAccess::Open(k.iv);
  Bytes data = Copy(BigEndian(sequence));
  Append(data, Header(type, plaintext.size()));
  Bytes nonce;
  Bytes carried;
  if (IsChaCha(info)) {
    nonce = XoredNonce(iv, sequence);
  } else {
    carried = Copy(BigEndian(explicit_nonce));
    nonce = Copy(iv);
    Append(nonce, carried);
  }
  Bytes record = Header(type, carried.size() + plaintext.size() + kAeadTagSize);
  Append(record, carried);
  Append(record, SealWith(info, k.key, nonce, data, plaintext));
  return record;
}

}  // namespace handfast::tls::test
