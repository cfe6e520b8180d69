// Record protection: one sealer or opener a direction (RFC 8446 §5.2, RFC 5246 §6.2.3.3 with
// RFC 5288 and RFC 7905, RFC 5246 §6.2.3.2 and RFC 7366). Made from traffic secrets or keys, so
// that whoever holds those, the service or a thin client after the hand-over, protects records with
// the same code.
#ifndef HANDFAST_TLS_RECORD_PROTECTION_H_
#define HANDFAST_TLS_RECORD_PROTECTION_H_

#include <cstdint>
#include <optional>

#include "tls/base/bytes.h"
#include "tls/base/registry.h"
#include "tls/base/result.h"
#include "tls/base/secret.h"
#include "tls/crypto/aead.h"
#include "tls/crypto/cbc.h"
#include "tls/crypto/cipher_suite.h"
#include "tls/crypto/traffic_keys.h"

namespace handfast::tls {

constexpr size_t kRecordHeaderSize = 5;
// RFC 8446 §5.1: plaintext in a record.
constexpr size_t kMaxPlaintext = 1 << 14;
// RFC 8446 §5.2: "The length MUST NOT exceed 2^14 + 256 bytes." TLS 1.2 allows 2^14 + 2048, which
// none of its AEAD suites needs.
constexpr size_t kMaxCiphertext = kMaxPlaintext + 256;
// RFC 5246 §6.2.3: "The length MUST NOT exceed 2^14 + 2048." What a peer may send under AES-CBC,
// with as much padding as it likes.
constexpr size_t kMaxCbcCiphertext = kMaxPlaintext + 2048;

// What protection with an AEAD adds at most: header, explicit nonce or content type, and tag.
constexpr size_t kMaxRecordOverhead = kRecordHeaderSize + 8 + kAeadTagSize;

// RFC 8446 §5.5: "For AES-GCM, up to 2^24.5 full-size records (about 24 million) may be encrypted
// on a given connection while keeping a safety margin of approximately 2^-57".
constexpr uint64_t kAesGcmRecordLimit = 23'726'566;
// A third of it: the peer has time to follow.
constexpr uint64_t kAesGcmUpdateAfter = uint64_t{1} << 23;

// One generation of TLS 1.3's keys in one direction, for who is not to know the secret that the
// later ones follow from (kernel TLS takes them so).
struct GenerationKeys {
  CipherSuite suite{};
  AeadKey key;
  AeadIv iv;
  uint64_t sequence = 0;
};

// The nonce, sequence number and keyed AEAD that both directions share.
class RecordKeys {
 public:
  // kInternalError where the suite is unknown or is not of the keys' version, or a size is wrong.
  static Result<RecordKeys> Create(TrafficKeys&& keys, AeadDirection direction);

  // Gives the keys away, with the next record's sequence number; the value is spent.
  TrafficKeys Release() &&;

  uint64_t sequence() const { return sequence_; }
  const SuiteInfo& suite() const { return *suite_; }
  // TLS 1.3's KeyUpdate (RFC 8446 §7.2): the next generation, sequence 0. kInternalError in 1.2.
  Result<void> Update();
  // TLS 1.3: gives this generation away, with the next record's sequence number, and goes on to the
  // next one, from which no earlier one follows. kInternalError in 1.2.
  Result<GenerationKeys> ReleaseGeneration();
  // True when so many records went by that the keys should be updated (RFC 8446 §5.5).
  bool NearLimit() const;
  // How many more records these keys may protect; TLS 1.2, which has no others, then ends.
  uint64_t RecordsLeft() const;

 private:
  friend class RecordSealer;
  friend class RecordOpener;
  RecordKeys(const SuiteInfo* suite, AeadDirection direction)
      : suite_(suite), direction_(direction) {}
  // Keys the AEAD before its first record: keys that are given away unused cost nothing.
  Result<void> Ready();
  Result<void> Key13();
  Result<void> Key12();
  Result<void> KeyCbc();
  bool is_tls13() const { return suite_->version == ProtocolVersion::kTls13; }
  // RFC 5288 §3: AES-GCM in TLS 1.2 carries eight bytes of its nonce in the record.
  bool has_explicit_nonce() const {
    return !is_tls13() && !suite_->cbc && suite_->aead != AeadAlgorithm::kChaCha20Poly1305;
  }
  // The nonce of the record with `number`: a sequence number, or what the record carries.
  void WriteNonce(uint64_t number, std::span<uint8_t, kAeadNonceSize> nonce) const;

  const SuiteInfo* suite_;
  AeadDirection direction_;
  std::optional<Aead> aead_;
  HashSecret secret_;  // TLS 1.3: this generation's traffic secret; TLS 1.2: the AEAD key
  AeadIv iv_;          // TLS 1.3: derived with the key
  uint64_t sequence_ = 0;
  // AES-CBC suites, which have no AEAD.
  std::optional<CbcHmac> cbc_;
  HashSecret mac_key_;
  bool encrypt_then_mac_ = false;
};

class RecordSealer {
 public:
  // Plaintext records until keys are installed.
  RecordSealer() = default;
  explicit RecordSealer(RecordKeys&& keys) : keys_(std::move(keys)) {}

  void Install(RecordKeys&& keys) { keys_.emplace(std::move(keys)); }
  bool encrypted() const { return keys_.has_value(); }
  RecordKeys* keys() { return keys_ ? &*keys_ : nullptr; }

  // Appends `content` to `out` as one record or more, each of at most `max_fragment` bytes of
  // plaintext (1 to 16384). An empty content is one empty record. kSequenceExhausted at the end of
  // the sequence numbers; nothing was appended then.
  Result<void> Seal(ContentType type, ByteView content, size_t max_fragment, Bytes& out);

  // One record of TLS 1.3 into the front of `out`, which need not be filled before: its size.
  // kInternalError without such keys, or where `out` has not kMaxRecordOverhead bytes more than the
  // fragment. kSequenceExhausted.
  Result<size_t> SealInto(ContentType type, ByteView fragment, std::span<uint8_t> out);

 private:
  Result<void> SealOne(ContentType type, ByteView fragment, Bytes& out);
  Result<void> SealOne13(ContentType type, ByteView fragment, Bytes& out);
  Result<void> SealAt13(ContentType type, ByteView fragment, uint8_t* record);
  Result<void> SealOne12(ContentType type, ByteView fragment, Bytes& out);
  Result<void> SealOneCbc(ContentType type, ByteView fragment, Bytes& out);
  std::optional<RecordKeys> keys_;
};

struct OpenedRecord {
  ContentType type{};
  std::span<uint8_t> fragment;  // inside the record that was opened
};

class RecordOpener {
 public:
  RecordOpener() = default;
  explicit RecordOpener(RecordKeys&& keys) : keys_(std::move(keys)) {}

  void Install(RecordKeys&& keys) { keys_.emplace(std::move(keys)); }
  bool encrypted() const { return keys_.has_value(); }
  RecordKeys* keys() { return keys_ ? &*keys_ : nullptr; }
  // What the length of the next record may say: see PeekRecord.
  size_t max_ciphertext() const {
    return keys_ && keys_->suite_->cbc ? kMaxCbcCiphertext : kMaxCiphertext;
  }

  // `record` is one whole record with its header (see deframer.h); it is decrypted in place.
  // kBadRecordMac, kRecordOverflow, kBadInnerPlaintext (TLS 1.3: no content type), kBadRecordType,
  // kSequenceExhausted.
  // `max_plaintext` is what we advertised (RFC 8449), 16384 where nothing was.
  Result<OpenedRecord> Open(std::span<uint8_t> record, size_t max_plaintext = kMaxPlaintext);

  // To look ahead: after Open of copies, the record of `sequence` is the next one again. Opening
  // twice shows nothing new; a sealer has no such thing.
  uint64_t sequence() const { return keys_ ? keys_->sequence_ : 0; }
  void Rewind(uint64_t sequence) {
    if (keys_) keys_->sequence_ = sequence;
  }

 private:
  Result<OpenedRecord> Open13(std::span<uint8_t> record, size_t max_plaintext);
  Result<OpenedRecord> Open12(std::span<uint8_t> record, size_t max_plaintext);
  Result<OpenedRecord> OpenCbc(std::span<uint8_t> record, size_t max_plaintext);
  std::optional<RecordKeys> keys_;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_RECORD_PROTECTION_H_
