// Of a kept connection: its keys leave, and what stays when they have left.
#include <utility>

#include "server/access/error_details_interface.h"
#include "server/connections/kept_connection.h"

namespace handfast::connections {
namespace {

absl::Status Ended() { return access::NotFound("connection"); }

absl::Status Refused(std::string_view words, std::string_view reason) {
  return access::WithReason(
      absl::FailedPreconditionError(absl::string_view(words.data(), words.size())), reason);
}

absl::Status FromReason(tls::Reason reason) {
  if (reason == tls::Reason::kKeysNotReleasable) {
    return Refused("keys of AES-CBC are not released", "NOT_RELEASABLE");
  }
  return Refused("a side has said close_notify, or half a message of the peer's has come",
                 "RELEASE_IMPOSSIBLE");
}

bool IsTls13(const tls::Connection& connection) {
  return connection.agreed()->version == tls::ProtocolVersion::kTls13;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const KeyRelease>> KeptConnection::Release(
    KeyKind kind, const std::string& request_id) {
  std::lock_guard lock(mutex_);
  if (!connection_) return Ended();
  if (released_) {
    if (Repeats(release_, request_id)) return release_.reply;
    return Refused("the keys were released before", "KEYS_RELEASED");
  }
  if (kind == KeyKind::kTrafficSecrets && !IsTls13(*connection_)) {
    return Refused("TLS 1.2 has no traffic secrets", "NO_TRAFFIC_SECRETS");
  }
  auto release = std::make_shared<KeyRelease>();
  // Who has the keys next could not know that one is due.
  release->to_peer = std::exchange(undelivered_, {});
  if (tls::OwesKeyUpdate(*connection_)) {
    tls::Append(release->to_peer, Step(tls::UpdateKeys{}).to_peer);
  }
  if (absl::Status taken = TakeKeys(kind, *release); !taken.ok()) {
    undelivered_ = std::move(release->to_peer);
    return taken;
  }
  release->to_peer_offset = to_peer_;
  to_peer_ += release->to_peer.size();
  released_ = kind;
  has_released_ = true;
  seal_.last.reset();
  open_.last.reset();
  if (!request_id.empty()) release_ = {request_id, clock_.Now(), release};
  return release;
}

absl::Status KeptConnection::TakeKeys(KeyKind kind, KeyRelease& release) {
  if (kind == KeyKind::kTrafficKeys && IsTls13(*connection_)) {
    auto keys = tls::ReleaseGeneration(*connection_);
    if (!keys.ok()) return FromReason(keys.reason());
    release.keys = *std::move(keys);
  } else {
    auto keys = tls::ReleaseKeys(*connection_);
    if (!keys.ok()) return FromReason(keys.reason());
    release.keys = *std::move(keys);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const KeyUpdate>> KeptConnection::Update(
    bool write, bool request_update, const std::string& request_id) {
  std::lock_guard lock(mutex_);
  if (!connection_) return Ended();
  LastReply<KeyUpdate>& last = write ? write_update_ : read_update_;
  if (Repeats(last, request_id)) return last.reply;
  auto update = std::make_shared<KeyUpdate>();
  if (released_) {
    if (*released_ != KeyKind::kTrafficKeys || !IsTls13(*connection_)) {
      return Refused("the service knows no next keys", "NO_NEXT_KEYS");
    }
    auto keys = tls::NextGeneration(*connection_, write);
    if (!keys.ok()) return absl::InternalError("no next keys");
    update->keys = *std::move(keys);
  } else {
    if (!write) return Refused("the peer updates its own keys", "NO_NEXT_KEYS");
    tls::Output output = Step(tls::UpdateKeys{.request_update = request_update});
    // Worn-out sequence numbers: nothing can be said any more.
    if (output.failure) return Fail();
    if (output.refused) {
      return Refused("TLS 1.2 has no KeyUpdate, or close_notify was sent", "NO_NEXT_KEYS");
    }
    update->to_peer = std::exchange(undelivered_, {});
    tls::Append(update->to_peer, output.to_peer);
    update->to_peer_offset = to_peer_;
    to_peer_ += update->to_peer.size();
  }
  if (!request_id.empty()) last = {request_id, clock_.Now(), update};
  return update;
}

absl::Status KeptConnection::Fail() {
  connection_.reset();
  ended_ = true;
  ended_at_ = clock_.Now();
  return Ended();
}

absl::Status KeptConnection::Export(std::string_view label, tls::ByteView context,
                                    std::span<uint8_t> out) const {
  std::lock_guard lock(mutex_);
  if (!connection_) return Ended();
  if (tls::Export(*connection_, label, context, out).ok()) return absl::OkStatus();
  return Refused("of TLS 1.2 nothing is exported", "NO_EXPORTER");
}

template <class Reply>
bool KeptConnection::Repeats(const LastReply<Reply>& last, const std::string& request_id) const {
  return last.reply && !request_id.empty() && last.request_id == request_id &&
         clock_.Now() - last.at <= kReplyKept;
}

void KeptConnection::ForgetReleases(handshakes::MonotonicTime now) {
  const auto forget = [now](auto& last) {
    if (last.reply && now - last.at > kReplyKept) last.reply.reset();
  };
  forget(release_);
  forget(write_update_);
  forget(read_update_);
}

}  // namespace handfast::connections
