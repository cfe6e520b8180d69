#include "tls/record/protection.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tls/base/secret_access.h"
#include "tls/crypto/hkdf.h"

namespace handfast::tls {
namespace {

constexpr size_t kExplicitNonceSize = 8;
constexpr uint16_t kLegacyRecordVersion = 0x0303;

void WriteHeader(Bytes& out, ContentType type, size_t length) {
  out.push_back(static_cast<uint8_t>(type));
  out.push_back(kLegacyRecordVersion >> 8);
  out.push_back(kLegacyRecordVersion & 0xff);
  out.push_back(static_cast<uint8_t>(length >> 8));
  out.push_back(static_cast<uint8_t>(length));
}

void WriteU64(uint8_t* out, uint64_t v) {
  for (int i = 7; i >= 0; --i, v >>= 8) out[i] = static_cast<uint8_t>(v);
}

// RFC 5246 §6.2.3.3: additional_data = seq_num + TLSCompressed.type + .version + .length.
std::array<uint8_t, 13> AssociatedData12(uint64_t sequence, ContentType type, size_t length) {
  std::array<uint8_t, 13> data;
  WriteU64(data.data(), sequence);
  data[8] = static_cast<uint8_t>(type);
  data[9] = kLegacyRecordVersion >> 8;
  data[10] = kLegacyRecordVersion & 0xff;
  data[11] = static_cast<uint8_t>(length >> 8);
  data[12] = static_cast<uint8_t>(length);
  return data;
}

CbcAssociatedData AssociatedDataCbc(uint64_t sequence, ContentType type) {
  const auto whole = AssociatedData12(sequence, type, 0);
  CbcAssociatedData data;
  std::copy_n(whole.begin(), data.size(), data.begin());
  return data;
}

bool SizesFit(const SuiteInfo& suite, const TrafficKeys12& keys, size_t iv_size) {
  if (suite.cbc) {
    return keys.key.size() == suite.cbc->key_size && keys.iv.empty() &&
           keys.mac_key.size() == CbcMacSize(suite.cbc->mac);
  }
  return keys.key.size() == AeadKeySize(suite.aead) && keys.iv.size() == iv_size &&
         keys.mac_key.empty() && !keys.encrypt_then_mac;
}

}  // namespace

// ---- RecordKeys

Result<RecordKeys> RecordKeys::Create(TrafficKeys keys, AeadDirection direction) {
  if (auto* tls13 = std::get_if<TrafficKeys13>(&keys)) {
    const SuiteInfo* suite = FindSuite(tls13->suite);
    if (suite == nullptr || suite->version != ProtocolVersion::kTls13 ||
        tls13->secret.size() != DigestSize(suite->hash)) {
      return Reason::kInternalError;
    }
    RecordKeys record_keys(suite, direction);
    record_keys.secret_ = std::move(tls13->secret);
    record_keys.sequence_ = tls13->sequence;
    return record_keys;
  }
  auto& tls12 = std::get<TrafficKeys12>(keys);
  const SuiteInfo* suite = FindSuite(tls12.suite);
  if (suite == nullptr || suite->version != ProtocolVersion::kTls12) return Reason::kInternalError;
  RecordKeys record_keys(suite, direction);
  const size_t iv_size =
      record_keys.has_explicit_nonce() ? kAeadNonceSize - kExplicitNonceSize : kAeadNonceSize;
  if (!SizesFit(*suite, tls12, iv_size)) return Reason::kInternalError;
  record_keys.secret_ = *HashSecret::From(SecretAccess::Open(tls12.key));
  record_keys.iv_ = std::move(tls12.iv);
  record_keys.sequence_ = tls12.sequence;
  record_keys.mac_key_ = std::move(tls12.mac_key);
  record_keys.encrypt_then_mac_ = tls12.encrypt_then_mac;
  return record_keys;
}

Result<void> RecordKeys::Ready() {
  if (aead_ || cbc_) return {};
  return is_tls13() ? Key13() : suite_->cbc ? KeyCbc() : Key12();
}

Result<void> RecordKeys::Key13() {
  // RFC 8446 §7.3.
  AeadKey key;
  const HkdfKey secret(suite_->hash, secret_);
  secret.ExpandLabel("key", {}, SecretAccess::Fill(key, AeadKeySize(suite_->aead)));
  secret.ExpandLabel("iv", {}, SecretAccess::Fill(iv_, kAeadNonceSize));
  Result<Aead> aead = Aead::Create(suite_->aead, direction_, key);
  if (!aead.ok()) return aead.reason();
  aead_ = *std::move(aead);
  return {};
}

Result<void> RecordKeys::Key12() {
  Result<Aead> aead =
      Aead::Create(suite_->aead, direction_, *AeadKey::From(SecretAccess::Open(secret_)));
  if (!aead.ok()) return aead.reason();
  aead_ = *std::move(aead);
  return {};
}

Result<void> RecordKeys::KeyCbc() {
  Result<CbcHmac> cbc =
      CbcHmac::Create(*suite_->cbc, direction_, *AeadKey::From(SecretAccess::Open(secret_)),
                      mac_key_, encrypt_then_mac_);
  if (!cbc.ok()) return cbc.reason();
  cbc_ = *std::move(cbc);
  return {};
}

TrafficKeys RecordKeys::Release() && {
  if (is_tls13()) return TrafficKeys13{suite_->suite, std::move(secret_), sequence_};
  AeadKey key = *AeadKey::From(SecretAccess::Open(secret_));
  secret_ = HashSecret();
  return TrafficKeys12{suite_->suite, std::move(key),      std::move(iv_),
                       sequence_,     std::move(mac_key_), encrypt_then_mac_};
}

Result<void> RecordKeys::Update() {
  if (!is_tls13()) return Reason::kInternalError;
  HashSecret next;
  HkdfExpandLabel(suite_->hash, secret_, "traffic upd", {},
                  SecretAccess::Fill(next, DigestSize(suite_->hash)));
  secret_ = std::move(next);
  sequence_ = 0;
  aead_.reset();
  return {};
}

// RFC 8446 §5.5: "For ChaCha20/Poly1305, the record sequence number would wrap before the safety
// limit is reached." Its last number but one still carries a KeyUpdate.
bool RecordKeys::NearLimit() const {
  const bool chacha20 = suite_->aead == AeadAlgorithm::kChaCha20Poly1305;
  return sequence_ >= (chacha20 ? UINT64_MAX - 1 : kAesGcmUpdateAfter);
}

uint64_t RecordKeys::RecordsLeft() const {
  const bool chacha20 = suite_->aead == AeadAlgorithm::kChaCha20Poly1305;
  const uint64_t limit = chacha20 ? UINT64_MAX : kAesGcmRecordLimit;
  return limit - std::min(limit, sequence_);
}

void RecordKeys::WriteNonce(uint64_t number, std::span<uint8_t, kAeadNonceSize> nonce) const {
  const ByteView iv = SecretAccess::Open(iv_);
  WriteU64(nonce.data() + kAeadNonceSize - 8, number);
  if (has_explicit_nonce()) {
    std::copy(iv.begin(), iv.end(), nonce.begin());
    return;
  }
  // RFC 8446 §5.3, RFC 7905 §2: the padded sequence number, XORed with the IV.
  std::copy(iv.begin(), iv.begin() + 4, nonce.begin());
  for (size_t i = 4; i < kAeadNonceSize; ++i) nonce[i] ^= iv[i];
}

// ---- RecordSealer

Result<void> RecordSealer::Seal(ContentType type, ByteView content, size_t max_fragment,
                                Bytes& out) {
  const size_t records = content.empty() ? 1 : (content.size() + max_fragment - 1) / max_fragment;
  // RFC 8446 §5.3: "If a TLS implementation would need to wrap a sequence number, it MUST either
  // rekey [...] or terminate the connection."
  if (keys_ && UINT64_MAX - keys_->sequence_ < records) return Reason::kSequenceExhausted;
  if (keys_) {
    if (Result<void> ready = keys_->Ready(); !ready.ok()) return ready;
  }
  do {
    const ByteView fragment = content.first(std::min(content.size(), max_fragment));
    content = content.subspan(fragment.size());
    if (Result<void> sealed = SealOne(type, fragment, out); !sealed.ok()) return sealed;
  } while (!content.empty());
  return {};
}

Result<void> RecordSealer::SealOne(ContentType type, ByteView fragment, Bytes& out) {
  if (!keys_) {
    WriteHeader(out, type, fragment.size());
    Append(out, fragment);
    return {};
  }
  Result<void> sealed = keys_->is_tls13()    ? SealOne13(type, fragment, out)
                        : keys_->suite_->cbc ? SealOneCbc(type, fragment, out)
                                             : SealOne12(type, fragment, out);
  if (sealed.ok()) ++keys_->sequence_;
  return sealed;
}

Result<size_t> RecordSealer::SealInto(ContentType type, ByteView fragment, std::span<uint8_t> out) {
  if (!keys_ || !keys_->is_tls13() || out.size() < fragment.size() + kMaxRecordOverhead) {
    return Reason::kInternalError;
  }
  if (keys_->sequence_ == UINT64_MAX) return Reason::kSequenceExhausted;
  if (Result<void> ready = keys_->Ready(); !ready.ok()) return ready.reason();
  if (Result<void> sealed = SealAt13(type, fragment, out.data()); !sealed.ok()) {
    return sealed.reason();
  }
  ++keys_->sequence_;
  return kRecordHeaderSize + fragment.size() + 1 + kAeadTagSize;
}

Result<void> RecordSealer::SealOne13(ContentType type, ByteView fragment, Bytes& out) {
  const size_t start = out.size();
  out.resize(start + kRecordHeaderSize + fragment.size() + 1 + kAeadTagSize);
  return SealAt13(type, fragment, out.data() + start);
}

Result<void> RecordSealer::SealAt13(ContentType type, ByteView fragment, uint8_t* record) {
  std::array<uint8_t, kAeadNonceSize> nonce;
  keys_->WriteNonce(keys_->sequence_, nonce);
  const size_t length = fragment.size() + 1 + kAeadTagSize;
  // RFC 8446 §5.2: the opaque_type is always application_data.
  record[0] = static_cast<uint8_t>(ContentType::kApplicationData);
  record[1] = kLegacyRecordVersion >> 8;
  record[2] = kLegacyRecordVersion & 0xff;
  record[3] = static_cast<uint8_t>(length >> 8);
  record[4] = static_cast<uint8_t>(length);
  const uint8_t inner_type = static_cast<uint8_t>(type);
  return keys_->aead_->Seal(nonce, {record, kRecordHeaderSize}, fragment, {&inner_type, 1},
                            record + kRecordHeaderSize);
}

Result<void> RecordSealer::SealOne12(ContentType type, ByteView fragment, Bytes& out) {
  std::array<uint8_t, kAeadNonceSize> nonce;
  keys_->WriteNonce(keys_->sequence_, nonce);
  const size_t prefix = keys_->has_explicit_nonce() ? kExplicitNonceSize : 0;
  const size_t length = prefix + fragment.size() + kAeadTagSize;
  const auto associated_data = AssociatedData12(keys_->sequence_, type, fragment.size());
  const size_t start = out.size();
  WriteHeader(out, type, length);
  out.resize(start + kRecordHeaderSize + length);
  uint8_t* body = out.data() + start + kRecordHeaderSize;
  if (prefix != 0) WriteU64(body, keys_->sequence_);
  return keys_->aead_->Seal(nonce, associated_data, fragment, {}, body + prefix);
}

Result<void> RecordSealer::SealOneCbc(ContentType type, ByteView fragment, Bytes& out) {
  const size_t length = keys_->cbc_->SealedSize(fragment.size());
  const size_t start = out.size();
  WriteHeader(out, type, length);
  out.resize(start + kRecordHeaderSize + length);
  return keys_->cbc_->Seal(AssociatedDataCbc(keys_->sequence_, type), fragment,
                           out.data() + start + kRecordHeaderSize);
}

// ---- RecordOpener

Result<OpenedRecord> RecordOpener::Open(std::span<uint8_t> record, size_t max_plaintext) {
  if (!keys_) {
    const auto type = static_cast<ContentType>(record[0]);
    const std::span<uint8_t> body = record.subspan(kRecordHeaderSize);
    // RFC 8446 §5.1: "The length MUST NOT exceed 2^14 bytes. An endpoint that receives a record
    // that exceeds this length MUST terminate the connection with a "record_overflow" alert."
    if (body.size() > kMaxPlaintext) return Reason::kRecordOverflow;
    return OpenedRecord{type, body};
  }
  if (keys_->sequence_ == UINT64_MAX) return Reason::kSequenceExhausted;
  if (Result<void> ready = keys_->Ready(); !ready.ok()) return ready.reason();
  Result<OpenedRecord> opened = keys_->is_tls13()    ? Open13(record, max_plaintext)
                                : keys_->suite_->cbc ? OpenCbc(record, max_plaintext)
                                                     : Open12(record, max_plaintext);
  if (opened.ok()) ++keys_->sequence_;
  return opened;
}

Result<OpenedRecord> RecordOpener::Open13(std::span<uint8_t> record, size_t max_plaintext) {
  if (record[0] != static_cast<uint8_t>(ContentType::kApplicationData)) {
    return Reason::kBadRecordType;
  }
  const std::span<uint8_t> body = record.subspan(kRecordHeaderSize);
  if (body.size() < kAeadTagSize) return Reason::kBadRecordMac;
  std::array<uint8_t, kAeadNonceSize> nonce;
  keys_->WriteNonce(keys_->sequence_, nonce);
  Result<std::span<uint8_t>> inner =
      keys_->aead_->Open(nonce, record.first(kRecordHeaderSize), body);
  if (!inner.ok()) return inner.reason();
  // RFC 8449 §4: the limit covers the content type and the padding.
  if (inner->size() > max_plaintext + 1) return Reason::kRecordOverflow;
  size_t end = inner->size();
  while (end > 0 && (*inner)[end - 1] == 0) --end;
  // RFC 8446 §5.4: "If a receiving implementation does not find a non-zero octet in the cleartext,
  // it MUST terminate the connection with an "unexpected_message" alert."
  if (end == 0) return Reason::kBadInnerPlaintext;
  const auto type = static_cast<ContentType>((*inner)[end - 1]);
  if (type != ContentType::kHandshake && type != ContentType::kAlert &&
      type != ContentType::kApplicationData) {
    return Reason::kBadRecordType;
  }
  return OpenedRecord{type, inner->first(end - 1)};
}

Result<OpenedRecord> RecordOpener::Open12(std::span<uint8_t> record, size_t max_plaintext) {
  const auto type = static_cast<ContentType>(record[0]);
  std::span<uint8_t> body = record.subspan(kRecordHeaderSize);
  uint64_t number = keys_->sequence_;
  if (keys_->has_explicit_nonce()) {
    if (body.size() < kExplicitNonceSize) return Reason::kBadRecordMac;
    number = 0;
    for (size_t i = 0; i < kExplicitNonceSize; ++i) number = number << 8 | body[i];
    body = body.subspan(kExplicitNonceSize);
  }
  if (body.size() < kAeadTagSize) return Reason::kBadRecordMac;
  if (body.size() - kAeadTagSize > max_plaintext) return Reason::kRecordOverflow;
  std::array<uint8_t, kAeadNonceSize> nonce;
  keys_->WriteNonce(number, nonce);
  const auto associated_data = AssociatedData12(keys_->sequence_, type, body.size() - kAeadTagSize);
  Result<std::span<uint8_t>> plaintext = keys_->aead_->Open(nonce, associated_data, body);
  if (!plaintext.ok()) return plaintext.reason();
  return OpenedRecord{type, *plaintext};
}

Result<OpenedRecord> RecordOpener::OpenCbc(std::span<uint8_t> record, size_t max_plaintext) {
  const auto type = static_cast<ContentType>(record[0]);
  const std::span<uint8_t> body = record.subspan(kRecordHeaderSize);
  if (body.size() > kMaxCbcCiphertext) return Reason::kRecordOverflow;
  Result<std::span<uint8_t>> plaintext =
      keys_->cbc_->Open(AssociatedDataCbc(keys_->sequence_, type), body);
  if (!plaintext.ok()) return plaintext.reason();
  // Only now: before the MAC is known to be right, the length is a secret.
  if (plaintext->size() > max_plaintext) return Reason::kRecordOverflow;
  return OpenedRecord{type, *plaintext};
}

}  // namespace handfast::tls
