// A caller in Relay streams: where one is lost, or its replica, the handshake is resumed in
// another. A stream that the caller has left may live on at its replica, with bytes that come late.
#ifndef HANDFAST_TESTS_SIM_RELAY_EXCHANGE_H_
#define HANDFAST_TESTS_SIM_RELAY_EXCHANGE_H_

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/exchange.h"

namespace handfast::sim {

class RelayExchange final : public Exchange {
 public:
  RelayExchange(World& world, std::string name, const Plan& plan);
  ~RelayExchange() override;
  void Act() override;
  void OnCrash(size_t replica) override;
  void HearOut() override;

 private:
  class Inbox;
  struct Stream {
    size_t replica = 0;
    std::shared_ptr<handshakes::Handshake> handshake;
    std::shared_ptr<Inbox> inbox;
    uint64_t position = 0;  // in the stream to the peer, of what was told
    size_t given = 0;       // of from_peer()
    bool started = false;   // something was told
  };
  // A reply whose bytes stand at `position`.
  struct Reply {
    uint64_t position = 0;
    tls::Bytes to_peer;
    Told told;
  };

  void Begin(size_t replica);
  void Resume(size_t replica);
  void Send();
  void SendLate();
  void Give(const std::shared_ptr<Stream>& stream, const tls::Bytes& bytes, bool closed);
  // Calls into a stream's handshake. False: nothing was done, for it is busy; or it crashed.
  template <class Call>
  bool Into(const std::shared_ptr<Stream>& stream, Call call);
  // What its replica has told by now, all of it noted.
  std::vector<Reply> Take(Stream& stream);
  void Receive();
  void OnStopped(const std::string& reason);
  void Leave();
  // The caller may have left a stream before it was made.
  void Settle(const std::shared_ptr<Stream>& stream);
  bool IsBusy(size_t replica) const { return busy_.contains(replica); }

  std::optional<handshakes::Handle> handle_;
  std::shared_ptr<Stream> stream_;  // the caller's own; null: none
  std::vector<std::shared_ptr<Stream>> left_;
  std::multiset<size_t> busy_;  // replicas where a call of this exchange is under way
  uint64_t seen_ = 0;           // bytes for the peer
  bool fed_late_ = false;
  int gaps_ = 0;
};

}  // namespace handfast::sim

#endif  // HANDFAST_TESTS_SIM_RELAY_EXCHANGE_H_
