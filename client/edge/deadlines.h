// Deadlines of one fixed length, in the order in which they come: adding, moving back and taking
// the earliest cost the same whatever their number.
#ifndef HANDFAST_CLIENT_EDGE_DEADLINES_H_
#define HANDFAST_CLIENT_EDGE_DEADLINES_H_

#include <cstdint>
#include <list>
#include <optional>

namespace handfast::edge {

class Deadlines {
 public:
  using Entry = std::list<uint32_t>::iterator;

  explicit Deadlines(int64_t length_ms) : length_ms_(length_ms) {}

  // Moves `entry` of any Deadlines' list here, to the end: its time begins now.
  void Arm(std::list<uint32_t>& from, Entry entry) { waiting_.splice(waiting_.end(), from, entry); }

  bool empty() const { return waiting_.empty(); }
  uint32_t first() const { return waiting_.front(); }
  int64_t length_ms() const { return length_ms_; }
  std::list<uint32_t>& list() { return waiting_; }

 private:
  const int64_t length_ms_;
  std::list<uint32_t> waiting_;
};

}  // namespace handfast::edge

#endif  // HANDFAST_CLIENT_EDGE_DEADLINES_H_
