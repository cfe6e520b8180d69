// Records after the handshake, both directions of one connection: application data, KeyUpdate
// (RFC 8446 §4.6.3) and the limits that call for it, alerts, and the refusal of all else. Bytes in,
// bytes out; it owns no socket and no buffer. Whoever has the keys runs it, and is then the one
// sealer of the connection: the service, or a thin client that the keys were released to.
#ifndef HANDFAST_TLS_RECORD_RECORD_LAYER_H_
#define HANDFAST_TLS_RECORD_RECORD_LAYER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/reason.h"
#include "tls/base/result.h"
#include "tls/record/protection.h"

namespace handfast::tls {

// Legal, useless, and each costs a decryption: no peer needs many in a row.
constexpr int kMaxEmptyRecords = 32;
// Each costs us a key schedule; more without application data in between is a flood.
constexpr int kMaxKeyUpdates = 32;
// As a client; each costs us a derivation and the memory of a session. Without data in between.
constexpr int kMaxNewSessionTickets = 32;
// Warnings change nothing; a peer that goes on warning wants our time (BoringSSL's number).
constexpr int kMaxWarnings = 4;
// One refusal is courtesy (RFC 5246 §7.2.2); a peer that asks again does not listen.
constexpr int kMaxRenegotiations = 1;

// What is fixed by the handshake.
struct RecordLayerOptions {
  bool as_client = false;
  size_t max_fragment = kMaxPlaintext;   // what the peer takes (RFC 8449), 1 to 16384
  size_t max_plaintext = kMaxPlaintext;  // what we advertised
};

// What is remembered between records, keys aside.
struct RecordLayerState {
  Bytes message;  // of the peer's handshake message that is arriving
  // TLS 1.2: bytes of a renegotiation's message that are still to be passed over.
  uint64_t skip = 0;
  // In a row, and without application data in between.
  uint8_t empty_records = 0;
  uint8_t key_updates = 0;
  uint8_t new_session_tickets = 0;
  // In all.
  uint8_t warnings = 0;
  uint8_t renegotiations = 0;
  bool update_asked = false;  // ours; the peer has not answered yet
  bool update_due = false;    // the peer's; to be answered before our next application data
  bool peer_closed = false;
  bool write_closed = false;
};

// True for what RecordLayerState::message may be.
bool IsUnfinished(ByteView message);

class RecordLayer {
 public:
  // Both halves have keys, of one version.
  RecordLayer(RecordSealer&& sealer, RecordOpener&& opener, RecordLayerOptions options,
              RecordLayerState state = {});

  struct Opened {
    // Bytes at the front of the stream that are spent; the rest is an unfinished record.
    size_t used = 0;
    // As a client: the NewSessionTicket messages that came, with their headers.
    std::vector<Bytes> new_session_tickets;
    // The connection is over, and `to_peer` has the alert where one is due.
    std::optional<Reason> failure;
  };
  // Opens the whole records at the front of `stream` in place. Adds to `pieces` where application
  // data lies inside `stream`, in order, and to `to_peer` what must be sent in answer. Records
  // behind the peer's close_notify are spent and ignored.
  Opened Open(std::span<uint8_t> stream, std::vector<ByteView>& pieces, Bytes& to_peer);

  // Appends `plaintext` to `to_peer` as records, and the KeyUpdates that are due. TLS 1.2 has none:
  // kSequenceExhausted where its keys cannot protect it all; nothing was appended, and Close()
  // still works. kInternalError after Close() or a failure.
  Result<void> Seal(ByteView plaintext, Bytes& to_peer);

  // The same into the front of `out`, which need not be filled before: how many bytes were used.
  // It must have SealedRoom(plaintext.size()) bytes.
  Result<size_t> SealInto(ByteView plaintext, std::span<uint8_t> out);
  size_t SealedRoom(size_t plaintext) const;

  // TLS 1.3: appends a KeyUpdate; `request_update`: the peer shall update its keys too.
  // kInternalError in TLS 1.2, and after Close() or a failure.
  Result<void> UpdateKeys(bool request_update, Bytes& to_peer);

  // Appends close_notify and closes the write side; the second call does nothing.
  void Close(Bytes& to_peer);

  // Appends a fatal alert, where none and no close_notify went before, and closes the write side.
  void Abort(Alert alert, Bytes& to_peer);

  // The transport ended. kPeerClosed: the peer never said close_notify, so the data may be cut.
  Result<void> OnTransportEnd() const;

  bool peer_closed() const { return state_.peer_closed; }
  bool write_closed() const { return state_.write_closed; }
  // After a failure: the alert that was sent, or, after kPeerAlert, that came.
  std::optional<uint8_t> alert() const { return alert_; }

  // For whoever saves it, or gives the keys away.
  RecordKeys& write_keys() { return *sealer_.keys(); }
  RecordKeys& read_keys() { return *opener_.keys(); }
  RecordLayerState& state() { return state_; }
  const RecordLayerState& state() const { return state_; }

 private:
  Result<size_t> OpenOne(std::span<uint8_t> stream, std::vector<ByteView>& pieces, Opened& opened,
                         Bytes& to_peer);
  Result<void> OnRecord(const OpenedRecord& record, std::vector<ByteView>& pieces, Opened& opened,
                        Bytes& to_peer);
  Result<void> OnApplicationData(ByteView fragment, std::vector<ByteView>& pieces);
  Result<void> OnAlert(ByteView fragment);
  Result<void> OnHandshake(ByteView fragment, Opened& opened, Bytes& to_peer);
  Result<void> OnMessage(ByteView rest, Opened& opened);
  Result<void> OnKeyUpdate(ByteView body, ByteView rest);
  Result<void> OnRenegotiation(Bytes& to_peer);
  // The header of state_.message, as far as it is there: may it come, and is its length possible?
  Result<void> CheckHeader() const;
  Result<void> Seal12(ByteView plaintext, Bytes& to_peer);
  Result<size_t> SealInto13(ByteView plaintext, std::span<uint8_t> out);
  Result<void> SendKeyUpdate(bool request_update, Bytes& to_peer);
  Result<void> RefreshWriteKeys(Bytes& to_peer);
  Result<void> RefreshReadKeys(Bytes& to_peer);
  void SendAlert(uint8_t level, Alert alert, Bytes& to_peer);
  void Fail(Reason reason, Bytes& to_peer);
  bool is_tls13() const { return version_ == ProtocolVersion::kTls13; }

  RecordSealer sealer_;
  RecordOpener opener_;
  RecordLayerOptions options_;
  RecordLayerState state_;
  ProtocolVersion version_;
  bool failed_ = false;
  std::optional<uint8_t> alert_;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_RECORD_RECORD_LAYER_H_
