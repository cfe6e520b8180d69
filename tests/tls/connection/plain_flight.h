// A flight in the clear, taken apart into its handshake messages, changed, and put together again.
#ifndef HANDFAST_TESTS_TLS_CONNECTION_PLAIN_FLIGHT_H_
#define HANDFAST_TESTS_TLS_CONNECTION_PLAIN_FLIGHT_H_

#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tls/base/bytes.h"
#include "tls/record/protection.h"
#include "tls/wire/messages.h"

namespace handfast::tls::test {

class PlainFlight {
 public:
  explicit PlainFlight(ByteView records) {
    Bytes stream;
    while (records.size() >= kRecordHeaderSize) {
      const size_t length = size_t{records[3]} << 8 | records[4];
      Append(stream, records.subspan(kRecordHeaderSize, length));
      records = records.subspan(kRecordHeaderSize + length);
    }
    for (ByteView rest(stream); !rest.empty();) {
      const size_t length =
          kHandshakeHeaderSize + (size_t{rest[1]} << 16 | size_t{rest[2]} << 8 | rest[3]);
      messages_.push_back(Copy(rest.first(length)));
      rest = rest.subspan(length);
    }
  }

  // Reads the message as an M, changes it and writes it anew.
  template <class M, class Change>
  void Edit(size_t index, const Change& change) {
    const Bytes before = messages_.at(index);
    auto message = Parse<M>(ByteView(before).subspan(kHandshakeHeaderSize));
    ASSERT_TRUE(message);
    change(*message);
    Bytes after;
    ASSERT_TRUE(AppendMessage(after, *message));
    messages_[index] = std::move(after);
  }
  void Drop(size_t index) { messages_.erase(At(index)); }
  void Double(size_t index) { messages_.insert(At(index), Bytes(messages_[index])); }
  void Swap(size_t a, size_t b) { std::swap(messages_.at(a), messages_.at(b)); }
  void Insert(size_t index, Bytes message) { messages_.insert(At(index), std::move(message)); }

  size_t size() const { return messages_.size(); }
  const Bytes& operator[](size_t index) const { return messages_.at(index); }

  // One record a message.
  Bytes Records() const {
    Bytes out;
    for (const Bytes& message : messages_) {
      const auto size = message.size();
      Append(out, Bytes{22, 3, 3, static_cast<uint8_t>(size >> 8), static_cast<uint8_t>(size)});
      Append(out, message);
    }
    return out;
  }

 private:
  std::vector<Bytes>::iterator At(size_t index) {
    return messages_.begin() + static_cast<std::ptrdiff_t>(index);
  }
  std::vector<Bytes> messages_;
};

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CONNECTION_PLAIN_FLIGHT_H_
