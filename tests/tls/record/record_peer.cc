#include "tests/tls/record/record_peer.h"

#include <gtest/gtest.h>

#include "tls/crypto/cipher_suite.h"

namespace handfast::tls::test {
namespace {

TrafficKeys13 Keys13(CipherSuite suite, uint8_t fill, uint64_t sequence) {
  const size_t size = FindSuite(suite)->hash == HashAlgorithm::kSha384 ? 48 : 32;
  TrafficKeys13 keys;
  keys.suite = suite;
  keys.secret = *HashSecret::From(Bytes(size, fill));
  keys.sequence = sequence;
  return keys;
}

TrafficKeys12 Keys12(CipherSuite suite, uint8_t fill, uint64_t sequence) {
  const AeadAlgorithm aead = FindSuite(suite)->aead;
  const size_t iv = aead == AeadAlgorithm::kChaCha20Poly1305 ? 12 : 4;
  TrafficKeys12 keys;
  keys.suite = suite;
  keys.key = *AeadKey::From(Bytes(AeadKeySize(aead), fill));
  keys.iv = *AeadIv::From(Bytes(iv, fill));
  keys.sequence = sequence;
  return keys;
}

constexpr uint8_t kLayerWrites = 0x51;
constexpr uint8_t kPeerWrites = 0xc1;

}  // namespace

std::pair<RecordLayer, RecordPeer> RecordPeer::Connect(CipherSuite suite,
                                                       RecordLayerOptions options,
                                                       Sequences sequences) {
  const auto keys = [&](uint8_t fill, uint64_t sequence) -> TrafficKeys {
    if (FindSuite(suite)->version == ProtocolVersion::kTls13) return Keys13(suite, fill, sequence);
    return Keys12(suite, fill, sequence);
  };
  const auto write = [&] { return keys(kLayerWrites, sequences.write); };
  const auto read = [&] { return keys(kPeerWrites, sequences.read); };
  RecordLayer layer(RecordSealer(*RecordKeys::Create(write(), AeadDirection::kSeal)),
                    RecordOpener(*RecordKeys::Create(read(), AeadDirection::kOpen)), options);
  return {std::move(layer), RecordPeer(*RecordKeys::Create(read(), AeadDirection::kSeal),
                                       *RecordKeys::Create(write(), AeadDirection::kOpen))};
}

Bytes RecordPeer::Say(ContentType type, ByteView content) {
  Bytes out;
  (void)sealer_.Seal(type, content, kMaxPlaintext, out);
  return out;
}

Bytes RecordPeer::SayData(std::string_view text) {
  return Say(ContentType::kApplicationData, AsBytes(text));
}

Bytes RecordPeer::SayAlert(uint8_t level, Alert alert) {
  const uint8_t body[] = {level, static_cast<uint8_t>(alert)};
  return Say(ContentType::kAlert, body);
}

Bytes RecordPeer::SayKeyUpdate(uint8_t request) {
  Bytes record = Say(ContentType::kHandshake, KeyUpdate(request));
  (void)sealer_.keys()->Update();
  return record;
}

std::vector<Heard> RecordPeer::Hear(Bytes stream) {
  std::vector<Heard> heard;
  std::span<uint8_t> left(stream);
  while (left.size() >= kRecordHeaderSize) {
    const size_t size = kRecordHeaderSize + (size_t{left[3]} << 8 | left[4]);
    if (left.size() < size) return {};
    const auto record = opener_.Open(left.first(size));
    if (!record.ok()) return {};
    heard.push_back({record->type, Copy(record->fragment)});
    const bool update = record->type == ContentType::kHandshake && record->fragment[0] == 24;
    if (update) (void)opener_.keys()->Update();
    left = left.subspan(size);
  }
  return left.empty() ? heard : std::vector<Heard>{};
}

Outcome Open(RecordLayer& layer, Bytes stream) {
  Outcome outcome;
  std::vector<ByteView> pieces;
  const auto opened = layer.Open(stream, pieces, outcome.answers);
  for (const ByteView piece : pieces) outcome.data += AsText(piece);
  outcome.tickets = opened.new_session_tickets;
  outcome.used = opened.used;
  outcome.failure = opened.failure;
  return outcome;
}

Bytes All(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) Append(all, part);
  return all;
}

void ExpectAlert(RecordPeer& peer, const Bytes& answers, uint8_t level, Alert alert) {
  const std::vector<Heard> heard = peer.Hear(answers);
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].type, ContentType::kAlert);
  EXPECT_EQ(heard[0].content, (Bytes{level, static_cast<uint8_t>(alert)}));
}

}  // namespace handfast::tls::test
