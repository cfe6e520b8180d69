#include "server/sessions/ticket_key_set.h"

#include <algorithm>
#include <utility>

#include "tls/base/reader.h"
#include "tls/base/secret.h"
#include "tls/base/secret_access.h"

namespace handfast::sessions {
namespace {

// Of the stored form: version, count, then kMaxKeys entries of name, key and time, the rest zeros.
constexpr uint8_t kVersion = 1;
constexpr size_t kKeySize = 32;
constexpr size_t kEntrySize = tls::kTicketKeyNameSize + kKeySize + sizeof(int64_t);
constexpr size_t kStoredSize = 2 + TicketKeySet::kMaxKeys * kEntrySize;

}  // namespace

std::optional<TicketKeySet> TicketKeySet::Parse(tls::ByteView stored) {
  TicketKeySet set;
  uint8_t version = 0;
  uint8_t count = 0;
  tls::Reader reader(stored);
  if (stored.size() != kStoredSize || !reader.U8(version) || version != kVersion ||
      !reader.U8(count) || count > kMaxKeys) {
    return std::nullopt;
  }
  for (uint8_t i = 0; i < count; ++i) {
    tls::ByteView name;
    tls::ByteView key;
    uint64_t seals_from = 0;
    if (!reader.Fixed(name, tls::kTicketKeyNameSize) || !reader.Fixed(key, kKeySize) ||
        !reader.U64(seals_from)) {
      return std::nullopt;
    }
    Entry& entry = set.entries_.emplace_back();
    std::copy(name.begin(), name.end(), entry.key.name.begin());
    entry.key.key = *tls::AeadKey::From(key);
    entry.seals_from_unix_s = static_cast<int64_t>(seals_from);
  }
  return set;
}

tls::Bytes TicketKeySet::Serialize() const {
  tls::Bytes stored;
  stored.reserve(kStoredSize);  // never grown, which would leave a copy behind
  tls::Writer writer(stored);
  writer.U8(kVersion);
  writer.U8(static_cast<uint8_t>(entries_.size()));
  for (const Entry& entry : entries_) {
    writer.Fixed(entry.key.name, entry.key.name.size());
    writer.Fixed(tls::SecretAccess::Open(entry.key.key), kKeySize);
    writer.U64(static_cast<uint64_t>(entry.seals_from_unix_s));
  }
  stored.resize(kStoredSize);
  return stored;
}

tls::Result<void> TicketKeySet::Add(int64_t seals_from_unix_s, tls::Randomness& randomness) {
  Entry entry;
  entry.seals_from_unix_s = seals_from_unix_s;
  if (auto drawn = randomness.Fill(entry.key.name); !drawn.ok()) return drawn.reason();
  if (auto drawn = randomness.Fill(tls::SecretAccess::Fill(entry.key.key, kKeySize)); !drawn.ok()) {
    return drawn.reason();
  }
  const auto earlier =
      std::find_if(entries_.begin(), entries_.end(), [seals_from_unix_s](const Entry& other) {
        return other.seals_from_unix_s <= seals_from_unix_s;
      });
  entries_.insert(earlier, std::move(entry));
  return {};
}

const TicketKeySet::Entry* TicketKeySet::Latest(int64_t now_unix_s) const {
  const auto found = std::find_if(
      entries_.begin(), entries_.end(),
      [now_unix_s](const Entry& entry) { return entry.seals_from_unix_s <= now_unix_s; });
  return found == entries_.end() ? nullptr : &*found;
}

tls::Result<bool> TicketKeySet::Rotate(int64_t now_unix_s, tls::Randomness& randomness) {
  // Of a clock that was ahead some may be left that begin far from now: they go when the room is
  // needed, for the clock may be right the next time.
  bool changed = std::erase_if(entries_, [now_unix_s](const Entry& entry) {
                   return entry.seals_from_unix_s + kTicketKeyOpensFor <= now_unix_s;
                 }) > 0;
  const Entry* latest = Latest(now_unix_s);
  int64_t began = now_unix_s;
  if (latest == nullptr || latest->seals_from_unix_s + kTicketKeySealsFor <= now_unix_s) {
    if (auto added = Add(now_unix_s, randomness); !added.ok()) return added.reason();
    changed = true;
  } else {
    began = latest->seals_from_unix_s;
  }
  const int64_t next = began + kTicketKeySealsFor;
  if (Latest(next)->seals_from_unix_s <= now_unix_s) {
    if (auto added = Add(next, randomness); !added.ok()) return added.reason();
    changed = true;
  }
  while (entries_.size() > kMaxKeys) {
    const bool first_is_far = entries_.front().seals_from_unix_s > next;
    entries_.erase(first_is_far ? entries_.begin() : entries_.end() - 1);
  }
  return changed;
}

std::shared_ptr<const tls::TicketKeys> TicketKeySet::KeysAt(int64_t now_unix_s) const {
  const auto copy = [](const tls::TicketKey& key) {
    tls::TicketKey same;
    same.name = key.name;
    same.key = *tls::AeadKey::From(tls::SecretAccess::Open(key.key));
    return same;
  };
  const Entry* const latest = Latest(now_unix_s);
  std::vector<tls::TicketKey> keys;
  if (latest != nullptr && latest->seals_from_unix_s + kTicketKeyOpensFor > now_unix_s) {
    keys.push_back(copy(latest->key));
  }
  for (const Entry& entry : entries_) {
    if (&entry == latest || entry.seals_from_unix_s + kTicketKeyOpensFor <= now_unix_s) continue;
    keys.push_back(copy(entry.key));
  }
  if (keys.empty()) return nullptr;
  const bool seals =
      latest != nullptr && latest->seals_from_unix_s + kTicketKeySealsFor > now_unix_s;
  return std::make_shared<const tls::TicketKeys>(std::move(keys), seals);
}

std::optional<int64_t> TicketKeySet::RotatedAt(int64_t now_unix_s) const {
  const Entry* const latest = Latest(now_unix_s);
  return latest == nullptr ? std::nullopt : std::optional(latest->seals_from_unix_s);
}

}  // namespace handfast::sessions
