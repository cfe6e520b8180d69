// What a handshake that goes by steps has besides its connection: which step it is at, messages of
// ours that were made and not handed out yet, and the last reply. A value; no threads, no clock.
#ifndef HANDFAST_SERVER_HANDSHAKES_WALK_H_
#define HANDFAST_SERVER_HANDSHAKES_WALK_H_

#include <deque>
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

 private:
  // A message of ours in its records, with what stands beside it.
  struct Piece {
    tls::MessageName name;
    std::vector<tls::TracedMessage> messages;
    tls::Bytes records;
  };

  uint32_t number_ = 0;
  tls::Digest call_;  // of the last one
  std::shared_ptr<const StepReply> last_;
  std::vector<StepDone> waiting_;

  std::deque<Piece> pieces_;
  StepReply pending_;
  bool advances_ = false;
  bool took_message_ = false;
  bool peer_closed_ = false;
};

}  // namespace handfast::handshakes

#endif  // HANDFAST_SERVER_HANDSHAKES_WALK_H_
