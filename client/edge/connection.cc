#include "client/edge/connection.h"

#include <cstdio>
#include <utility>

namespace handfast::edge {
namespace {

using client::Pump;
using client::RpcStatus;
using tls::ByteView;

// What a client may still have under way when it is told the end; more is not waited for.
constexpr size_t kMaxLingerBytes = size_t{256} * 1024;
// A replica that drains, its successor that dies, and one more; then the service has a problem.
constexpr int kMaxRestarts = 3;

}  // namespace

Connection::Connection(Workplace& place, int fd, const Address& peer, uint64_t key, uint64_t tag)
    : place_(place),
      key_(key),
      tag_(tag),
      accepted_ms_(place.now_ms),
      phase_(place.options.accept_proxy_v2 ? Phase::kPreface : Phase::kHandshake),
      since_ms_(place.now_ms),
      peer_(peer) {
  if (!client_.Open(place.epoll_fd, fd, tag)) Finish(Ending::kClosedEarly);
}

void Connection::OnClientEvents(uint32_t events) {
  if (phase_ == Phase::kDone) return;
  client_.OnEvents(events);
  switch (phase_) {
    case Phase::kPreface:
    case Phase::kHandshake:
      if (!client_.Flush()) {
        OnClientGone();
        return;
      }
      ReadHandshake();
      return;
    case Phase::kForward:
      Forward();
      return;
    case Phase::kLinger:
      DrainLinger();
      return;
    case Phase::kConnect:
    case Phase::kDone:
      return;
  }
}

void Connection::OnBackendEvents(uint32_t events) {
  if (phase_ != Phase::kForward) return;
  backend_.OnEvents(events);
  Forward();
}

void Connection::OnTurn() {
  wants_turn_ = false;
  if (phase_ == Phase::kForward) Forward();
}

void Connection::ReadHandshake() {
  // One read takes what a flight can be.
  const std::span<uint8_t> room(place_.buffer.data(), kReadChunk);
  while ((phase_ == Phase::kPreface || phase_ == Phase::kHandshake) && client_.readable() &&
         pump_.wants_bytes()) {
    const auto read = client_.Read(room);
    switch (read.kind) {
      case StreamSocket::ReadResult::kBytes:
        if (phase_ == Phase::kPreface) {
          OnPreface(room.first(read.size));
        } else {
          OnFlight(room.first(read.size));
        }
        break;
      case StreamSocket::ReadResult::kNothing:
        return;
      case StreamSocket::ReadResult::kEnd:
      case StreamSocket::ReadResult::kBroken:
        OnClientGone();
        return;
    }
  }
}

void Connection::OnPreface(ByteView bytes) {
  tls::Append(preface_, bytes);
  ProxyHeader header;
  switch (ParseProxyHeader(preface_, header)) {
    case ProxyParse::kNeedMore:
      return;
    case ProxyParse::kMalformed:
      place_.log.Line(LogLevel::kInfo, "no PROXY v2 header from a client",
                      {{"peer", ToText(peer_)}});
      client_.Reset();
      Finish(Ending::kBadProxyHeader);
      return;
    case ProxyParse::kDone:
      break;
  }
  if (!header.is_local) {
    peer_ = header.source;
    destination_ = header.destination;
  }
  phase_ = Phase::kHandshake;
  const tls::Bytes whole = std::exchange(preface_, {});
  OnFlight(ByteView(whole).subspan(header.size));
}

void Connection::OnFlight(ByteView bytes) { Tell(pump_.OnTransport(bytes)); }

void Connection::Tell(const Pump::ToRelay& what) {
  switch (what.action) {
    case Pump::Action::kNothing:
      return;
    case Pump::Action::kStart:
      handle_ = place_.relay.Start(place_.inbox, key_, place_.start, ToText(peer_), what.bytes);
      return;
    case Pump::Action::kSend:
      place_.relay.Send(handle_, what.bytes);
      return;
    case Pump::Action::kPeerClosed:
      place_.relay.PeerClosed(handle_);
      return;
    case Pump::Action::kResume:
      handle_ = place_.relay.Resume(place_.inbox, key_, pump_.handshake(), pump_.seen());
      return;
  }
}

// The service still has the last word: why the handshake failed, or that it had just succeeded.
void Connection::OnClientGone() {
  if (std::exchange(client_gone_, true)) return;
  const Pump::ToRelay what = pump_.OnTransportEnd();
  if (what.action == Pump::Action::kNothing) {
    Finish(Ending::kClosedEarly);
  } else {
    Tell(what);
  }
}

void Connection::OnReply(client::RelayReply reply) {
  if (phase_ != Phase::kHandshake) return;
  if (place_.options.trace) {
    for (const auto& message : reply.messages) Trace(client::DrawMessage(message));
  }
  if (reply.outcome.index() != 3 && !pump_.OnConsumed(reply.consumed)) {
    place_.relay.Abort(handle_);
    reply.outcome =
        RpcStatus{client::RpcCode::kInternal, "the service used bytes it never got", {}, {}};
  }
  if (reply.outcome.index() == 0) Tell(pump_.OnReply(reply.handshake, reply.to_peer.size()));
  if (!reply.to_peer.empty()) {
    spoke_ = true;
    if (!client_.Write(tls::AsBytes(reply.to_peer))) OnClientGone();
    if (phase_ != Phase::kHandshake) return;
  }
  if (auto* established = std::get_if<client::EstablishedHandshake>(&reply.outcome)) {
    OnEstablished(std::move(*established));
  } else if (const auto* failure = std::get_if<v1::Failure>(&reply.outcome)) {
    OnFailure(*failure);
  } else if (const auto* status = std::get_if<RpcStatus>(&reply.outcome)) {
    OnServiceError(*status);
  } else {
    ReadHandshake();
  }
}

void Connection::OnEstablished(client::EstablishedHandshake established) {
  const v1::Established& info = *established.info;
  const std::string_view version =
      info.version() == v1::PROTOCOL_VERSION_TLS13 ? "TLSv1.3" : "TLSv1.2";
  CountHandshake(version, "established");
  if (place_.options.trace) {
    Trace(client::DrawEstablished(info));
    PrintTrace();
  }
  handle_ = {};
  connection_name_ = info.connection();
  auto records = client::CreateRecordLayer(std::move(established.keys), info.max_fragment());
  if (!records.ok()) {
    place_.log.Line(LogLevel::kError, "the service released no usable keys",
                    {{"peer", ToText(peer_)}, {"connection", connection_name_}});
    client_.Reset();
    Finish(Ending::kServiceFailed);
    return;
  }
  records_.emplace(*std::move(records));
  EnterPhase(Phase::kForward);
  ConnectBackend(info);
}

void Connection::OnFailure(const v1::Failure& failure) {
  CountHandshake("none", failure.reason());
  if (place_.options.trace) {
    Trace(client::DrawFailure(failure));
    PrintTrace();
  }
  place_.log.Line(LogLevel::kInfo, "handshake failed",
                  {{"peer", ToText(peer_)},
                   {"reason", failure.reason()},
                   {"alert", failure.alert_name()},
                   {"detail", failure.detail()}});
  Linger(Ending::kHandshakeFailed);
}

void Connection::OnServiceError(const RpcStatus& status) {
  // A service that drains or dies before it has begun has lost nothing: another begins. Later it
  // has lost nothing either, under a durable profile.
  // A stream that was lost may also have been quicker than the one that resumed it.
  const bool lost =
      status.code == client::RpcCode::kUnavailable || status.reason == "HANDSHAKE_TAKEN_OVER";
  if (lost && restarts_ < kMaxRestarts) {
    const Pump::ToRelay again = pump_.Restart();
    if (again.action != Pump::Action::kNothing) {
      ++restarts_;
      Tell(again);
      return;
    }
  }
  const std::string code = CodeName(status.code);
  CountHandshake("none", code);
  place_.log.Line(LogLevel::kWarning, "the service did not perform a handshake",
                  {{"peer", ToText(peer_)},
                   {"code", code},
                   {"reason", status.reason},
                   {"message", status.message}});
  // Behind the service's own records a plaintext one would only confuse.
  if (!spoke_) {
    const tls::Bytes alert = client::PlaintextAlert(tls::Alert::kInternalError);
    if (!client_.Write(alert)) client_gone_ = true;
  }
  Linger(Ending::kServiceFailed);
}

void Connection::CountHandshake(std::string_view version, std::string_view result) {
  const double seconds = static_cast<double>(place_.now_ms - accepted_ms_) / 1000;
  place_.metrics.OnHandshake(version, result, seconds);
}

void Connection::Trace(const client::Lines& lines) {
  if (trace_.empty()) {
    trace_.push_back("handshake with " + ToText(peer_));
    const client::Lines head = client::DrawHead();
    trace_.insert(trace_.end(), head.begin(), head.end());
  }
  trace_.insert(trace_.end(), lines.begin(), lines.end());
}

// Whole, so that the ladders of several handshakes do not mix.
void Connection::PrintTrace() {
  std::string text;
  for (const std::string& line : std::exchange(trace_, {})) text += line + '\n';
  text += '\n';
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void Connection::OnDeadline() {
  switch (phase_) {
    case Phase::kPreface:
    case Phase::kHandshake:
      // The service has a deadline too and would have said so with an alert: it is away, or the
      // client never said enough to start.
      place_.relay.Abort(handle_);
      if (pump_.started() && !spoke_) {
        (void)client_.Write(client::PlaintextAlert(tls::Alert::kInternalError));
      }
      Finish(Ending::kHandshakeTimeout);
      return;
    case Phase::kConnect:
      TryBackend();
      return;
    case Phase::kForward:
      client_.Reset();
      backend_.Reset();
      Finish(Ending::kIdleTimeout);
      return;
    case Phase::kLinger:
      Finish(ending_);
      return;
    case Phase::kDone:
      return;
  }
}

void Connection::Abandon() {
  if (phase_ == Phase::kDone) return;
  if (phase_ == Phase::kHandshake) place_.relay.Abort(handle_);
  client_.Reset();
  backend_.Reset();
  Finish(Ending::kDrained);
}

void Connection::EnterPhase(Phase phase) {
  phase_ = phase;
  since_ms_ = place_.now_ms;
}

// An alert that was just written is lost when the socket is closed with bytes unread: the client
// would see a reset instead.
void Connection::Linger(Ending ending) {
  ending_ = ending;
  if (client_gone_) {
    Finish(ending);
    return;
  }
  EnterPhase(Phase::kLinger);
  DrainLinger();
}

void Connection::DrainLinger() {
  if (!client_.Flush()) {
    Finish(ending_);
    return;
  }
  if (client_.pending() == 0) client_.ShutdownWrite();
  const std::span<uint8_t> room(place_.buffer.data(), kReadChunk);
  while (client_.readable() && lingered_ <= kMaxLingerBytes) {
    const auto read = client_.Read(room);
    if (read.kind == StreamSocket::ReadResult::kNothing) return;
    if (read.kind != StreamSocket::ReadResult::kBytes) {
      Finish(ending_);
      return;
    }
    lingered_ += read.size;
  }
  if (lingered_ > kMaxLingerBytes) Finish(ending_);
}

void Connection::Finish(Ending ending) {
  if (phase_ == Phase::kDone) return;
  phase_ = Phase::kDone;
  client_.Close();
  backend_.Close();
  records_.reset();
  if (!connection_name_.empty()) place_.relay.Terminate(connection_name_);
  place_.metrics.OnEnded(ending);
  if (place_.log.Wants(LogLevel::kDebug)) {
    place_.log.Line(
        LogLevel::kDebug, "connection ended",
        {{"peer", ToText(peer_)}, {"how", NameOf(ending)}, {"connection", connection_name_}});
  }
}

}  // namespace handfast::edge
