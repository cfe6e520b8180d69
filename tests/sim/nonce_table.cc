#include "tests/sim/nonce_table.h"

#include <cstdlib>
#include <iterator>
#include <vector>

#include "tls/connection/connection.h"
#include "tls/record/deframer.h"
#include "tls/record/protection.h"

namespace handfast::sim {
namespace {

// Beyond the highest number of a generation that was seen: replies may be noted out of turn.
constexpr uint64_t kLookAhead = 4;

}  // namespace

bool NonceTable::Add(tls::ByteView to_peer) {
  while (!to_peer.empty()) {
    const auto header = tls::PeekRecord(to_peer, /*first_record=*/false);
    if (!header.ok() || !header->has_value()) return false;
    const size_t size = tls::kRecordHeaderSize + (*header)->length;
    if (to_peer.size() < size || !AddOne(to_peer.first(size))) return false;
    to_peer = to_peer.subspan(size);
  }
  return true;
}

// The likeliest place first: behind the last record of the newest generation.
bool NonceTable::AddOne(tls::ByteView record) {
  std::vector<int> order = {generations_ - 1, generations_};
  for (int generation = generations_ - 2; generation >= 0; --generation) {
    order.push_back(generation);
  }
  for (const int generation : order) {
    const uint64_t end = EndOf(generation);
    for (uint64_t i = 0; i < end + kLookAhead; ++i) {
      const uint64_t sequence = (end + i) % (end + kLookAhead);
      if (!Opens(record, generation, sequence)) continue;
      if (generation == generations_) ++generations_;
      const auto [found, is_new] = records_.try_emplace({generation, sequence}, tls::Copy(record));
      return is_new || tls::Equal(found->second, record);
    }
  }
  return false;
}

uint64_t NonceTable::EndOf(int generation) const {
  const auto behind = records_.lower_bound({generation + 1, 0});
  if (behind == records_.begin()) return 0;
  const auto& [place, record] = *std::prev(behind);
  return place.first == generation ? place.second + 1 : 0;
}

bool NonceTable::Opens(tls::ByteView record, int generation, uint64_t sequence) const {
  auto peer = tls::Load(peer_);
  if (!peer.ok()) std::abort();
  auto keys = tls::ReleaseKeys(*std::move(peer));
  if (!keys.ok()) std::abort();
  auto read = tls::RecordKeys::Create(std::move(keys->read), tls::AeadDirection::kOpen);
  if (!read.ok()) std::abort();
  uint64_t first = read->sequence();
  for (int i = 0; i < generation; ++i, first = 0) {
    if (!read->Update().ok()) return false;  // TLS 1.2
  }
  tls::RecordOpener opener(*std::move(read));
  opener.Rewind(first + sequence);
  tls::Bytes copy = tls::Copy(record);
  return opener.Open(copy).ok();
}

}  // namespace handfast::sim
