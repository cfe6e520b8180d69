// Two ticket keys of one name: the corpus has tickets under one, the targets hold the other.
#ifndef HANDFAST_TESTS_FUZZ_TICKET_KEYS_H_
#define HANDFAST_TESTS_FUZZ_TICKET_KEYS_H_

#include <utility>
#include <vector>

#include "tls/engine/ticket.h"

namespace handfast::fuzz {

constexpr uint8_t kCorpusKey = 0xc0;
constexpr uint8_t kTargetKey = 0x7a;
inline const tls::ByteView kBinding = tls::AsBytes("tenant");

inline tls::TicketKeys TicketKeysOf(uint8_t byte) {
  std::vector<tls::TicketKey> keys(1);
  keys[0].name.fill('n');
  keys[0].key = *tls::AeadKey::From(tls::Bytes(32, byte));
  return tls::TicketKeys(std::move(keys));
}

}  // namespace handfast::fuzz

#endif  // HANDFAST_TESTS_FUZZ_TICKET_KEYS_H_
