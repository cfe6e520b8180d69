// Every (key, nonce) of one direction of one connection, and the one record that it protects. It
// knows the keys as the peer does.
#ifndef HANDFAST_TESTS_SIM_NONCE_TABLE_H_
#define HANDFAST_TESTS_SIM_NONCE_TABLE_H_

#include <cstdint>
#include <map>
#include <utility>

#include "tls/base/bytes.h"

namespace handfast::sim {

class NonceTable {
 public:
  // `peer`: a saved connection that can read the records.
  explicit NonceTable(tls::Bytes peer) : peer_(std::move(peer)) {}

  // The whole records in `to_peer`, whether they reach anybody or not. False: one of them has the
  // key and nonce of another, or none of the peer's.
  bool Add(tls::ByteView to_peer);
  size_t size() const { return records_.size(); }

 private:
  bool AddOne(tls::ByteView record);
  // Behind the last number of this generation that was seen.
  uint64_t EndOf(int generation) const;
  // Whether it opens as number `sequence` under this generation of keys.
  bool Opens(tls::ByteView record, int generation, uint64_t sequence) const;

  const tls::Bytes peer_;
  std::map<std::pair<int, uint64_t>, tls::Bytes> records_;
  int generations_ = 1;
};

}  // namespace handfast::sim

#endif  // HANDFAST_TESTS_SIM_NONCE_TABLE_H_
