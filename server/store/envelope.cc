#include "server/store/envelope.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "server/store/sealing.h"
#include "tls/base/reader.h"
#include "tls/base/secret_access.h"
#include "tls/crypto/hkdf.h"

namespace handfast::store {
namespace {

constexpr uint8_t kForm = 1;
constexpr size_t kHeaderSize = 9;

// Which entry it is.
Binding Bind(std::string_view label, std::string_view incarnation, std::string_view space,
             const Key& key) {
  return Binding(label).Add(incarnation).Add(space).Add(key.tenant).Add(key.handle);
}

absl::Status Broken() {
  return absl::DataLossError(
      "store: the stored entry is not what was sealed for this key (changed, moved, or sealed with "
      "another store key), and is not used: see who else can write there");
}

}  // namespace

std::string GenerationBytes(uint64_t generation) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(generation >> shift);
  return bytes;
}

uint64_t GenerationFrom(tls::ByteView bytes) {
  tls::Reader reader(bytes);
  uint64_t generation = 0;
  return reader.U64(generation) && reader.done() ? generation : 0;
}

Envelope::Envelope(tls::AeadKey key, std::string space, tls::Randomness& randomness)
    : key_(std::move(key)), space_(std::move(space)), randomness_(randomness) {}

std::string Envelope::NameOf(std::string_view incarnation, const Key& key) const {
  const Binding binding = Bind("handfast store name v1", incarnation, space_, key);
  return tls::ToHex(tls::Hash(tls::HashAlgorithm::kSha256, binding.bytes()).view());
}

absl::StatusOr<tls::AeadKey> Envelope::KeyOf(std::string_view incarnation, const Key& key) const {
  if (key_.size() != kStoreKeySize) {
    return absl::FailedPreconditionError(
        absl::StrCat("store: its key has ", key_.size(), " bytes: give ", kStoreKeySize));
  }
  tls::AeadKey derived;
  tls::HkdfExpand(tls::HashAlgorithm::kSha256, tls::SecretAccess::Open(key_),
                  Bind("handfast store key v1", incarnation, space_, key).bytes(),
                  tls::SecretAccess::Fill(derived, kStoreKeySize));
  return derived;
}

absl::StatusOr<tls::Bytes> Envelope::Seal(std::string_view incarnation, const Key& key,
                                          uint64_t generation, tls::ByteView value) const {
  absl::StatusOr<tls::AeadKey> own = KeyOf(incarnation, key);
  if (!own.ok()) return own.status();
  const std::string number = GenerationBytes(generation);
  tls::Bytes stored{kForm};
  tls::Append(stored, tls::AsBytes(number));
  Binding binding = Bind("handfast store value", incarnation, space_, key);
  binding.Add(stored);
  absl::StatusOr<tls::Bytes> sealed = store::Seal(*own, randomness_, binding, value);
  if (!sealed.ok()) return sealed.status();
  tls::Append(stored, *sealed);
  return stored;
}

absl::StatusOr<Value> Envelope::Open(std::string_view incarnation, const Key& key,
                                     tls::ByteView stored) const {
  absl::StatusOr<tls::AeadKey> own = KeyOf(incarnation, key);
  if (!own.ok()) return own.status();
  if (stored.size() < kEnvelopeOverhead) return Broken();
  if (stored[0] != kForm) {
    return absl::FailedPreconditionError(absl::StrCat(
        "store: the stored entry has form ", static_cast<int>(stored[0]), ", this release reads ",
        static_cast<int>(kForm), ": a newer release wrote it, or somebody changed it"));
  }
  Binding binding = Bind("handfast store value", incarnation, space_, key);
  binding.Add(stored.first(kHeaderSize));
  absl::StatusOr<tls::Bytes> bytes = store::Open(*own, binding, stored.subspan(kHeaderSize));
  if (absl::IsDataLoss(bytes.status())) return Broken();
  if (!bytes.ok()) return bytes.status();
  return Value(*std::move(bytes), GenerationFrom(stored.subspan(1, 8)));
}

}  // namespace handfast::store
