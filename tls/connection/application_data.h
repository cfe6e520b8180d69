// One Step of a connection behind its handshake, for as long as its keys are here. Internal to
// tls/connection.
#ifndef HANDFAST_TLS_CONNECTION_APPLICATION_DATA_H_
#define HANDFAST_TLS_CONNECTION_APPLICATION_DATA_H_

#include "tls/connection/connection.h"
#include "tls/connection/state.h"

namespace handfast::tls {

class ApplicationData {
 public:
  ApplicationData(ConnectionState& state, Output& output) : state_(state), output_(output) {}

  void On(const Input& input);

 private:
  void OnBytes(ByteView bytes);
  void OnPlaintext(ByteView plaintext);
  void OnUpdateKeys(bool request_update);
  void OnPeerClosed();
  void OnGiveUp(Reason reason);
  void End(Reason reason);

  ConnectionState& state_;
  Output& output_;
};

// True for what a caller can only ask for behind the handshake.
bool IsApplicationInput(const Input& input);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CONNECTION_APPLICATION_DATA_H_
