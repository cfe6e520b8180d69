// The other end of a RecordLayer: bare record protection, with which a test says whatever it likes,
// legal or not.
#ifndef HANDFAST_TESTS_TLS_RECORD_RECORD_PEER_H_
#define HANDFAST_TESTS_TLS_RECORD_RECORD_PEER_H_

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/record/protection.h"
#include "tls/record/record_layer.h"

namespace handfast::tls::test {

struct Heard {
  ContentType type{};
  Bytes content;
};

// Where the record layer begins to count.
struct Sequences {
  uint64_t write = 0;
  uint64_t read = 0;
};

class RecordPeer {
 public:
  // Both ends of a connection under fixed keys.
  static std::pair<RecordLayer, RecordPeer> Connect(CipherSuite suite,
                                                    RecordLayerOptions options = {},
                                                    Sequences sequences = {});

  // One record with this content.
  Bytes Say(ContentType type, ByteView content);
  Bytes SayData(std::string_view text);
  Bytes SayAlert(uint8_t level, Alert alert);
  // The KeyUpdate message, and new keys behind it.
  Bytes SayKeyUpdate(uint8_t request);
  // The same, without changing keys.
  static Bytes KeyUpdate(uint8_t request) { return {24, 0, 0, 1, request}; }

  // All records in `stream`; follows KeyUpdates. Empty where a record does not open.
  std::vector<Heard> Hear(Bytes stream);

 private:
  RecordPeer(RecordKeys write, RecordKeys read)
      : sealer_(std::move(write)), opener_(std::move(read)) {}
  RecordSealer sealer_;
  RecordOpener opener_;
};

// What a record layer made of a stream.
struct Outcome {
  std::string data;
  Bytes answers;
  std::vector<Bytes> tickets;
  size_t used = 0;
  std::optional<Reason> failure;
};
Outcome Open(RecordLayer& layer, Bytes stream);

// The order of a list's items is the order in which they are made.
Bytes All(std::initializer_list<Bytes> parts);

// It is the only record in `answers`.
void ExpectAlert(RecordPeer& peer, const Bytes& answers, uint8_t level, Alert alert);

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_RECORD_RECORD_PEER_H_
