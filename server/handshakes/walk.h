// What a handshake that goes by steps has besides its connection: which step it is at, messages of
// ours that were made and not handed out yet, and the last reply. A value; no threads, no clock.
#ifndef HANDFAST_SERVER_HANDSHAKES_WALK_H_
#define HANDFAST_SERVER_HANDSHAKES_WALK_H_

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"

#include "server/handshakes/step.h"
#include "tls/connection/connection.h"
#include "tls/crypto/hash.h"

namespace handfast::handshakes {

class Walk {
 public:
  // ---- Numbers and repeats.

  uint32_t number() const { return number_; }
  // The last call again. True: `done` was called, or will be when that call's step is made.
  bool Repeats(const StepCall& call, StepDone& done);
  // A step was accepted, and has no reply yet.
  bool under_way() const { return number_ > 0 && !last_; }
  // OK: the call may be accepted now. Else why not: ABORTED, FAILED_PRECONDITION or
  // RESOURCE_EXHAUSTED, and nothing has changed.
  absl::Status Check(const StepCall& call, tls::Connection& connection) const;
  absl::Status CheckNumber(const StepCall& call) const;
  void Accept(const StepCall& call, StepDone done);
  // Makes the reply of the step under way, if one is, and gives it to who waits. `connection`: null
  // at the end.
  void Finish(tls::Connection* connection);
  // Of the replies that are kept: the last one, and the one that is being made.
  size_t KeptBytes() const;
  // Nobody gets a reply of the step under way yet; the same call asks again.
  void Refuse(const absl::Status& status);

  // ---- The step under way, or what is to be told by the next one.

  Reply& reply() { return pending_.reply; }
  // Takes what a connection's step put out: the peer's messages are told with this step; ours wait
  // for their own, but for those that are no step, which go with what they stand beside.
  void Collect(tls::Output& output);
  // Moves our next message to the reply. False: there is none.
  bool HandOut();
  // All of them: an alert may only follow what was sealed before it.
  void HandOutAll();
  bool all_handed_out() const { return pieces_.empty(); }

  // Whether what the step is named for has passed.
  bool satisfied() const { return took_message_ && !advances_; }
  bool took_message() const { return took_message_; }
  void ForgetMessage() { took_message_ = false; }
  bool peer_closed() const { return peer_closed_; }
  void NeedMore() { pending_.need_more = true; }
  void SetUnconsumed(tls::Bytes bytes) { pending_.unconsumed = std::move(bytes); }

  // The handshake is done, and is said to be when all is handed out.
  std::shared_ptr<const tls::Established> established;
  // A private-key operation for which there was no room.
  std::optional<tls::UsePrivateKey> stalled;

  std::vector<NextStep> Next(tls::Connection& connection) const;

  // The saved form, between two steps: what was sent last is kept by who sent it.
  template <class Io>
  friend bool Fields(Io& io, Walk& walk) {
    return walk.SaveOrLoad(io);
  }
  // The last call again, by what is kept of it.
  bool IsLast(const StepCall& call) const;

 private:
  // A message of ours in its records, with what stands beside it.
  struct Piece {
    tls::MessageName name;
    std::vector<tls::TracedMessage> messages;
    tls::Bytes records;
  };

  template <class Io>
  bool SaveOrLoad(Io& io);

  uint32_t number_ = 0;
  tls::Digest call_;  // of the last one
  std::shared_ptr<const StepReply> last_;
  std::vector<StepDone> waiting_;

  std::vector<Piece> pieces_;  // a handful
  StepReply pending_;
  bool advances_ = false;
  bool took_message_ = false;
  bool peer_closed_ = false;
};

template <class Io>
bool Walk::SaveOrLoad(Io& io) {
  uint64_t number = number_;
  tls::Bytes call = tls::Copy(call_.view());
  const auto message = [&io](tls::TracedMessage& m) {
    auto type = static_cast<uint8_t>(m.content_type);
    if (!io.Flag(m.from_peer) || !io.Flag(m.encrypted) || !io.Number(type) || !io.Enum(m.version) ||
        !io.Blob(m.bytes)) {
      return false;
    }
    m.content_type = static_cast<tls::ContentType>(type);
    return true;
  };
  const auto piece = [&io, &message](Piece& p) {
    auto content_type = static_cast<uint8_t>(p.name.content_type);
    auto type = static_cast<uint8_t>(p.name.type);
    if (!io.Number(content_type) || !io.Number(type) || !io.List(p.messages, message) ||
        !io.Blob(p.records)) {
      return false;
    }
    p.name = {static_cast<tls::ContentType>(content_type), static_cast<tls::HandshakeType>(type)};
    return true;
  };
  if (!io.Number(number) || number > UINT32_MAX || !io.Blob(call) ||
      call.size() > call_.bytes.size() || !io.List(pieces_, piece) || !io.Flag(peer_closed_)) {
    return false;
  }
  if constexpr (Io::kLoading) {
    number_ = static_cast<uint32_t>(number);
    call_.size = call.size();
    std::copy(call.begin(), call.end(), call_.bytes.begin());
    // It was told, elsewhere.
    last_ = std::make_shared<const StepReply>();
  }
  return true;
}

}  // namespace handfast::handshakes

#endif  // HANDFAST_SERVER_HANDSHAKES_WALK_H_
