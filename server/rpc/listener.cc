#include "server/rpc/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

#include "server/observe/log.h"

namespace handfast::rpc {
namespace {

// Without a spare descriptor, how long to wait for somebody to close one.
constexpr int kOutOfDescriptorsPauseMs = 50;

Socket OpenSpare() { return Socket(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = other.Take();
  }
  return *this;
}

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

int Socket::Take() { return std::exchange(fd_, -1); }

Listener::Listener(BoundSocket bound, std::unique_ptr<Acceptor> acceptor, ConnectionCap& cap)
    : bound_(std::move(bound)),
      acceptor_(std::move(acceptor)),
      cap_(cap),
      stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      spare_(OpenSpare()),
      thread_([this] { Run(); }) {}

Listener::~Listener() { Stop(); }

void Listener::Stop() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  (void)!write(stop_.fd(), &one, sizeof one);
  thread_.join();
  // While it still listens: a successor that binds once it is closed must not lose its own name.
  if (!bound_.path.empty()) unlink(bound_.path.c_str());
  bound_.socket = Socket();
}

void Listener::Run() {
  pollfd ready[2] = {{.fd = bound_.socket.fd(), .events = POLLIN, .revents = 0},
                     {.fd = stop_.fd(), .events = POLLIN, .revents = 0}};
  for (;;) {
    if (poll(ready, 2, -1) < 0 && errno != EINTR) return;
    if (ready[1].revents != 0) return;
    if (ready[0].revents != 0) AcceptAll();
  }
}

void Listener::AcceptAll() {
  for (;;) {
    Socket connection(accept4(bound_.socket.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (connection.fd() >= 0) {
      Count();
      AcceptOne(std::move(connection));
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      return OnOutOfDescriptors();
    }
    // What failed was that connection, not the listener.
    if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO || errno == EPERM) continue;
    return;
  }
}

void Listener::Count() {
  std::lock_guard lock(mutex_);
  ++accepted_;
  accepted_one_.notify_all();
}

absl::Status Listener::Probe(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const uint64_t before = accepted_;
  const Socket probe(socket(bound_.name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const auto* name = reinterpret_cast<const sockaddr*>(&bound_.name);
  const bool begun = connect(probe.fd(), name, bound_.name_size) == 0 || errno == EINPROGRESS;
  // It may be another's that is accepted; that says as much.
  if (begun && accepted_one_.wait_for(lock, timeout, [&] { return accepted_ != before; })) {
    return absl::OkStatus();
  }
  return absl::UnavailableError(absl::StrCat(bound_.address, " accepts no connection"));
}

void Listener::AcceptOne(Socket connection) {
  if (!IsWelcome(connection)) return;
  if (!cap_.Admit(connection.fd())) {
    observe::Log(observe::Level::kWarning, "rpc", "too many connections: one was closed",
                 {{"address", bound_.address}, {"most", cap_.most()}});
    return;
  }
  if (bound_.path.empty()) {
    const int on = 1;
    setsockopt(connection.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  Acceptor::NewConnectionParameters parameters;
  parameters.listener_fd = bound_.socket.fd();
  parameters.fd = connection.Take();
  acceptor_->HandleNewConnection(&parameters);
}

bool Listener::IsWelcome(const Socket& connection) {
  if (bound_.path.empty()) return true;  // TLS will tell
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(connection.fd(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  const auto& allowed = bound_.allowed_uids;
  if (std::find(allowed.begin(), allowed.end(), peer.uid) != allowed.end()) return true;
  observe::Log(observe::Level::kWarning, "rpc", "a user who is not allowed on this socket",
               {{"address", bound_.address}, {"uid", peer.uid}});
  return false;
}

void Listener::OnOutOfDescriptors() {
  observe::Log(observe::Level::kError, "rpc", "out of file descriptors",
               {{"address", bound_.address}});
  if (spare_.fd() >= 0) {
    spare_ = Socket();
    const Socket shed(accept4(bound_.socket.fd(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  spare_ = OpenSpare();
  if (spare_.fd() >= 0) return;
  pollfd stop{.fd = stop_.fd(), .events = POLLIN, .revents = 0};
  poll(&stop, 1, kOutOfDescriptorsPauseMs);
}

}  // namespace handfast::rpc
