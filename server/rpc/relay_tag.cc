#include "server/rpc/relay_tag.h"

#include "tls/base/bytes.h"

namespace handfast::rpc {

void RelayStream::Tag::Run() {
  for (;;) {
    v1::RelayRequest request;
    {
      std::lock_guard lock(stream_->mutex_);
      if (inbox_.empty()) {
        scheduled_ = false;
        return;
      }
      request = std::move(inbox_.front());
      inbox_.pop_front();
    }
    Tell(request);
    stream_->OnProcessed(WeightOf(request));
  }
}

void RelayStream::Tag::Refuse(absl::Status status) {
  handshake_->Stop(std::move(status));
  Run();  // it has ended: this only takes what waits off the stream's account
}

void RelayStream::Tag::Tell(const v1::RelayRequest& request) {
  switch (request.event_case()) {
    case v1::RelayRequest::kStart:
      return handshake_->Begin(tls::AsBytes(request.start().from_peer()));
    case v1::RelayRequest::kFromPeer:
      return handshake_->FromPeer(tls::AsBytes(request.from_peer()));
    case v1::RelayRequest::kPeerClosed:
      return handshake_->PeerClosed();
    case v1::RelayRequest::kAbort:
      return handshake_->GiveUp(tls::Reason::kHandshakeAborted);
    case v1::RelayRequest::kResume:  // a tag's first request, which made it
    case v1::RelayRequest::EVENT_NOT_SET:
      return;
  }
}

}  // namespace handfast::rpc
