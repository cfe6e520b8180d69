#include "server/rpc/relay_response.h"

#include <utility>

#include "server/rpc/established_view.h"
#include "server/rpc/key_release.h"
#include "server/rpc/message_view.h"
#include "server/rpc/status.h"

namespace handfast::rpc {

v1::RelayResponse ToProto(uint64_t tag, const handshakes::Handle& handle,
                          const handshakes::Reply& reply) {
  v1::RelayResponse response;
  if (!reply.encoded.empty()) {
    // It was written here, once.
    (void)response.ParseFromArray(reply.encoded.data(), static_cast<int>(reply.encoded.size()));
    response.set_tag(tag);
    response.set_to_peer(reply.to_peer.data(), reply.to_peer.size());
    return response;
  }
  response.set_tag(tag);
  if (!reply.to_peer.empty()) response.set_to_peer(reply.to_peer.data(), reply.to_peer.size());
  response.set_consumed(reply.consumed);
  for (const tls::TracedMessage& message : reply.messages) {
    Show(message, *response.add_messages());
  }
  if (const auto* done = std::get_if<handshakes::Done>(&reply.outcome)) {
    Show(*done, handle, *response.mutable_established());
  } else if (const auto* failed = std::get_if<handshakes::Failed>(&reply.outcome)) {
    Show(failed->failure, failed->detail, *response.mutable_failure());
  } else if (const auto* stopped = std::get_if<handshakes::Stopped>(&reply.outcome)) {
    *response.mutable_error() = ToProto(stopped->status);
  }
  return response;
}

tls::Bytes Encode(const handshakes::Handle& handle, const handshakes::Reply& reply) {
  v1::RelayResponse response = ToProto(0, handle, reply);
  tls::Bytes bytes(response.ByteSizeLong());
  response.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
  WipeKeys(response);
  return bytes;
}

v1::RelayResponse ErrorOf(uint64_t tag, const absl::Status& status) {
  v1::RelayResponse response;
  response.set_tag(tag);
  *response.mutable_error() = ToProto(status);
  return response;
}

v1::RelayResponse DrainNotice() {
  v1::RelayResponse response;
  response.mutable_drain();
  return response;
}

}  // namespace handfast::rpc
