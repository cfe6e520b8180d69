// One thread with an epoll of its own: accepts, and drives its connections.
#ifndef HANDFAST_CLIENT_EDGE_WORKER_H_
#define HANDFAST_CLIENT_EDGE_WORKER_H_

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "client/edge/connection.h"
#include "client/edge/deadlines.h"
#include "client/edge/workplace.h"

namespace handfast::edge {

// What the workers share.
struct Shared {
  const Options& options;
  client::StartOptions start;
  client::Relay& relay;
  Metrics& metrics;
  Log& log;
  int listener = -1;
  std::atomic<size_t> connections{0};
};

class Worker {
 public:
  explicit Worker(Shared& shared);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // False: the system gave no epoll.
  bool ready() const { return place_.epoll_fd >= 0 && place_.inbox.fd() >= 0 && stop_fd_ >= 0; }

  // Until Stop() was called and the connections are over, or the drain's time is.
  void Run();
  // From any thread: accepts no more.
  void Stop();

 private:
  struct Slot {
    std::unique_ptr<Connection> connection;
    uint32_t generation = 0;
    // In one of the deadline lists, and which phase put it there.
    std::list<uint32_t>::iterator deadline;
    std::list<uint32_t>* list = nullptr;
    Connection::Phase armed_phase = Connection::Phase::kDone;
    int64_t armed_ms = 0;
  };

  void Watch(int fd, uint64_t tag, uint32_t events);
  int WaitMilliseconds() const;
  void OnEvent(uint64_t tag, uint32_t events);
  void Accept();
  void Adopt(int fd, const Address& peer);
  void PauseAccepting();
  void ResumeAccepting();
  void BeginDrain();
  void TakeReplies();
  void TakeTurns();
  void ExpireAll();
  void Expire(Deadlines& deadlines);
  // After each call of a connection: turns, deadlines, the end.
  void Settle(uint32_t index);
  void Reap();
  Deadlines& DeadlinesOf(Connection::Phase phase);

  Shared& shared_;
  Workplace place_;
  int stop_fd_;
  bool listening_ = false;
  bool draining_ = false;
  int64_t resume_accepting_ms_ = 0;
  int64_t drain_end_ms_ = 0;

  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  std::vector<uint32_t> ended_;
  std::vector<uint32_t> turns_;
  std::vector<uint32_t> taking_;
  std::vector<client::RelayReply> replies_;
  size_t live_ = 0;

  Deadlines handshake_;
  Deadlines retry_;
  Deadlines idle_;
  Deadlines linger_;
  std::list<uint32_t> unarmed_;
};

}  // namespace handfast::edge

#endif  // HANDFAST_CLIENT_EDGE_WORKER_H_
