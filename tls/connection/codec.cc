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
// 1 and 2, which no release wrote, are refused: the peer of a handshake that was saved in them
// begins again.
constexpr uint8_t kVersion = 3;
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
  return io.Flag(s.trace) &&
         Optional(io, s.version, [&](ProtocolVersion& v) { return io.Enum(v); }) &&
         io.Number(s.max_fragment) && io.Number(s.max_plaintext) && io.Blob(s.input) &&
         io.Blob(s.messages) && io.Number(s.consumed) && io.Number(s.early_data_left) &&
         io.Number(s.compatibility_change_cipher_specs) && io.Number(s.warning_alerts);
}

bool SaveAll(SaveFields& io, ConnectionState& s) {
  const bool plain = Plain(io, s) && SaveKeys(io, s.sealer.keys()) && SaveKeys(io, s.opener.keys());
  const bool armed = plain && Optional(io, s.armed, [&](ArmedKeys& a) {
                       return SaveTrafficKeys(io, std::move(a.keys)) && io.Number(a.max_plaintext);
                     });
  return armed && Optional(io, s.question, [&](Question& q) { return SaveQuestion(io, q); }) &&
         SaveState(io, std::move(s.engine));
}

bool LoadAll(LoadFields& io, ConnectionState& s) {
  const bool plain = Plain(io, s) && LoadKeys(io, AeadDirection::kSeal, s.sealer) &&
                     LoadKeys(io, AeadDirection::kOpen, s.opener);
  const bool armed = plain && Optional(io, s.armed, [&](ArmedKeys& a) {
                       return LoadTrafficKeys(io, a.keys) && io.Number(a.max_plaintext);
                     });
  return armed && s.max_fragment != 0 &&
         Optional(io, s.question, [&](Question& q) { return LoadQuestion(io, q); }) &&
         LoadState(io, s.engine);
}

}  // namespace

Result<Bytes> Save(Connection spent) {
  if (spent.failed()) return Reason::kInternalError;
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
