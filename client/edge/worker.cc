#include "client/edge/worker.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <utility>

namespace handfast::edge {
namespace {

constexpr int kMaxEvents = 256;
// Then the connections that are there get their turn.
constexpr int kMaxAccepts = 64;
// When descriptors run out, accepting again at once would only spin.
constexpr int64_t kAcceptPauseMs = 100;
// The service ends a late handshake with an alert; it shall come before we give up ourselves.
constexpr int64_t kHandshakeGraceMs = 500;
// How soon a backend with a full queue may have room.
constexpr int64_t kRetryMs = 10;
// A client that has not read its last alert by then will not.
constexpr int64_t kLingerMs = 1000;

// Tags of events: these three, then two for each connection.
constexpr uint64_t kListenerTag = 0;
constexpr uint64_t kInboxTag = 1;
constexpr uint64_t kStopTag = 2;
constexpr uint64_t kFirstConnectionTag = 4;

int64_t NowMs() {
  timespec now{};
  // Its few milliseconds of coarseness are less than any timeout here.
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

uint64_t KeyOf(uint32_t index, uint32_t generation) { return uint64_t{generation} << 32 | index; }

}  // namespace

Worker::Worker(Shared& shared)
    : shared_(shared),
      place_(shared.options, shared.start, shared.relay, shared.metrics, shared.log),
      stop_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      handshake_(shared.options.handshake_timeout_ms + kHandshakeGraceMs),
      retry_(kRetryMs),
      idle_(shared.options.idle_timeout_ms),
      linger_(kLingerMs) {
  place_.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  place_.now_ms = NowMs();
}

Worker::~Worker() {
  slots_.clear();
  if (stop_fd_ >= 0) close(stop_fd_);
  if (place_.epoll_fd >= 0) close(place_.epoll_fd);
}

void Worker::Watch(int fd, uint64_t tag, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  (void)epoll_ctl(place_.epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

void Worker::Run() {
  Watch(place_.inbox.fd(), kInboxTag, EPOLLIN | EPOLLET);
  Watch(stop_fd_, kStopTag, EPOLLIN | EPOLLET);
  ResumeAccepting();
  std::array<epoll_event, kMaxEvents> events;
  while (!draining_ || (live_ > 0 && place_.now_ms < drain_end_ms_)) {
    const int count = epoll_wait(place_.epoll_fd, events.data(), kMaxEvents, WaitMilliseconds());
    place_.now_ms = NowMs();
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      OnEvent(event.data.u64, event.events);
    }
    TakeTurns();
    ExpireAll();
    Reap();
    if (!listening_ && !draining_ && place_.now_ms >= resume_accepting_ms_) ResumeAccepting();
  }
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].connection == nullptr) continue;
    slots_[i].connection->Abandon();
    Settle(i);
  }
  Reap();
}

void Worker::Stop() {
  const uint64_t one = 1;
  (void)!write(stop_fd_, &one, sizeof one);
}

int Worker::WaitMilliseconds() const {
  if (!turns_.empty()) return 0;
  int64_t next = INT64_MAX;
  for (const Deadlines* deadlines : {&handshake_, &retry_, &idle_, &linger_}) {
    if (!deadlines->empty()) {
      next = std::min(next, slots_[deadlines->first()].armed_ms + deadlines->length_ms());
    }
  }
  if (draining_) next = std::min(next, drain_end_ms_);
  if (!listening_ && !draining_) next = std::min(next, resume_accepting_ms_);
  if (next == INT64_MAX) return -1;
  return static_cast<int>(std::max<int64_t>(0, next - place_.now_ms) + 1);
}

void Worker::OnEvent(uint64_t tag, uint32_t events) {
  switch (tag) {
    case kListenerTag:
      Accept();
      return;
    case kInboxTag:
      TakeReplies();
      return;
    case kStopTag:
      BeginDrain();
      return;
    default:
      break;
  }
  const auto index = static_cast<uint32_t>((tag - kFirstConnectionTag) / 2);
  Connection* connection = slots_[index].connection.get();
  if (connection == nullptr) return;
  if (tag % 2 == 0) {
    connection->OnClientEvents(events);
  } else {
    connection->OnBackendEvents(events);
  }
  Settle(index);
}

void Worker::Accept() {
  for (int i = 0; i < kMaxAccepts && listening_; ++i) {
    Address peer;
    peer.size = sizeof peer.storage;
    const int fd = accept4(shared_.listener, peer.raw(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      Adopt(fd, peer);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return;
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      shared_.log.Line(LogLevel::kError, "cannot accept: out of descriptors or memory");
      PauseAccepting();
    }
    // Anything else was that one connection's trouble.
  }
}

void Worker::Adopt(int fd, const Address& peer) {
  if (shared_.connections.fetch_add(1) >= shared_.options.max_connections) {
    --shared_.connections;
    shared_.metrics.OnRefused();
    close(fd);
    return;
  }
  uint32_t index;
  if (free_slots_.empty()) {
    index = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_slots_.back();
    free_slots_.pop_back();
  }
  shared_.metrics.OnAccepted();
  ++live_;
  Slot& slot = slots_[index];
  slot.deadline = unarmed_.insert(unarmed_.end(), index);
  slot.list = &unarmed_;
  slot.connection = std::make_unique<Connection>(place_, fd, peer, KeyOf(index, slot.generation),
                                                 kFirstConnectionTag + uint64_t{2} * index);
  Settle(index);
}

void Worker::PauseAccepting() {
  if (!std::exchange(listening_, false)) return;
  (void)epoll_ctl(place_.epoll_fd, EPOLL_CTL_DEL, shared_.listener, nullptr);
  resume_accepting_ms_ = place_.now_ms + kAcceptPauseMs;
}

void Worker::ResumeAccepting() {
  listening_ = true;
  // Level-triggered, so that what one turn leaves is seen in the next; one worker wakes for each.
  Watch(shared_.listener, kListenerTag, EPOLLIN | EPOLLEXCLUSIVE);
}

void Worker::BeginDrain() {
  if (std::exchange(draining_, true)) return;
  PauseAccepting();
  drain_end_ms_ = place_.now_ms + shared_.options.drain_timeout_ms;
}

void Worker::TakeReplies() {
  place_.inbox.Take(replies_);
  for (client::RelayReply& reply : replies_) {
    const auto index = static_cast<uint32_t>(reply.key);
    Slot& slot = slots_[index];
    if (slot.connection == nullptr || slot.connection->key() != reply.key) continue;
    slot.connection->OnReply(std::move(reply));
    Settle(index);
  }
  replies_.clear();
}

void Worker::TakeTurns() {
  taking_.swap(turns_);
  for (const uint32_t index : taking_) {
    Connection* connection = slots_[index].connection.get();
    if (connection == nullptr || !connection->wants_turn()) continue;
    connection->OnTurn();
    Settle(index);
  }
  taking_.clear();
}

void Worker::ExpireAll() {
  Expire(handshake_);
  Expire(retry_);
  Expire(idle_);
  Expire(linger_);
}

void Worker::Expire(Deadlines& deadlines) {
  while (!deadlines.empty()) {
    const uint32_t index = deadlines.first();
    if (slots_[index].armed_ms + deadlines.length_ms() > place_.now_ms) return;
    slots_[index].connection->OnDeadline();
    Settle(index);
    // Whatever it did, its time here is over.
    if (!deadlines.empty() && deadlines.first() == index) return;
  }
}

Deadlines& Worker::DeadlinesOf(Connection::Phase phase) {
  switch (phase) {
    case Connection::Phase::kConnect:
      return retry_;
    case Connection::Phase::kForward:
      return idle_;
    case Connection::Phase::kLinger:
      return linger_;
    default:
      return handshake_;
  }
}

void Worker::Settle(uint32_t index) {
  Slot& slot = slots_[index];
  const Connection& connection = *slot.connection;
  const Connection::Phase phase = connection.phase();
  if (phase == Connection::Phase::kDone) {
    if (slot.list == nullptr) return;  // is to be reaped already
    slot.list->erase(slot.deadline);
    slot.list = nullptr;
    ended_.push_back(index);
    return;
  }
  if (connection.wants_turn()) turns_.push_back(index);
  if (phase == slot.armed_phase && connection.since_ms() == slot.armed_ms) return;
  Deadlines& deadlines = DeadlinesOf(phase);
  // Whose time goes on stays where it is: behind the PROXY header the handshake's began at accept.
  if (slot.list != &deadlines.list() || connection.since_ms() != slot.armed_ms) {
    deadlines.Arm(*slot.list, slot.deadline);
  }
  slot.list = &deadlines.list();
  slot.armed_phase = phase;
  slot.armed_ms = connection.since_ms();
}

// Only now, when no event of this turn can name them any more.
void Worker::Reap() {
  for (const uint32_t index : ended_) {
    Slot& slot = slots_[index];
    slot.connection.reset();
    ++slot.generation;
    slot.armed_phase = Connection::Phase::kDone;
    free_slots_.push_back(index);
    --live_;
    --shared_.connections;
  }
  ended_.clear();
}

}  // namespace handfast::edge
