// A script: edits of the flights that a sound endpoint would have sent, applied before (or, where
// an edit says so, after) each record is protected. Places count from 0; an edit that finds nothing
// at its place ends the process, for a test whose edit did nothing would prove nothing.
//
//   Script script = {Swap({1, 0}), Split({1, 2}, {1, 3}), WrongEpoch({1, 3}, 0)};
#ifndef HANDFAST_TESTS_BADPEER_SCRIPT_H_
#define HANDFAST_TESTS_BADPEER_SCRIPT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/tls/wire/length_probe.h"
#include "tls/base/bytes.h"
#include "tls/base/registry.h"

namespace handfast::tls::badpeer {

// One record: each handshake message has one of its own until an edit splits or packs it.
struct Outgoing {
  ContentType type = ContentType::kHandshake;
  Bytes content;
  // The keys: 0 for none, then in the order in which this side got them.
  size_t epoch = 0;
  // TLS 1.3: zeros behind the content type.
  size_t padding = 0;
  // What is done to the record as it goes out, header and all.
  std::function<void(Bytes&)> on_wire = {};
};
using Flight = std::vector<Outgoing>;

struct Place {
  size_t flight = 0;
  size_t record = 0;
};

struct Edit {
  std::string what;
  size_t flight = 0;
  std::function<void(Flight&)> apply;
};
using Script = std::vector<Edit>;

// ---- Order.
Edit Drop(Place place);
// With the record behind it.
Edit Swap(Place place);
Edit Duplicate(Place place);
// Before the one at `place`, which may be the flight's end.
Edit InsertRecord(Place place, const Outgoing& record, size_t times = 1);

// ---- Records.
// Cuts the content, as far as it goes; what is left over is the last piece. A size of 0 is an empty
// record.
Edit Split(Place place, const std::vector<size_t>& sizes);
// One byte a record, in every handshake message of the flight.
Edit SplitAll(size_t flight);
// Neighbouring handshake messages under the same keys share one record.
Edit Pack(size_t flight);
Edit WrongEpoch(Place place, size_t epoch);
Edit Pad(Place place, size_t zeros);
Edit OnWire(Place place, const std::function<void(Bytes&)>& edit);

// ---- Contents.
// Any other edit of one record.
Edit Mutate(Place place, const std::string& what, const std::function<void(Outgoing&)>& edit);
Edit Replace(Place place, const Bytes& content);
Edit FlipBit(Place place, size_t bit);
Edit SetLength(Place place, const test::LengthField& field, uint64_t value);
// Sets the body's length in the message's header to what it is.
void FixHeader(Bytes& message);

// The first message of this type; ends the process where there is none.
Place Find(const std::vector<Flight>& flights, HandshakeType type);
bool IsMessage(const Outgoing& record, HandshakeType type);
std::string What(const Script& script);

}  // namespace handfast::tls::badpeer

#endif  // HANDFAST_TESTS_BADPEER_SCRIPT_H_
