// The saved form of a connection: "HFC", a version byte, the fields, and a digest against
// accidents (sealing against malice is the store's). See tls/engine/README.md.
#include <utility>

#include "tls/connection/connection.h"
#include "tls/connection/state.h"
#include "tls/crypto/hash.h"
#include "tls/engine/state_codec.h"

namespace handfast::tls {
namespace {

constexpr uint8_t kMagic[] = {'H', 'F', 'C'};
// 1 to 4, which no release wrote, are refused: the peer of a handshake that was saved in them
// begins again.
constexpr uint8_t kVersion = 5;
constexpr size_t kPrefix = sizeof(kMagic) + 1;
constexpr size_t kChecksum = 16;

bool SaveKeys(SaveFields& io, RecordKeys* keys) {
  bool present = keys != nullptr;
  return io.Flag(present) && (!present || SaveTrafficKeys(io, std::move(*keys).Release()));
}

// Fills a sealer or an opener.
template <class Half>
bool LoadKeys(LoadFields& io, AeadDirection direction, Half& half) {
  bool present = false;
  if (!io.Flag(present)) return false;
  if (!present) return true;
  TrafficKeys keys;
  if (!LoadTrafficKeys(io, keys)) return false;
  Result<RecordKeys> created = RecordKeys::Create(std::move(keys), direction);
  if (!created.ok()) return false;
  half.Install(*std::move(created));
  return true;
}

template <class Io>
bool Plain(Io& io, ConnectionState& s) {
  return io.Flag(s.trace) && io.Flag(s.stepwise) && io.Flag(s.as_client) &&
         Optional(io, s.version, [&](ProtocolVersion& v) { return io.Enum(v); }) &&
         io.Number(s.max_fragment) && io.Number(s.max_plaintext) && io.Blob(s.input) &&
         io.Blob(s.messages) && io.Number(s.consumed) && io.Number(s.early_data_left) &&
         io.Number(s.compatibility_change_cipher_specs) && io.Number(s.warning_alerts) &&
         io.Number(s.empty_records);
}

template <class Io>
bool Fields(Io& io, RecordLayerState& s) {
  return io.Blob(s.message) && io.Number(s.skip) && io.Number(s.empty_records) &&
         io.Number(s.key_updates) && io.Number(s.new_session_tickets) && io.Number(s.warnings) &&
         io.Number(s.renegotiations) && io.Flag(s.update_asked) && io.Flag(s.update_due) &&
         io.Flag(s.peer_closed) && io.Flag(s.write_closed);
}

// The keys are those of the handshake, or of the record layer that follows it.
bool SaveRecords(SaveFields& io, ConnectionState& s) {
  bool after = s.records.has_value();
  return SaveKeys(io, after ? &s.records->write_keys() : s.sealer.keys()) &&
         SaveKeys(io, after ? &s.records->read_keys() : s.opener.keys()) && io.Flag(after) &&
         (!after || Fields(io, s.records->state()));
}

bool LoadRecords(LoadFields& io, ConnectionState& s) {
  bool after = false;
  if (!LoadKeys(io, AeadDirection::kSeal, s.sealer) ||
      !LoadKeys(io, AeadDirection::kOpen, s.opener) || !io.Flag(after)) {
    return false;
  }
  if (!after) return true;
  RecordLayerState state;
  if (!s.sealer.encrypted() || !s.opener.encrypted() || !Fields(io, state) ||
      !IsUnfinished(state.message)) {
    return false;
  }
  s.records.emplace(std::exchange(s.sealer, {}), std::exchange(s.opener, {}), s.record_options(),
                    std::move(state));
  return true;
}

bool SaveAll(SaveFields& io, ConnectionState& s) {
  const bool plain = Plain(io, s) && SaveRecords(io, s);
  const bool armed = plain && Optional(io, s.armed, [&](ArmedKeys& a) {
                       return SaveTrafficKeys(io, std::move(a.keys)) && io.Number(a.max_plaintext);
                     });
  return armed && Optional(io, s.question, [&](Question& q) { return SaveQuestion(io, q); }) &&
         SaveState(io, std::move(s.engine));
}

bool LoadAll(LoadFields& io, ConnectionState& s) {
  const bool plain = Plain(io, s) && s.max_fragment != 0 && LoadRecords(io, s);
  const bool armed = plain && Optional(io, s.armed, [&](ArmedKeys& a) {
                       return LoadTrafficKeys(io, a.keys) && io.Number(a.max_plaintext);
                     });
  return armed && Optional(io, s.question, [&](Question& q) { return LoadQuestion(io, q); }) &&
         LoadState(io, s.engine) &&
         (std::holds_alternative<Connected>(s.engine)
              ? !s.sealer.encrypted() && !s.opener.encrypted()
              : !s.records.has_value());
}

}  // namespace

Result<Bytes> Save(Connection spent) {
  if (spent.failed() || ConnectionAccess::Of(spent).ratchet) return Reason::kInternalError;
  Bytes saved(std::begin(kMagic), std::end(kMagic));
  saved.push_back(kVersion);
  SaveFields io(saved);
  if (!SaveAll(io, ConnectionAccess::Of(spent))) return Reason::kInternalError;
  Append(saved, Hash(HashAlgorithm::kSha256, saved).view().first(kChecksum));
  return saved;
}

Result<Connection> Load(ByteView saved) {
  if (saved.size() < kPrefix + kChecksum || !Equal(saved.first(sizeof(kMagic)), kMagic) ||
      saved[sizeof(kMagic)] != kVersion) {
    return Reason::kDecodeError;
  }
  const ByteView body = saved.first(saved.size() - kChecksum);
  if (!Equal(Hash(HashAlgorithm::kSha256, body).view().first(kChecksum), saved.last(kChecksum))) {
    return Reason::kDecodeError;
  }
  auto state = std::make_unique<ConnectionState>();
  Reader reader(body.subspan(kPrefix));
  LoadFields io(reader);
  if (!LoadAll(io, *state) || !reader.done()) return Reason::kDecodeError;
  return ConnectionAccess::Make(std::move(state));
}

}  // namespace handfast::tls
