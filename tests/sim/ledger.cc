#include "tests/sim/ledger.h"

#include <algorithm>

namespace handfast::sim {

using tls::ByteView;
using tls::Equal;

void Ledger::Begin(const Handle& handle, tls::ProtocolVersion version) {
  const auto [story, is_new] = stories_.try_emplace(ToHex(handle));
  if (!is_new) Violated("two handshakes have one handle");
  story->second.version = version;
}

void Ledger::Step(const Handle& handle, uint64_t number, ByteView call, ByteView encoded,
                  ByteView to_peer) {
  Story& story = stories_[ToHex(handle)];
  const auto [told, is_new] = story.steps.try_emplace(
      number, ToldStep{tls::Copy(call), tls::Copy(encoded), tls::Copy(to_peer)});
  if (!is_new && !Equal(told->second.call, call)) {
    Violated("a step was accepted with two inputs");
  } else if (!is_new && !Equal(told->second.encoded, encoded)) {
    Violated("a step has two replies");
  }
  for (auto next = story.steps.find(story.in_stream + 1); next != story.steps.end();
       next = story.steps.find(story.in_stream + 1)) {
    ++story.in_stream;
    Stream(handle, story.stream.size(), next->second.to_peer);
  }
}

void Ledger::Stream(const Handle& handle, uint64_t position, ByteView to_peer) {
  Story& story = stories_[ToHex(handle)];
  if (position > story.stream.size()) {
    // Two replies before it were told to nobody.
    return Violated("bytes for the peer that do not follow what was told");
  }
  const size_t known = std::min(to_peer.size(), story.stream.size() - position);
  if (!Equal(to_peer.first(known), ByteView(story.stream).subspan(position, known))) {
    Violated("two different bytes at one position of a stream");
  }
  tls::Append(story.stream, to_peer.subspan(known));
  while (story.stream.size() >= story.parsed + 5) {
    const ByteView rest = ByteView(story.stream).subspan(story.parsed);
    const size_t size = 5 + (size_t{rest[3]} << 8 | rest[4]);
    if (rest.size() < size) break;
    story.parsed += size;
    const auto type = static_cast<tls::ContentType>(rest[0]);
    if (type == tls::ContentType::kApplicationData || story.protects) {
      Record(story, story.after++, rest.first(size));
    } else if (type == tls::ContentType::kChangeCipherSpec) {
      story.protects = story.version == tls::ProtocolVersion::kTls12;
    }
  }
}

void Ledger::Record(Story& story, size_t place, ByteView record) {
  if (story.records.size() <= place) story.records.resize(place + 1);
  tls::Bytes& told = story.records[place];
  if (told.empty()) told = tls::Copy(record);
  if (!Equal(told, record)) Violated("a key protected two records with one nonce");
}

void Ledger::Sealed(const Handle& handle, ByteView record) {
  Story& story = stories_[ToHex(handle)];
  Record(story, story.after, record);
}

void Ledger::Kept(const Handle& handle) {
  if (++stories_[ToHex(handle)].kept > 1) Violated("a connection is kept twice");
}

bool Ledger::ToldAnything(const Handle& handle) const {
  const auto found = stories_.find(ToHex(handle));
  return found != stories_.end() && !found->second.stream.empty();
}

}  // namespace handfast::sim
