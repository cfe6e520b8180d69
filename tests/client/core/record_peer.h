// The other end of a RecordLayer: the TLS client's record protection, with which a test says
// whatever it likes, legal or not.
#ifndef HANDFAST_TESTS_CLIENT_CORE_RECORD_PEER_H_
#define HANDFAST_TESTS_CLIENT_CORE_RECORD_PEER_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/core/record_layer.h"
#include "tls/base/bytes.h"
#include "tls/record/protection.h"

namespace handfast::test {

struct Heard {
  tls::ContentType type{};
  tls::Bytes content;
};

class RecordPeer {
 public:
  // Both ends of a connection under fixed keys.
  static std::pair<client::RecordLayer, RecordPeer> Connect(tls::CipherSuite suite,
                                                            size_t max_fragment = 16384,
                                                            uint64_t sequence = 0);

  // One record with this content.
  tls::Bytes Say(tls::ContentType type, tls::ByteView content);
  tls::Bytes SayData(std::string_view text);
  tls::Bytes SayAlert(uint8_t level, tls::Alert alert);
  // The KeyUpdate message, and new keys behind it.
  tls::Bytes SayKeyUpdate(uint8_t request);
  // The same, without changing keys.
  static tls::Bytes KeyUpdate(uint8_t request) { return {24, 0, 0, 1, request}; }

  // All records in `stream`; follows KeyUpdates. Empty where a record does not open.
  std::vector<Heard> Hear(tls::Bytes stream);

 private:
  RecordPeer(tls::RecordKeys write, tls::RecordKeys read)
      : sealer_(std::move(write)), opener_(std::move(read)) {}
  tls::RecordSealer sealer_;
  tls::RecordOpener opener_;
};

}  // namespace handfast::test

#endif  // HANDFAST_TESTS_CLIENT_CORE_RECORD_PEER_H_
