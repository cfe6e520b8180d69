// The second half of connection.h: after the handshake.

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "client/edge/connection.h"

namespace handfast::edge {
namespace {

using tls::Alert;
using tls::ByteView;
using ReadResult = StreamSocket::ReadResult;

// One connection's turn in one direction: 256 KiB, then the others' turn.
constexpr int kChunksPerTurn = 4;
// What a client that does not read can make us keep of our answers to its KeyUpdates.
constexpr size_t kMaxUnreadAnswers = size_t{64} * 1024;

}  // namespace

void Connection::ConnectBackend(const v1::Established& info) {
  const Address* address = place_.options.router.Find(info.server_name());
  if (address == nullptr) {
    EndWithAlert(Alert::kUnrecognizedName, Ending::kNoRoute, "no route for this server name");
    return;
  }
  backend_address_ = address;
  connecting_since_ms_ = place_.now_ms;
  if (place_.options.send_proxy_v2) {
    // It goes with the client's first bytes where they are there already.
    backend_.Queue(MakeProxyHeader(info));
  }
  TryBackend();
}

void Connection::TryBackend() {
  EnterPhase(Phase::kForward);
  const int fd = Connect(*backend_address_);
  if (fd >= 0 && backend_.Open(place_.epoll_fd, fd, tag_ + 1)) return BeginForwarding();
  // A Unix socket with a full queue says so at once, where TCP would try again by itself.
  const bool full = backend_address_->is_unix() && errno == EAGAIN;
  if (full && place_.now_ms - connecting_since_ms_ < place_.options.handshake_timeout_ms) {
    EnterPhase(Phase::kConnect);
    return;
  }
  EndWithAlert(Alert::kInternalError, Ending::kBackendFailed, std::strerror(errno));
}

void Connection::BeginForwarding() {
  tls::Bytes rest = pump_.TakeRest();
  if (!rest.empty()) OnRecords(rest);
  if (client_gone_ && phase_ == Phase::kForward) OnClientEnd();
  if (phase_ == Phase::kForward) Forward();
}

tls::Bytes Connection::MakeProxyHeader(const v1::Established& info) const {
  ProxyTlsInfo tls_info;
  tls_info.version = info.version() == v1::PROTOCOL_VERSION_TLS13 ? "TLSv1.3" : "TLSv1.2";
  tls_info.cipher = info.cipher_suite();
  tls_info.server_name = info.server_name();
  tls_info.alpn = info.alpn();
  if (info.has_peer()) {
    tls_info.client_verified = true;
    tls_info.client_common_name = info.peer().common_name();
    if (!info.peer().uris().empty()) tls_info.client_uri = info.peer().uris(0);
  }
  Address destination;
  if (destination_) {
    destination = *destination_;
  } else {
    destination.size = sizeof destination.storage;
    if (getsockname(client_.fd(), destination.raw(), &destination.size) != 0) destination = {};
  }
  tls::Bytes header;
  AppendProxyHeader(peer_, destination, tls_info, header);
  return header;
}

// Moves what can be moved, in both directions.
void Connection::Forward() {
  since_ms_ = place_.now_ms;
  wants_turn_ = false;
  if (!client_.Flush()) {
    backend_.Reset();
    Finish(Ending::kClientBroken);
    return;
  }
  if (!backend_.Flush()) {
    OnBackendBroken();
    return;
  }
  Upload();
  if (phase_ == Phase::kForward) Download();
  if (phase_ == Phase::kForward) FinishDirections();
}

void Connection::Upload() {
  for (int turn = 0; turn < kChunksPerTurn; ++turn) {
    // Back pressure: nothing is read for a backend that has not taken what came before.
    if (phase_ != Phase::kForward || upload_done_ || client_gone_ || !client_.readable() ||
        backend_.pending() > 0 || client_.pending() > kMaxUnreadAnswers) {
      return;
    }
    const size_t kept = partial_.size();
    std::memcpy(place_.buffer.data(), partial_.data(), kept);
    const ReadResult read = client_.Read(std::span(place_.buffer).subspan(kept, kReadChunk));
    switch (read.kind) {
      case ReadResult::kBytes:
        partial_.clear();
        OnRecords(std::span(place_.buffer).first(kept + read.size));
        break;
      case ReadResult::kNothing:
        return;
      case ReadResult::kEnd:
        OnClientEnd();
        return;
      case ReadResult::kBroken:
        backend_.Reset();
        Finish(Ending::kClientBroken);
        return;
    }
  }
  wants_turn_ = wants_turn_ || client_.readable();
}

// `stream` is changed: records are opened where they lie.
void Connection::OnRecords(std::span<uint8_t> stream) {
  place_.pieces.clear();
  place_.answers.clear();
  const auto opened = records_->Open(stream, place_.pieces, place_.answers);
  if (!place_.answers.empty()) SendToClient(place_.answers);
  if (phase_ != Phase::kForward) return;
  if (opened.failure) {
    // What was whole before the failure is not passed on either: the stream is not to be trusted.
    place_.log.Line(LogLevel::kInfo, "a client broke the record protocol",
                    {{"peer", ToText(peer_)}, {"reason", tls::Describe(*opened.failure).label}});
    backend_.Reset();
    Linger(Ending::kBadRecord);
    return;
  }
  size_t plain = 0;
  for (const ByteView piece : place_.pieces) plain += piece.size();
  if (plain > 0) {
    place_.metrics.OnBytes(plain, 0);
    if (!backend_.Write(place_.pieces)) {
      OnBackendBroken();
      return;
    }
  }
  const auto rest = stream.subspan(opened.used);
  partial_.assign(rest.begin(), rest.end());
  if (records_->peer_closed()) upload_done_ = true;
}

// The client's transport ended. Without close_notify what came may be cut, and the backend must
// not take it for whole.
void Connection::OnClientEnd() {
  if (records_->OnTransportEnd().ok()) {
    upload_done_ = true;
    return;
  }
  backend_.Reset();
  Finish(Ending::kTruncated);
}

void Connection::Download() {
  tls::Bytes& sealed = place_.sealed;
  size_t used = 0;
  bool broken = false;
  for (int turn = 0; turn < kChunksPerTurn; ++turn) {
    if (download_done_ || client_.pending() > 0 || !backend_.readable()) break;
    const ReadResult read = backend_.Read(std::span(place_.buffer).first(kReadChunk));
    if (read.kind == ReadResult::kNothing) break;
    if (read.kind != ReadResult::kBytes) {
      broken = read.kind == ReadResult::kBroken;
      download_done_ = true;
      break;
    }
    backend_spoke_ = true;
    const auto bytes = ByteView(place_.buffer).first(read.size);
    place_.metrics.OnBytes(0, bytes.size());
    // It only grows: bytes that are about to be overwritten are not filled each time.
    const size_t room = used + records_->SealedRoom(bytes.size());
    if (sealed.size() < room) sealed.resize(room);
    const auto size = records_->SealInto(bytes, std::span(sealed).subspan(used));
    if (!size.ok()) {
      broken = true;
      break;
    }
    used += *size;
    if (used >= kReadChunk) {
      SendToClient(ByteView(sealed).first(used));
      used = 0;
      if (phase_ != Phase::kForward) return;
    }
    if (turn + 1 == kChunksPerTurn) wants_turn_ = wants_turn_ || backend_.readable();
  }
  if (download_done_ && !broken) {
    tls::Bytes closing;
    records_->Close(closing);
    sealed.resize(std::max(sealed.size(), used + closing.size()));
    std::copy(closing.begin(), closing.end(), sealed.begin() + static_cast<ptrdiff_t>(used));
    used += closing.size();
  }
  if (used > 0) SendToClient(ByteView(sealed).first(used));
  if (broken && phase_ == Phase::kForward) OnBackendBroken();
}

void Connection::SendToClient(ByteView bytes) {
  if (client_.Write(bytes)) return;
  backend_.Reset();
  Finish(Ending::kClientBroken);
}

// A broken backend must not look like a finished one: no close_notify, but an alert where nothing
// was said yet, and a reset where something was.
void Connection::OnBackendBroken() {
  const std::string error = std::strerror(errno);
  place_.log.Line(LogLevel::kWarning, "a backend failed",
                  {{"peer", ToText(peer_)}, {"error", error}});
  backend_.Close();
  if (!backend_spoke_) return Abort(Alert::kInternalError, Ending::kBackendFailed);
  client_.Reset();
  Finish(Ending::kBackendFailed);
}

// Half-close: an end that came in on one side goes out on the other once all before it has.
void Connection::FinishDirections() {
  const bool up = upload_done_ && backend_.pending() == 0;
  const bool down = download_done_ && client_.pending() == 0;
  if (up && down) {
    Finish(Ending::kClean);
    return;
  }
  if (up) backend_.ShutdownWrite();
  if (down) client_.ShutdownWrite();
}

void Connection::EndWithAlert(Alert alert, Ending ending, std::string_view why) {
  place_.log.Line(LogLevel::kWarning, "a connection found no backend",
                  {{"peer", ToText(peer_)}, {"how", NameOf(ending)}, {"error", why}});
  Abort(alert, ending);
}

void Connection::Abort(Alert alert, Ending ending) {
  tls::Bytes out;
  records_->Abort(alert, out);
  SendToClient(out);
  if (phase_ == Phase::kForward) Linger(ending);
}

}  // namespace handfast::edge
