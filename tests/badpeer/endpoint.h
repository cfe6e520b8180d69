// What two sides that meet have in common, whichever of them is under test.
#ifndef HANDFAST_TESTS_BADPEER_ENDPOINT_H_
#define HANDFAST_TESTS_BADPEER_ENDPOINT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/badpeer/script.h"
#include "tls/base/bytes.h"

namespace handfast::tls::badpeer {

class Endpoint {
 public:
  virtual ~Endpoint() = default;
  // A client's first bytes; a server has none.
  virtual Bytes Begin() { return {}; }
  // What it says to these bytes; nothing where it waits, or where it is over.
  virtual Bytes Receive(ByteView bytes) = 0;

  virtual bool established() const = 0;
  // The label of the reason why it ended; empty: it did not.
  virtual std::string reason() const = 0;
  // Under test: the alert that it sent. As the peer: the one that it received.
  virtual std::optional<uint8_t> alert() const = 0;
};

// The side that a script makes bad.
class Peer : public Endpoint {
 public:
  // What it would have sent without its script.
  virtual const std::vector<Flight>& sound() const = 0;
};

}  // namespace handfast::tls::badpeer

#endif  // HANDFAST_TESTS_BADPEER_ENDPOINT_H_
