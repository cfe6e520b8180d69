// Gathers what one side sends into flights, lets the script edit them, and protects them: with any
// of the keys that the side ever had, for the script may want the wrong ones.
#ifndef HANDFAST_TESTS_BADPEER_FLIGHT_WRITER_H_
#define HANDFAST_TESTS_BADPEER_FLIGHT_WRITER_H_

#include <vector>

#include "tests/badpeer/script.h"
#include "tls/record/protection.h"

namespace handfast::tls::badpeer {

class FlightWriter {
 public:
  explicit FlightWriter(Script script);

  // The keys of what is added from here on.
  void Install(RecordKeys keys);
  // Of handshake type: whole messages, each of which gets a record of its own.
  void Add(ContentType type, ByteView content);
  // Edits and protects what was added since the last one: a flight, unless it is empty.
  Bytes Flush();

  // As they were added, and as they were sent.
  const std::vector<Flight>& sound() const { return sound_; }
  const std::vector<Flight>& sent() const { return sent_; }

 private:
  void Protect(const Outgoing& record, Bytes& out);

  Script script_;
  std::vector<RecordSealer> sealers_;
  Flight next_;
  std::vector<Flight> sound_;
  std::vector<Flight> sent_;
};

}  // namespace handfast::tls::badpeer

#endif  // HANDFAST_TESTS_BADPEER_FLIGHT_WRITER_H_
