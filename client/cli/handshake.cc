// handfast handshake ladder: serves connections through the relay, one at a time, and draws every
// message as it passes. It answers a small page itself, so that any TLS client can be pointed at
// it.

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "client/cli/command.h"
#include "client/cli/listener.h"
#include "client/cli/output.h"
#include "client/cli/page.h"
#include "client/cli/socket.h"
#include "client/core/ladder.h"
#include "client/core/pump.h"
#include "client/core/record_layer.h"
#include "client/core/relay.h"

namespace handfast::cli {
namespace {

struct LadderArguments {
  std::string listen;
  std::string profile;
  std::vector<std::string> alpn;
  bool once = false;
};

class LadderConnection {
 public:
  LadderConnection(client::Relay& relay, const client::StartOptions& start, int fd,
                   std::string peer)
      : relay_(relay), start_(start), fd_(fd), peer_(std::move(peer)) {}

  // False: the handshake failed.
  bool Serve() {
    PrintLines(client::DrawHead());
    auto established = Handshake();
    if (!established) return false;
    PrintLines(client::DrawEstablished(*established->info));
    const uint32_t max_fragment = established->info->max_fragment();
    auto records = client::CreateRecordLayer(std::move(established->keys), max_fragment);
    if (!records.ok()) {
      std::fprintf(stderr, "handfast: the service released no keys\n");
      return false;
    }
    AnswerPage(fd_, *records, pump_.TakeRest(), *established->info);
    return true;
  }

 private:
  // Nullopt: it ended otherwise, and said so.
  std::optional<client::EstablishedHandshake> Handshake() {
    for (;;) {
      pollfd wait[] = {{.fd = fd_, .events = POLLIN, .revents = 0},
                       {.fd = inbox_.fd(), .events = POLLIN, .revents = 0}};
      if (ended_ || !pump_.wants_bytes()) wait[0].fd = -1;
      if (poll(wait, 2, kPatienceMs) <= 0) {
        relay_.Abort(handle_);
        std::printf("  x the client was silent\n");
        return std::nullopt;
      }
      if (wait[1].revents != 0) {
        // The inbox is made for edge-triggered waiting: it must be emptied by hand here.
        uint64_t count = 0;
        (void)!read(inbox_.fd(), &count, sizeof count);
        std::vector<client::RelayReply> replies;
        inbox_.Take(replies);
        for (client::RelayReply& reply : replies) {
          if (auto* done = OnReply(reply)) return std::move(*done);
          if (reply.outcome.index() != 0) return std::nullopt;
        }
      }
      if (wait[0].revents != 0 && !ReadSome()) return std::nullopt;
    }
  }

  bool ReadSome() {
    uint8_t bytes[kReadSize];
    const ssize_t got = recv(fd_, bytes, sizeof bytes, 0);
    if (got > 0) {
      Tell(pump_.OnTransport({bytes, static_cast<size_t>(got)}));
      return true;
    }
    ended_ = true;
    const auto what = pump_.OnTransportEnd();
    if (what.action == client::Pump::Action::kNothing) {
      std::printf("  x the client left without a word\n");
      return false;
    }
    Tell(what);
    return true;
  }

  void Tell(const client::Pump::ToRelay& what) {
    using Action = client::Pump::Action;
    if (what.action == Action::kStart) {
      handle_ = relay_.Start(inbox_, 0, start_, peer_, what.bytes);
    } else if (what.action == Action::kSend) {
      relay_.Send(handle_, what.bytes);
    } else if (what.action == Action::kPeerClosed) {
      relay_.PeerClosed(handle_);
    }
  }

  client::EstablishedHandshake* OnReply(client::RelayReply& reply) {
    for (const auto& message : reply.messages) PrintLines(client::DrawMessage(message));
    if (!reply.to_peer.empty()) (void)WriteAll(fd_, tls::AsBytes(reply.to_peer));
    if (const auto* failure = std::get_if<v1::Failure>(&reply.outcome)) {
      PrintLines(client::DrawFailure(*failure));
    } else if (const auto* status = std::get_if<client::RpcStatus>(&reply.outcome)) {
      std::printf("  x the service answered %s: %s\n", CodeName(status->code).c_str(),
                  status->message.c_str());
    } else if (!pump_.OnConsumed(reply.consumed)) {
      std::printf("  x the service used bytes that it never got\n");
      return nullptr;
    }
    return std::get_if<client::EstablishedHandshake>(&reply.outcome);
  }

  client::Relay& relay_;
  const client::StartOptions& start_;
  const int fd_;
  const std::string peer_;
  client::RelayInbox inbox_;
  client::Pump pump_;
  client::RelayHandle handle_;
  bool ended_ = false;
};

void Ladder(const LadderArguments& arguments, Common& common) {
  if (!PrepareEndpoint(common)) return;
  Listener listener;
  if (const auto wrong = listener.Open(arguments.listen)) return ReportUsage(*wrong, common);
  std::signal(SIGPIPE, SIG_IGN);
  client::StartOptions start;
  start.profile = arguments.profile;
  start.alpn = arguments.alpn;
  start.release_keys = true;
  start.deadline_ms = kHandshakeDeadlineMs;
  start.trace = true;
  std::printf("listening on %s; \"*\" marks what travels encrypted\n", listener.address().c_str());
  std::fflush(stdout);
  for (;;) {
    std::string peer;
    const int fd = listener.Accept(peer);
    if (fd < 0) continue;
    std::printf("\nhandshake with %s\n", peer.c_str());
    bool established = false;
    {
      // A relay for each connection, ended before the inbox that it fills; a ladder is in no hurry.
      auto relay = std::make_unique<client::Relay>(common.endpoint);
      LadderConnection connection(*relay, start, fd, peer);
      established = connection.Serve();
      relay.reset();
    }
    close(fd);
    if (arguments.once) {
      if (!established) common.exit_code = kFailed;
      return;
    }
  }
}

}  // namespace

void DeclareHandshake(CLI::App& app, Common& common) {
  CLI::App* handshake = app.add_subcommand("handshake", "Handshakes through the service");
  handshake->require_subcommand(1);
  CLI::App* ladder = handshake->add_subcommand(
      "ladder", "Serve TLS clients a small page, and draw each message of their handshakes");
  auto arguments = std::make_shared<LadderArguments>();
  ladder->add_option("--listen", arguments->listen, "HOST:PORT; port 0: any")->required();
  ladder->add_option("--profile", arguments->profile, "The service's TLS profile");
  ladder->add_option("--alpn", arguments->alpn, "Protocols, best first")->delimiter(',');
  ladder->add_flag("--once", arguments->once, "Leave after one connection");
  ladder->callback([arguments, &common] { Ladder(*arguments, common); });
  DeclareWalk(*handshake, common);
}

}  // namespace handfast::cli
