// One live handshake: the connection value, who answers its questions, and where its replies go.
// It knows neither gRPC nor the messages of the contract.
#ifndef HANDFAST_SERVER_HANDSHAKES_HANDSHAKE_H_
#define HANDFAST_SERVER_HANDSHAKES_HANDSHAKE_H_

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "server/access/admission_interface.h"
#include "server/access/work_queue_interface.h"
#include "server/custody/credentials_interface.h"
#include "server/handshakes/clock_interface.h"
#include "server/handshakes/established_interface.h"
#include "server/handshakes/finished.h"
#include "server/handshakes/owner_interface.h"
#include "server/handshakes/profile_interface.h"
#include "server/handshakes/reply.h"
#include "server/handshakes/saved_handshakes.h"
#include "server/handshakes/start.h"
#include "server/handshakes/walk.h"
#include "server/observe/metrics_interface.h"
#include "server/sessions/sessions_interface.h"
#include "server/trust/peer_trust_interface.h"
#include "tls/connection/connection.h"
#include "tls/crypto/random.h"

namespace handfast::handshakes {

// All outlive every handshake.
struct Services {
  const Clock& clock;
  tls::Randomness& randomness;
  const custody::CredentialsInterface& credentials;
  const trust::PeerTrustInterface& trust;
  access::AdmissionInterface& admission;
  access::WorkQueueInterface& work;
  EstablishedConnections& connections;
  observe::MetricsInterface& metrics;
  SavedHandshakes& saved;
  sessions::SessionsInterface& sessions;
};

struct Status {
  std::string_view state;
  std::string profile;
  std::chrono::milliseconds remaining{0};
  uint64_t consumed = 0;
  uint32_t step = 0;
  std::vector<NextStep> next;
};

// All calls are thread-safe; after the end they are without effect.
class Handshake : public std::enable_shared_from_this<Handshake> {
 public:
  // Told once, in the thread that ended it; the handshake's lock is held.
  class Table {
   public:
    // `linger`: it went by steps, and its last reply, of so many bytes, may be asked for again.
    // What `handshake` points to lives as long as the handshake does, but for the failure.
    virtual void OnEnd(const FinishedHandshake& handshake, std::optional<size_t> linger) = 0;
    // It goes on elsewhere, or can.
    virtual void OnLeft(const Handle& handle) = 0;

   protected:
    ~Table() = default;
  };

  // For the tables alone.
  Handshake(const Services& services, Start start, Handle handle, access::Admitted admitted,
            Table& table);
  // One that was saved goes on here, or is told again where it had ended. `generation`: in the
  // store.
  Handshake(const Services& services, SavedHandshake saved, Handle handle,
            access::Admitted admitted, Table& table, uint64_t generation = 0);

  const Handle& handle() const { return handle_; }
  const Owner& owner() const { return *owner_; }
  // In a Relay stream, and kept in the store: calls wait for that.
  bool durable() const { return journal_ != nullptr; }
  // Whether Begin waits for the store: as a client, for a session to offer.
  bool begins_slowly() const {
    return durable() || (start_.role == Role::kClient && !session_binding_.empty());
  }
  MonotonicTime deadline() const { return deadline_; }

  // The first call of one that was saved: the bytes and the reply that the owner may have missed.
  // OUT_OF_RANGE where it has seen more than there were: it is left.
  void Resume(uint64_t bytes_seen);
  // The first call. It replies even where there is nothing to send, so that the owner learns the
  // handle: a client's ClientHello, or what comes of a server's first bytes, which may be none.
  void Begin(tls::ByteView bytes);
  void FromPeer(tls::ByteView bytes);
  void PeerClosed();
  // kHandshakeAborted or kDeadlineExceeded: the last reply is that failure.
  void GiveUp(tls::Reason reason);
  // The last reply is this status. False: it had ended already. A durable one is only left, where
  // it can go on elsewhere; but for ABORTED.
  bool Stop(absl::Status status);
  // Without a reply: nobody is left to receive one.
  void Abandon();
  // One step of the owner's walk. ABORTED, FAILED_PRECONDITION, RESOURCE_EXHAUSTED: see Walk;
  // NOT_FOUND where it has ended, and the end was told.
  void TakeStep(const StepCall& call, StepDone done);
  // By steps, once the end that it came to is known to be the one that counts: keeps the session
  // that it left.
  void KeepSession();
  // Between two steps, or at the end: what must be saved of it, which ends its life here.
  SavedHandshake Freeze();
  // Nullopt: it has ended.
  std::optional<Status> Describe();

 private:
  tls::Connection NewConnection(std::optional<tls::Session> session = std::nullopt) const;
  // sessions.cc.
  tls::Bytes NewBinding() const;
  tls::Context Context() const;
  bool MayResumeWith(const std::string& credential) const;
  void OfferSession();
  void TakeLeftSession(tls::Connection& connection);
  // For who has the connection afterwards.
  std::function<void(tls::Session spent)> KeeperOfSessions() const;
  struct Journal;
  static std::unique_ptr<Journal> JournalOf(const Start& start);
  // Where what comes out goes.
  Reply& ReplyOf(Reply& reply) { return walk_ ? walk_->reply() : reply; }
  // Hands the reply to whoever is to have it.
  void Settle(Reply reply);
  void ContinueStep();
  // Asks again for the private-key operation for which there was no room.
  void Resume();
  void Drive(const tls::Input& input, Reply& reply);
  std::optional<tls::Question> StepOnce(const tls::Input& input, Reply& reply);
  std::optional<tls::Answer> AnswerNow(tls::Question& question, Reply& reply);
  std::optional<tls::Answer> Sign(tls::UsePrivateKey question, Reply& reply);
  tls::PrivateKeyUsed UseKey(const tls::UsePrivateKey& question);
  void OnSigned(tls::PrivateKeyUsed answer);
  std::optional<tls::Answer> Choose(const tls::Choose& question);
  tls::Chosen ChooseNow(const tls::Choose& question, std::shared_ptr<const tls::Session> kept);
  void OnFound(const tls::Choose& question, std::shared_ptr<const tls::Session> kept);
  // With the answer that it waited for.
  void GoOn(tls::Answer answer);
  const std::string& trust_bundle() const;
  tls::PeerVerdict Verify(const tls::VerifyPeer& question);
  void Establish(const std::shared_ptr<const tls::Established>& established, Reply& reply);
  void Finish(const tls::Established* established, const tls::HandshakeFailure* failure);
  void KeepClientHello(const std::vector<tls::TracedMessage>& messages);
  void Hold(Reply reply);
  void Deliver(Reply reply);
  void Tell(Reply reply);
  // The reply is in the store, or it is another one now.
  void Checkpoint(Reply& reply);
  tls::Bytes EncodeWithoutBytes(Reply& reply);
  absl::StatusOr<uint64_t> Write(const SavedHandshakes::Sealable& next);
  // Another call was quicker: its reply, where it had the same input.
  void OnLost(tls::ByteView input_digest, Reply& reply);
  // The last reply again, with the bytes for the peer from `seen` on.
  void TellAgain(SavedHandshake saved, size_t seen, Reply& reply);
  void Publish();
  // Ends here, not in the store.
  void Leave(absl::Status status, Reply& reply);

  const Services& services_;
  const Handle handle_;
  const std::shared_ptr<const Owner> owner_;
  const MonotonicTime started_;
  const MonotonicTime deadline_;
  Table& table_;

  std::mutex mutex_;
  Start start_;
  // For the whole handshake: keys that rotate meanwhile are another one's. Empty: no sessions.
  tls::Bytes session_binding_;
  std::shared_ptr<const tls::TicketKeys> ticket_keys_;
  std::optional<tls::Session> left_session_;  // until it is kept
  access::Admitted admitted_;
  // Empty after the end.
  std::optional<tls::Connection> connection_;
  bool announced_ = false;
  bool waiting_ = false;  // for an answer from another thread
  std::optional<Reply> held_;
  std::optional<Walk> walk_;
  std::string detail_;
  // What a durable one in a Relay stream has besides.
  struct Journal {
    uint64_t generation = 0;                  // 0: not in the store yet
    tls::Bytes sent;                          // to the peer so far
    tls::Bytes input;                         // from the peer, since the last checkpoint
    uint64_t input_from = 0;                  // where in its stream that begins
    std::unique_ptr<SavedHandshake> resumed;  // what is to be told again, until then
    // What is done, and is told when it is saved.
    std::optional<EstablishedConnection> connection;
    std::shared_ptr<const tls::Established> established;
  };
  const std::unique_ptr<Journal> journal_;  // null: it is none
  tls::Bytes client_hello_;                 // the last one, where it is to be explained
};

}  // namespace handfast::handshakes

#endif  // HANDFAST_SERVER_HANDSHAKES_HANDSHAKE_H_
