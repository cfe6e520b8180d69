#include "server/store/redis_store.h"

#include <array>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "server/store/limits.h"

namespace handfast::store {
namespace {

constexpr size_t kMaxStoredSize = kMaxValueSize + kEnvelopeOverhead;

absl::Status NotUsed(const char* why) {
  return absl::DataLossError(absl::StrCat("store: Redis gave back a value ", why,
                                          ", and it is not used: see who else "
                                          "writes there, or what restored it"));
}

absl::Status Unexpected(const ScriptReply& reply) {
  return absl::InternalError(absl::StrCat("store: the script in Redis answered '", reply.outcome,
                                          "', which this release does not know"));
}

std::optional<std::string> FreshId(tls::Randomness& randomness) {
  std::array<uint8_t, 16> bytes{};
  if (!randomness.Fill(bytes).ok()) return std::nullopt;
  return tls::ToHex(bytes);
}

// Whether the script changed anything.
bool Wrote(std::string_view what, std::string_view outcome) {
  return outcome == "done" || (what == "pop" && outcome != "absent");
}

std::string TextOf(tls::ByteView bytes) { return std::string(tls::AsText(bytes)); }

}  // namespace

RedisStore::RedisStore(RedisOptions options, std::string space, tls::AeadKey key,
                       const handshakes::Clock& clock, tls::Randomness& randomness)
    : clock_(clock),
      prefix_(absl::StrCat("handfast/", space, "/")),
      envelope_(std::move(key), std::move(space), randomness),
      randomness_(randomness),
      mark_(absl::StrCat("mark/", FreshId(randomness).value_or("none"))),
      pool_(std::move(options), clock) {}

std::string RedisStore::KeyName(std::string_view last) const {
  return std::string(prefix_).append(last);
}

absl::StatusOr<ScriptReply> RedisStore::Settle(const char* what,
                                               std::vector<std::string> incarnations) {
  std::optional<std::string> fresh = FreshId(randomness_);
  if (!fresh) return absl::InternalError("store: no randomness");
  std::vector<std::string> arguments{what};
  for (std::string& incarnation : incarnations) arguments.push_back(std::move(incarnation));
  arguments.push_back(*std::move(fresh));
  const std::array<std::string, 2> keys{KeyName("incarnation"), KeyName("epoch")};
  absl::StatusOr<ScriptReply> reply = pool_.Run(keys, arguments);
  if (reply.ok() && reply->outcome != "is") return Unexpected(*reply);
  return reply;
}

absl::StatusOr<Era> RedisStore::Current() {
  if (std::optional<Era> era = lineage_.Current(clock_.Now())) return *std::move(era);
  absl::StatusOr<ScriptReply> reply = Settle("open", {});
  for (int tries = 0; reply.ok() && tries < kMaxTries; ++tries) {
    const std::string incarnation = TextOf(reply->bytes);
    if (!incarnation.empty() && lineage_.Accept(incarnation, reply->epoch)) {
      return Era{.incarnation = incarnation, .epoch = reply->epoch, .mark = 0};
    }
    // Rolled back, or a store of before: it goes on as a new one, so that nothing in it lives on.
    reply = incarnation.empty() ? Settle("open", {}) : Settle("renew", {incarnation});
  }
  if (!reply.ok()) return reply.status();
  return absl::UnavailableError(
      "store: Redis changes its incarnation again and again: see who "
      "else writes to its keys");
}

absl::StatusOr<RedisStore::Answer> RedisStore::Run(const char* what, const Key& key,
                                                   const Arguments& arguments) {
  for (int tries = 0; tries < kMaxTries; ++tries) {
    const absl::StatusOr<Era> era = Current();
    if (!era.ok()) return era.status();
    Answer answer{.incarnation = era->incarnation,
                  .name = envelope_.NameOf(era->incarnation, key),
                  .known_generation = 0,
                  .reply = {}};
    answer.known_generation = recent_.Of(answer.name);
    const absl::StatusOr<std::vector<std::string>> more =
        arguments(era->incarnation, answer.known_generation);
    if (!more.ok()) return more.status();
    std::vector<std::string> all{what, era->incarnation, absl::StrCat(era->epoch),
                                 absl::StrCat(era->mark)};
    all.insert(all.end(), more->begin(), more->end());
    const std::array<std::string, 4> keys{KeyName("incarnation"), KeyName("epoch"),
                                          KeyName(answer.name), KeyName(mark_)};
    const handshakes::MonotonicTime asked = clock_.Now();
    absl::StatusOr<ScriptReply> reply = pool_.Run(keys, all);
    if (!reply.ok()) return reply.status();
    if (reply->outcome != "replaced" && reply->outcome != "behind") {
      if (Wrote(what, reply->outcome)) {
        lineage_.Wrote(era->incarnation, reply->epoch, asked);
      } else {
        lineage_.SawEpoch(era->incarnation, reply->epoch);
      }
      answer.reply = *std::move(reply);
      return answer;
    }
    lineage_.Leave(era->incarnation);
  }
  return absl::UnavailableError(
      "store: Redis is being replaced again and again: see who else "
      "writes to its keys");
}

absl::StatusOr<Value> RedisStore::Read(const Key& key, bool pops) {
  if (absl::Status status = CheckKey(key); !status.ok()) return status;
  const absl::StatusOr<Answer> answer =
      Run(pops ? "pop" : "get", key,
          [](const std::string&, uint64_t) -> absl::StatusOr<std::vector<std::string>> {
            return std::vector<std::string>{absl::StrCat(kMaxStoredSize)};
          });
  if (!answer.ok()) return answer.status();
  const ScriptReply& reply = answer->reply;
  if (reply.outcome == "absent") return NotFound();
  if (reply.outcome == "long") return NotUsed("larger than any put there");
  if (reply.outcome != "found") return Unexpected(reply);
  absl::StatusOr<Value> value = envelope_.Open(answer->incarnation, key, reply.bytes);
  if (!value.ok()) return value;
  if (value->generation < answer->known_generation) return NotUsed("older than one seen before");
  recent_.Saw(answer->name, pops ? RecentGenerations::kPopped : value->generation);
  return value;
}

absl::StatusOr<Value> RedisStore::Get(const Key& key) { return Read(key, false); }

absl::StatusOr<Value> RedisStore::Pop(const Key& key) { return Read(key, true); }

absl::Status RedisStore::Put(const Key& key, tls::ByteView value, TimeToLive time_to_live) {
  if (absl::Status status = CheckWrite(key, value, time_to_live); !status.ok()) return status;
  const absl::StatusOr<Answer> answer = Run(
      "put", key,
      [&](const std::string& incarnation, uint64_t) -> absl::StatusOr<std::vector<std::string>> {
        const absl::StatusOr<tls::Bytes> sealed = envelope_.Seal(incarnation, key, 1, value);
        if (!sealed.ok()) return sealed.status();
        return std::vector<std::string>{TextOf(*sealed), absl::StrCat(time_to_live.count())};
      });
  if (!answer.ok()) return answer.status();
  if (answer->reply.outcome == "exists") return AlreadyExists();
  if (answer->reply.outcome != "done") return Unexpected(answer->reply);
  recent_.Begins(answer->name);
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> RedisStore::CompareAndSwap(const Key& key, uint64_t generation,
                                                    tls::ByteView value, TimeToLive time_to_live) {
  if (absl::Status status = CheckWrite(key, value, time_to_live); !status.ok()) return status;
  const absl::StatusOr<Answer> answer =
      Run("swap", key,
          [&](const std::string& incarnation,
              uint64_t known) -> absl::StatusOr<std::vector<std::string>> {
            // Whatever Redis says now: it was more once.
            if (known == RecentGenerations::kPopped) return NotFound();
            if (known > generation) return LostTheSwap(generation, known);
            const absl::StatusOr<tls::Bytes> sealed =
                envelope_.Seal(incarnation, key, generation + 1, value);
            if (!sealed.ok()) return sealed.status();
            return std::vector<std::string>{TextOf(*sealed), absl::StrCat(time_to_live.count()),
                                            GenerationBytes(generation)};
          });
  if (!answer.ok()) return answer.status();
  const ScriptReply& reply = answer->reply;
  if (reply.outcome == "absent") return NotFound();
  if (reply.outcome == "other") return LostTheSwap(generation, GenerationFrom(reply.bytes));
  if (reply.outcome != "done") return Unexpected(reply);
  recent_.Saw(answer->name, generation + 1);
  return generation + 1;
}

}  // namespace handfast::store
