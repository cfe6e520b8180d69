// One client's connection, from accept to close: PROXY header, relayed handshake, then records on
// one side and plain bytes on the other. Driven by its worker; it never blocks.
#ifndef HANDFAST_CLIENT_EDGE_CONNECTION_H_
#define HANDFAST_CLIENT_EDGE_CONNECTION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/core/ladder.h"
#include "client/core/pump.h"
#include "client/core/record_layer.h"
#include "client/core/relay.h"
#include "client/edge/proxy_protocol.h"
#include "client/edge/stream_socket.h"
#include "client/edge/workplace.h"

namespace handfast::edge {

class Connection {
 public:
  enum class Phase : uint8_t {
    kPreface,    // waits for the PROXY header
    kHandshake,  // bytes go to the relay and come from there
    kConnect,    // waits for room in the queue of a backend's socket
    kForward,    // records to plain bytes and back
    kLinger,     // said its last word; waits for the client to have read it
    kDone,
  };

  // `key` names it in the inbox; its sockets' events carry `tag` and `tag + 1`.
  Connection(Workplace& place, int fd, const Address& peer, uint64_t key, uint64_t tag);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void OnClientEvents(uint32_t events);
  void OnBackendEvents(uint32_t events);
  void OnReply(client::RelayReply reply);
  // Its phase has lasted too long.
  void OnDeadline();
  // The worker's turn for it, asked for by wants_turn().
  void OnTurn();
  // The drain's time is over.
  void Abandon();

  Phase phase() const { return phase_; }
  uint64_t key() const { return key_; }
  bool wants_turn() const { return wants_turn_; }
  // When its phase, or in kForward its last traffic, began.
  int64_t since_ms() const { return since_ms_; }

 private:
  // Handshake (connection.cc).
  void ReadHandshake();
  void OnPreface(tls::ByteView bytes);
  void OnFlight(tls::ByteView bytes);
  void OnClientGone();
  void Tell(const client::Pump::ToRelay& what);
  void OnEstablished(client::EstablishedHandshake established);
  void OnFailure(const v1::Failure& failure);
  void OnServiceError(const client::RpcStatus& status);
  void CountHandshake(std::string_view version, std::string_view result);
  void Trace(const client::Lines& lines);
  void PrintTrace();

  // Forwarding (forward.cc).
  void ConnectBackend(const v1::Established& info);
  void TryBackend();
  void BeginForwarding();
  tls::Bytes MakeProxyHeader(const v1::Established& info) const;
  void Forward();
  void Upload();
  void Download();
  void OnRecords(std::span<uint8_t> stream);
  void OnClientEnd();
  void OnBackendBroken();
  void SendToClient(tls::ByteView bytes);
  void FinishDirections();
  void EndWithAlert(tls::Alert alert, Ending ending, std::string_view why);
  void Abort(tls::Alert alert, Ending ending);

  // The end (connection.cc).
  void EnterPhase(Phase phase);
  void Linger(Ending ending);
  void DrainLinger();
  void Finish(Ending ending);

  Workplace& place_;
  const uint64_t key_;
  const uint64_t tag_;
  const int64_t accepted_ms_;
  Phase phase_;
  bool wants_turn_ = false;
  int64_t since_ms_;
  Address peer_;
  std::optional<Address> destination_;  // from a PROXY header

  StreamSocket client_;
  StreamSocket backend_;

  tls::Bytes preface_;
  client::Pump pump_;
  client::RelayHandle handle_;
  bool client_gone_ = false;  // its end was seen while the handshake ran
  bool spoke_ = false;        // bytes for the client went out
  int restarts_ = 0;
  client::Lines trace_;

  const Address* backend_address_ = nullptr;  // of the options' router
  int64_t connecting_since_ms_ = 0;
  bool backend_spoke_ = false;
  std::optional<client::RecordLayer> records_;
  std::string connection_name_;
  tls::Bytes partial_;          // the beginning of a record
  bool upload_done_ = false;    // the client said close_notify
  bool download_done_ = false;  // the backend ended, and close_notify is said
  size_t lingered_ = 0;
  Ending ending_ = Ending::kClean;
};

}  // namespace handfast::edge

#endif  // HANDFAST_CLIENT_EDGE_CONNECTION_H_
