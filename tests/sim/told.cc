#include "tests/sim/told.h"

#include <cstdio>
#include <cstdlib>
#include <utility>
#include <variant>

#include "tls/base/secret_access.h"
#include "tls/engine/codec_fields.h"

namespace handfast::sim {
namespace {

using tls::SecretAccess;

template <class S>
S CopyOf(const S& secret) {
  return *S::From(SecretAccess::Open(secret));
}

tls::TrafficKeys CopyOf(const tls::TrafficKeys& keys) {
  if (const auto* of13 = std::get_if<tls::TrafficKeys13>(&keys)) {
    return tls::TrafficKeys13{
        .suite = of13->suite, .secret = CopyOf(of13->secret), .sequence = of13->sequence};
  }
  const auto& of12 = std::get<tls::TrafficKeys12>(keys);
  return tls::TrafficKeys12{.suite = of12.suite,
                            .key = CopyOf(of12.key),
                            .iv = CopyOf(of12.iv),
                            .sequence = of12.sequence,
                            .mac_key = CopyOf(of12.mac_key),
                            .encrypt_then_mac = of12.encrypt_then_mac};
}

template <class Io>
bool Fields(Io& io, tls::TrafficKeys& keys) {
  bool is13 = std::holds_alternative<tls::TrafficKeys13>(keys);
  if (!io.Flag(is13)) return false;
  if (is13) {
    auto of13 = std::holds_alternative<tls::TrafficKeys13>(keys)
                    ? std::get<tls::TrafficKeys13>(std::move(keys))
                    : tls::TrafficKeys13();
    const bool ok = io.Enum(of13.suite) && io.SecretBytes(of13.secret) && io.Number(of13.sequence);
    keys = std::move(of13);
    return ok;
  }
  auto of12 = std::holds_alternative<tls::TrafficKeys12>(keys)
                  ? std::get<tls::TrafficKeys12>(std::move(keys))
                  : tls::TrafficKeys12();
  const bool ok = io.Enum(of12.suite) && io.SecretBytes(of12.key) && io.SecretBytes(of12.iv) &&
                  io.Number(of12.sequence) && io.SecretBytes(of12.mac_key) &&
                  io.Flag(of12.encrypt_then_mac);
  keys = std::move(of12);
  return ok;
}

template <class Io>
bool Fields(Io& io, handshakes::NextStep& next) {
  auto content_type = static_cast<uint8_t>(next.message.content_type);
  auto type = static_cast<uint8_t>(next.message.type);
  if (!io.Number(content_type) || !io.Number(type) || !io.Flag(next.ours) || !io.Flag(next.held)) {
    return false;
  }
  next.message = {static_cast<tls::ContentType>(content_type),
                  static_cast<tls::HandshakeType>(type)};
  return true;
}

template <class Io>
bool Fields(Io& io, Told& told) {
  auto outcome = static_cast<uint8_t>(told.outcome);
  if (!io.Number(told.number) || !io.Blob(told.to_peer) || !io.Number(told.consumed) ||
      !io.Flag(told.need_more) ||
      !io.List(told.next, [&](handshakes::NextStep& next) { return Fields(io, next); }) ||
      !io.Blob(told.unconsumed) || !io.Number(outcome) || !io.Text(told.reason) ||
      !io.Enum(told.version) || !io.Enum(told.suite) || !io.Text(told.alpn)) {
    return false;
  }
  told.outcome = static_cast<Outcome>(outcome);
  return tls::Optional(io, told.keys, [&](tls::ReleasedKeys& keys) {
    return Fields(io, keys.write) && Fields(io, keys.read);
  });
}

Told From(const handshakes::Reply& reply) {
  Told told;
  told.to_peer = reply.to_peer;
  told.consumed = reply.consumed;
  if (const auto* done = std::get_if<handshakes::Done>(&reply.outcome)) {
    told.outcome = Outcome::kEstablished;
    told.version = done->established->version;
    told.suite = done->established->cipher_suite;
    told.alpn = done->established->alpn;
    if (done->keys) {
      told.keys =
          tls::ReleasedKeys{.write = CopyOf(done->keys->write), .read = CopyOf(done->keys->read)};
    }
  } else if (const auto* failed = std::get_if<handshakes::Failed>(&reply.outcome)) {
    told.outcome = Outcome::kFailed;
    told.reason = tls::Describe(failed->failure.reason).label;
  } else if (const auto* stopped = std::get_if<handshakes::Stopped>(&reply.outcome)) {
    told.outcome = Outcome::kStopped;
    told.reason = absl::StatusCodeToString(stopped->status.code());
  }
  return told;
}

tls::Bytes Written(Told told) {
  tls::Bytes bytes;
  tls::SaveFields io(bytes);
  if (!Fields(io, told)) std::abort();
  return bytes;
}

}  // namespace

tls::Bytes Encode(const handshakes::Reply& reply) { return Written(From(reply)); }

tls::Bytes Encode(const handshakes::StepReply& reply) {
  Told told = From(reply.reply);
  told.number = reply.number;
  told.need_more = reply.need_more;
  told.next = reply.next;
  told.unconsumed = reply.unconsumed;
  return Written(std::move(told));
}

Told Decode(tls::ByteView encoded) {
  Told told;
  tls::Reader reader(encoded);
  tls::LoadFields io(reader);
  if (!Fields(io, told) || !reader.done()) {
    std::fprintf(stderr, "a reply of the simulation cannot be read\n");
    std::abort();
  }
  return told;
}

}  // namespace handfast::sim
