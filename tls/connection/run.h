// One Step of a connection: what became of one input. Internal to tls/connection.
#ifndef HANDFAST_TLS_CONNECTION_RUN_H_
#define HANDFAST_TLS_CONNECTION_RUN_H_

#include "tls/connection/connection.h"
#include "tls/connection/state.h"
#include "tls/record/deframer.h"
#include "tls/wire/messages.h"

namespace handfast::tls {

// Of the first message in `messages`, header included; 0: it is not whole.
size_t WholeMessageLength(ByteView messages);
// A whole message that is dropped where it stands.
bool IsPassedOver(const ConnectionState& state, ByteView message);
// Whether `stream` begins with the first record of the connection, of which `ahead` bytes more than
// state.consumed went by: what is no TLS at all shows there.
bool IsFirstRecord(const ConnectionState& state, ByteView stream, size_t ahead);
// The length in a message's header is beyond what is taken.
bool IsTooLong(ByteView message);
// An alert that ends nothing.
bool IsWarning(const ConnectionState& state, const AlertMessage& alert);
bool IsAlertInTheClear(const ConnectionState& state, const RecordHeader& header);
// TLS 1.3's compatibility ChangeCipherSpec may come from the first ClientHello on, and before the
// peer's Finished (RFC 8446 §5).
bool ToleratesChangeCipherSpec(const EngineState& state);

class Run {
 public:
  Run(ConnectionState& state, const Context& context, Output& output)
      : state_(state), context_(context), output_(output) {}

  void On(const Input& input);

 private:
  void OnBytes(ByteView bytes);
  void OnAnswer(const Answer& answer);
  void OnBegin();
  void ReadOn();

  // Records, from state_.input.
  void ReadRecords();
  void OnRecord(const RecordHeader& header, std::span<uint8_t> record);
  void OnChangeCipherSpec(ByteView record);
  void SkipEarlyRecord(size_t size);
  void OnAlert(ByteView fragment, bool encrypted);
  void OnHandshake(ByteView fragment);

  // Messages, from state_.messages.
  void ReadMessages();
  void Apply(Transition transition);
  void CarryOut(Effect& effect);
  void SendRecords(ContentType type, ByteView content);
  void SendRecord(ContentType type, ByteView content);
  void InstallRead(TrafficKeys&& keys, uint16_t max_plaintext);

  // Cold, so that they lie apart from what goes well.
  [[gnu::cold]] void Fail(Reason reason);
  // The end, with or without an alert.
  [[gnu::cold]] void End(Reason reason, Origin origin, std::optional<uint8_t> alert);
  bool ended() const;
  // A stepwise connection has taken its one message.
  bool stepped() const { return state_.stepwise && took_message_; }

  void Trace(bool from_peer, bool encrypted, ContentType type, ByteView bytes);

  ConnectionState& state_;
  const Context& context_;
  Output& output_;
  bool took_message_ = false;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CONNECTION_RUN_H_
