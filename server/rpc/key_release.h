// The one place where record keys enter a reply, released under policy.
#ifndef HANDFAST_SERVER_RPC_KEY_RELEASE_H_
#define HANDFAST_SERVER_RPC_KEY_RELEASE_H_

#include <utility>

#include "handfast/v1/connections.pb.h"
#include "handfast/v1/handshake.pb.h"
#include "server/connections/records.h"
#include "tls/connection/connection.h"

namespace handfast::rpc {

// TLS 1.3: traffic_secrets. TLS 1.2: traffic_keys.
void Release(const tls::ReleasedKeys& keys, v1::Established& into);

void Release(const connections::KeyRelease& release, v1::ReleaseKeysResponse& into);
void Release(const tls::GenerationKeys& keys, v1::DirectionKeys& into);

// Overwrites what Release has set.
void WipeKeys(v1::Established& established);
void WipeKeys(v1::ReleaseKeysResponse& response);
void WipeKeys(v1::DirectionKeys& keys);
template <class Response>
void WipeKeys(Response& response) {
  if (response.has_established()) WipeKeys(*response.mutable_established());
}

// A reply that wipes the keys in it when it goes, sent or not.
class WipedResponse {
 public:
  explicit WipedResponse(v1::RelayResponse response) : response_(std::move(response)) {}
  WipedResponse(WipedResponse&&) = default;
  WipedResponse& operator=(WipedResponse&&) = delete;
  ~WipedResponse() { WipeKeys(response_); }
  v1::RelayResponse& get() { return response_; }

 private:
  v1::RelayResponse response_;
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_KEY_RELEASE_H_
