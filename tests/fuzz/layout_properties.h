// What must hold of every layout: what is read is written as the very same bytes, and nothing may
// follow it.
#ifndef HANDFAST_TESTS_FUZZ_LAYOUT_PROPERTIES_H_
#define HANDFAST_TESTS_FUZZ_LAYOUT_PROPERTIES_H_

#include "tests/fuzz/target.h"
#include "tls/base/reader.h"

namespace handfast::fuzz {

template <class Message>
void CheckLayout(ByteView body, bool open_ended = false) {
  const auto message = tls::Parse<Message>(body);
  if (!message) return;
  Bytes again = tls::Serialize(*message);
  if (Mutant("round_trip")) again.push_back(0);
  Require(tls::Equal(again, body), "round_trip");
  if (open_ended) return;
  Bytes longer = tls::Copy(body);
  if (!Mutant("nothing_follows")) longer.push_back(0);
  Require(!tls::Parse<Message>(longer).has_value(), "nothing_follows");
}

}  // namespace handfast::fuzz

#endif  // HANDFAST_TESTS_FUZZ_LAYOUT_PROPERTIES_H_
