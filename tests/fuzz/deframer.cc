// Cutting a stream into records. The first byte says whether the stream is at its start.
#include "tls/record/deframer.h"

#include "tests/fuzz/target.h"
#include "tls/record/protection.h"

namespace handfast::fuzz {
namespace {

using Peeked = tls::Result<std::optional<tls::RecordHeader>>;

bool Same(const Peeked& a, const Peeked& b) {
  if (a.ok() != b.ok()) return false;
  if (!a.ok()) return a.reason() == b.reason();
  if (a->has_value() != b->has_value()) return false;
  return !*a || ((*a)->type == (*b)->type && (*a)->version == (*b)->version &&
                 (*a)->length == (*b)->length);
}

// However few bytes have come, what is said of them stays true when more come.
void CheckPrefixes(ByteView stream, bool first_record) {
  const Peeked whole = tls::PeekRecord(stream, first_record);
  for (size_t size = 0; size <= tls::kRecordHeaderSize && size <= stream.size(); ++size) {
    const Bytes prefix = tls::Copy(stream.first(size));
    const Peeked peeked = tls::PeekRecord(prefix, Mutant("prefix") ? !first_record : first_record);
    if (peeked.ok() && !*peeked) continue;
    Require(Same(peeked, whole), "prefix");
  }
  // And a whole header is never too little.
  Require(stream.size() < tls::kRecordHeaderSize || !whole.ok() || whole->has_value(), "prefix");
}

void CheckHeader(ByteView stream, const tls::RecordHeader& header) {
  Bytes again = {static_cast<uint8_t>(header.type), static_cast<uint8_t>(header.version >> 8),
                 static_cast<uint8_t>(header.version), static_cast<uint8_t>(header.length >> 8),
                 static_cast<uint8_t>(header.length)};
  if (Mutant("header")) again[1] ^= 1;
  Require(tls::Equal(again, stream.first(tls::kRecordHeaderSize)), "header");
  const size_t most = Mutant("length") ? 0 : tls::kMaxCiphertext;
  Require(header.length <= most, "length");
}

}  // namespace

void OnInput(ByteView input) {
  Choices choices(input);
  bool first_record = (choices.U8() & 1) != 0;
  ByteView stream = choices.rest();
  while (true) {
    CheckPrefixes(stream, first_record);
    const Peeked peeked = tls::PeekRecord(stream, first_record);
    if (!peeked.ok() || !*peeked) return;
    CheckHeader(stream, **peeked);
    const size_t size = tls::kRecordHeaderSize + (*peeked)->length;
    if (stream.size() < size) return;
    stream = stream.subspan(size);
    first_record = false;
  }
}

}  // namespace handfast::fuzz
