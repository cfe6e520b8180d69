#include "tests/client/core/record_peer.h"

#include "tls/crypto/cipher_suite.h"

namespace handfast::test {
namespace {

using tls::AeadDirection;
using tls::RecordKeys;

tls::TrafficKeys13 Keys13(tls::CipherSuite suite, uint8_t fill, uint64_t sequence) {
  const size_t size = tls::FindSuite(suite)->hash == tls::HashAlgorithm::kSha384 ? 48 : 32;
  tls::TrafficKeys13 keys;
  keys.suite = suite;
  keys.secret = *tls::HashSecret::From(tls::Bytes(size, fill));
  keys.sequence = sequence;
  return keys;
}

tls::TrafficKeys12 Keys12(tls::CipherSuite suite, uint8_t fill, uint64_t sequence) {
  const tls::AeadAlgorithm aead = tls::FindSuite(suite)->aead;
  const size_t iv = aead == tls::AeadAlgorithm::kChaCha20Poly1305 ? 12 : 4;
  tls::TrafficKeys12 keys;
  keys.suite = suite;
  keys.key = *tls::AeadKey::From(tls::Bytes(tls::AeadKeySize(aead), fill));
  keys.iv = *tls::AeadIv::From(tls::Bytes(iv, fill));
  keys.sequence = sequence;
  return keys;
}

constexpr uint8_t kServerWrites = 0x51;
constexpr uint8_t kClientWrites = 0xc1;

}  // namespace

std::pair<client::RecordLayer, RecordPeer> RecordPeer::Connect(tls::CipherSuite suite,
                                                               size_t max_fragment,
                                                               uint64_t sequence) {
  const bool tls13 = tls::FindSuite(suite)->version == tls::ProtocolVersion::kTls13;
  const auto make = [&](auto keys_of) {
    client::ReleasedKeys keys;
    if constexpr (std::is_same_v<decltype(keys_of), decltype(&Keys13)>) {
      keys = client::ReleasedKeys13{keys_of(suite, kServerWrites, sequence),
                                    keys_of(suite, kClientWrites, sequence)};
    } else {
      keys = client::ReleasedKeys12{keys_of(suite, kServerWrites, sequence),
                                    keys_of(suite, kClientWrites, sequence)};
    }
    auto write = RecordKeys::Create(keys_of(suite, kClientWrites, sequence), AeadDirection::kSeal);
    auto read = RecordKeys::Create(keys_of(suite, kServerWrites, sequence), AeadDirection::kOpen);
    auto layer = client::RecordLayer::Create(std::move(keys), max_fragment);
    return std::pair(*std::move(layer), RecordPeer(*std::move(write), *std::move(read)));
  };
  return tls13 ? make(&Keys13) : make(&Keys12);
}

tls::Bytes RecordPeer::Say(tls::ContentType type, tls::ByteView content) {
  tls::Bytes out;
  (void)sealer_.Seal(type, content, tls::kMaxPlaintext, out);
  return out;
}

tls::Bytes RecordPeer::SayData(std::string_view text) {
  return Say(tls::ContentType::kApplicationData, tls::AsBytes(text));
}

tls::Bytes RecordPeer::SayAlert(uint8_t level, tls::Alert alert) {
  const uint8_t body[] = {level, static_cast<uint8_t>(alert)};
  return Say(tls::ContentType::kAlert, body);
}

tls::Bytes RecordPeer::SayKeyUpdate(uint8_t request) {
  tls::Bytes record = Say(tls::ContentType::kHandshake, KeyUpdate(request));
  (void)sealer_.keys()->Update();
  return record;
}

std::vector<Heard> RecordPeer::Hear(tls::Bytes stream) {
  std::vector<Heard> heard;
  std::span<uint8_t> left(stream);
  while (left.size() >= tls::kRecordHeaderSize) {
    const size_t size = tls::kRecordHeaderSize + (size_t{left[3]} << 8 | left[4]);
    if (left.size() < size) return {};
    const auto record = opener_.Open(left.first(size));
    if (!record.ok()) return {};
    heard.push_back({record->type, tls::Copy(record->fragment)});
    if (record->type == tls::ContentType::kHandshake) (void)opener_.keys()->Update();
    left = left.subspan(size);
  }
  return left.empty() ? heard : std::vector<Heard>{};
}

}  // namespace handfast::test
