// The record layer of a thin client that was given its keys: protects and opens application data,
// follows KeyUpdate, answers alerts. Bytes in, bytes out; it owns no socket and no buffer. It is
// the one sealer of its connection from the hand-over on, in the server role.
#ifndef HANDFAST_CLIENT_CORE_RECORD_LAYER_H_
#define HANDFAST_CLIENT_CORE_RECORD_LAYER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/reason.h"
#include "tls/base/result.h"
#include "tls/record/protection.h"

namespace handfast::client {

// Both directions' keys as the service released them. Spent by RecordLayer::Create.
struct ReleasedKeys13 {
  tls::TrafficKeys13 write;
  tls::TrafficKeys13 read;
};
struct ReleasedKeys12 {
  tls::TrafficKeys12 write;
  tls::TrafficKeys12 read;
};
using ReleasedKeys = std::variant<std::monostate, ReleasedKeys13, ReleasedKeys12>;

class RecordLayer {
 public:
  // `max_fragment` is Established.max_fragment, 1 to 16384. kInternalError where there are no keys,
  // or they do not fit their suite.
  static tls::Result<RecordLayer> Create(ReleasedKeys keys, size_t max_fragment);

  struct Opened {
    // Bytes at the front of the stream that are spent; the rest is an unfinished record.
    size_t used = 0;
    // The connection is over, and `to_peer` has the alert where one is due.
    std::optional<tls::Reason> failure;
  };
  // Opens the whole records at the front of `stream` in place. Adds to `pieces` where application
  // data lies inside `stream`, in order, and to `to_peer` what must be sent in answer. Records
  // behind the peer's close_notify are spent and ignored.
  Opened Open(std::span<uint8_t> stream, std::vector<tls::ByteView>& pieces, tls::Bytes& to_peer);

  // Appends `plaintext` to `to_peer` as records. kSequenceExhausted: the keys are worn out and
  // TLS 1.2 has no others; Close() still works. kInternalError after Close() or a failure.
  tls::Result<void> Seal(tls::ByteView plaintext, tls::Bytes& to_peer);

  // Appends close_notify and closes the write side; the second call does nothing.
  void Close(tls::Bytes& to_peer);

  // Appends a fatal alert, where none and no close_notify went before, and closes the write side.
  void Abort(tls::Alert alert, tls::Bytes& to_peer);

  // The transport ended. kPeerClosed: the peer never said close_notify, so the data may be cut.
  tls::Result<void> OnTransportEnd() const;

  bool peer_closed() const { return peer_closed_; }
  bool write_closed() const { return write_closed_; }
  // After kPeerAlert: which one.
  std::optional<uint8_t> peer_alert() const { return peer_alert_; }

 private:
  RecordLayer(tls::ProtocolVersion version, size_t max_fragment, tls::RecordKeys write,
              tls::RecordKeys read);

  tls::Result<size_t> OpenOne(std::span<uint8_t> stream, std::vector<tls::ByteView>& pieces,
                              tls::Bytes& to_peer);
  tls::Result<void> OnRecord(const tls::OpenedRecord& record, std::vector<tls::ByteView>& pieces,
                             tls::Bytes& to_peer);
  tls::Result<void> OnAlert(tls::ByteView fragment);
  tls::Result<void> OnHandshake(tls::ByteView fragment, tls::Bytes& to_peer);
  tls::Result<void> OnKeyUpdate(tls::ByteView rest, tls::Bytes& to_peer);
  tls::Result<void> OnRenegotiation(tls::Bytes& to_peer);
  tls::Result<void> CountEmptyRecord();
  tls::Result<void> SendKeyUpdate(bool request, tls::Bytes& to_peer);
  tls::Result<void> RefreshKeys(tls::Bytes& to_peer);
  void SendAlert(uint8_t level, tls::Alert alert, tls::Bytes& to_peer);
  void Fail(tls::Reason reason, tls::Bytes& to_peer);
  bool is_tls13() const { return version_ == tls::ProtocolVersion::kTls13; }

  tls::ProtocolVersion version_;
  size_t max_fragment_;
  tls::RecordSealer sealer_;
  tls::RecordOpener opener_;

  // The handshake message that is arriving: its header and a KeyUpdate's only byte.
  uint8_t message_[5] = {};
  size_t message_size_ = 0;
  // TLS 1.2: how much of a ClientHello's body is still to be skipped.
  size_t skip_ = 0;

  int empty_records_ = 0;
  int warnings_ = 0;
  int key_updates_ = 0;
  int renegotiations_ = 0;
  bool update_asked_ = false;
  bool peer_closed_ = false;
  bool write_closed_ = false;
  bool failed_ = false;
  std::optional<uint8_t> peer_alert_;
  // Where a section asks for another alert than the reason's usual one.
  std::optional<tls::Alert> alert_instead_;
};

// A fatal alert in the clear, for a peer whose handshake died before it had any keys.
tls::Bytes PlaintextAlert(tls::Alert alert);

}  // namespace handfast::client

#endif  // HANDFAST_CLIENT_CORE_RECORD_LAYER_H_
