#include "server/store/limits.h"

#include "absl/strings/str_cat.h"

namespace handfast::store {
namespace {

absl::Status CheckName(const char* what, std::string_view name) {
  if (!name.empty() && name.size() <= kMaxNameSize) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("store: a key's ", what, " has ", name.size(),
                                                 " bytes: give 1 to ", kMaxNameSize));
}

}  // namespace

absl::Status CheckKey(const Key& key) {
  absl::Status status = CheckName("tenant", key.tenant);
  return status.ok() ? CheckName("handle", key.handle) : status;
}

absl::Status CheckWrite(const Key& key, tls::ByteView value, TimeToLive time_to_live) {
  if (absl::Status status = CheckKey(key); !status.ok()) return status;
  if (value.size() > kMaxValueSize) {
    return absl::InvalidArgumentError(absl::StrCat("store: a value of ", value.size(),
                                                   " bytes: give ", kMaxValueSize, " at most"));
  }
  if (time_to_live <= TimeToLive::zero() || time_to_live > kMaxTimeToLive) {
    return absl::InvalidArgumentError(absl::StrCat("store: a time to live of ",
                                                   time_to_live.count(), " ms: give 1 to ",
                                                   kMaxTimeToLive.count()));
  }
  return absl::OkStatus();
}

absl::Status NotFound() { return absl::NotFoundError("store: no such entry, or no longer"); }

absl::Status AlreadyExists() {
  return absl::AlreadyExistsError("store: the key is taken: draw another handle");
}

absl::Status LostTheSwap(uint64_t expected, uint64_t found) {
  return absl::AbortedError(absl::StrCat("store: generation ", expected, " was replaced, ", found,
                                         " is there now: get it, and go on from that"));
}

}  // namespace handfast::store
