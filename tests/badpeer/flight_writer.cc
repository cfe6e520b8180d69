#include "tests/badpeer/flight_writer.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tls/wire/messages.h"

namespace handfast::tls::badpeer {
namespace {

// Any record that a header can speak of, too long ones included.
constexpr size_t kAnySize = 0xffff;

[[noreturn]] void Impossible(const char* why) {
  std::fprintf(stderr, "a script asks for what cannot be sent: %s\n", why);
  std::abort();
}

size_t FirstMessageSize(ByteView messages) {
  return kHandshakeHeaderSize +
         (size_t{messages[1]} << 16 | size_t{messages[2]} << 8 | size_t{messages[3]});
}

}  // namespace

FlightWriter::FlightWriter(Script script) : script_(std::move(script)) { sealers_.emplace_back(); }

void FlightWriter::Install(RecordKeys keys) { sealers_.emplace_back(std::move(keys)); }

void FlightWriter::Add(ContentType type, ByteView content) {
  // ChangeCipherSpec is never protected: RFC 8446 §5.
  const size_t epoch = type == ContentType::kChangeCipherSpec ? 0 : sealers_.size() - 1;
  if (type != ContentType::kHandshake) {
    next_.push_back({type, Copy(content), epoch});
    return;
  }
  while (!content.empty()) {
    const ByteView message = content.first(FirstMessageSize(content));
    next_.push_back({type, Copy(message), epoch});
    content = content.subspan(message.size());
  }
}

Bytes FlightWriter::Flush() {
  Bytes out;
  if (next_.empty()) return out;
  sound_.push_back(next_);
  for (const Edit& edit : script_) {
    if (edit.flight == sound_.size() - 1) edit.apply(next_);
  }
  sent_.push_back(std::exchange(next_, {}));
  for (const Outgoing& record : sent_.back()) Protect(record, out);
  return out;
}

void FlightWriter::Protect(const Outgoing& record, Bytes& out) {
  if (record.epoch >= sealers_.size()) Impossible("no such epoch");
  Bytes sealed;
  ContentType type = record.type;
  Bytes content = record.content;
  if (record.padding > 0) {
    // The sealer appends the content type as a byte: the last zero of the padding will do for it.
    content.push_back(static_cast<uint8_t>(type));
    content.resize(content.size() + record.padding - 1);
    type = ContentType{};
  }
  if (!sealers_[record.epoch].Seal(type, content, kAnySize, sealed).ok()) Impossible("no record");
  if (record.on_wire) record.on_wire(sealed);
  Append(out, sealed);
}

}  // namespace handfast::tls::badpeer
