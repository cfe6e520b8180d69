// The client role's sessions, with libssl as the server: kept where the keys are kept, offered
// once, and never where they were not made.
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "server/observe/log.h"
#include "server/sessions/sessions.h"
#include "tests/server/handshakes/fake_backends.h"
#include "tests/tls/connection/libssl_server.h"

namespace handfast::handshakes::test {
namespace {

using tls::Bytes;

// Whoever asks is answered at once, in its own thread.
class WorkNow final : public access::WorkQueueInterface {
 public:
  absl::Status Submit(std::string_view, access::Lane, Work work) override {
    work();
    return absl::OkStatus();
  }
};

class AllTrusted final : public trust::PeerTrustInterface {
 public:
  trust::Verification VerifyClient(std::string_view, const std::vector<Bytes>&,
                                   int64_t) const override {
    return {};
  }
  trust::Verification VerifyServer(std::string_view, const trust::PresentedServer&,
                                   int64_t) const override {
    ++asked;
    return {};
  }
  Bytes Fingerprint(std::string_view, int64_t) const override { return roots; }
  mutable int asked = 0;
  Bytes roots = Bytes(32, 1);
};

struct Outcome {
  bool established = false;
  bool resumed = false;
};

class ClientSessions : public testing::TestWithParam<int> {
 protected:
  ClientSessions() : context_(tls::test::LibsslServerContext(leaf_, 2), &SSL_CTX_free) {
    observe::SetLogLevel(observe::Level::kError);
    backends_.profile->server_trust_bundle = "servers";
    SSL_CTX_set_min_proto_version(context_.get(), GetParam());
    SSL_CTX_set_max_proto_version(context_.get(), GetParam());
    SSL_CTX_clear_options(context_.get(), SSL_OP_NO_TICKET);
  }

  Start NewStart(const std::string& server_name) {
    Start start = backends_.NewStart(replies_);
    start.role = Role::kClient;
    start.server_name = server_name;
    return start;
  }

  // One connection; what the server gives behind the handshake is kept as well.
  Outcome Connect(const Start& start) {
    auto begun = table_.Begin(start);
    EXPECT_TRUE(begun.ok());
    EXPECT_EQ((*begun)->begins_slowly(), start.profile->tls.session_tickets > 0);
    (*begun)->Begin({});
    tls::test::LibsslServer server(context_.get());
    Outcome outcome;
    Bytes behind;
    for (int flights = 0; flights < 4; ++flights) {
      std::optional<Reply> reply = replies_->Take();
      if (!reply) break;
      behind = server.Receive(reply->to_peer);
      if (const auto* done = std::get_if<Done>(&reply->outcome)) {
        outcome = {true, done->established->resumed};
        break;
      }
      if (reply->ended()) return outcome;
      (*begun)->FromPeer(behind);
    }
    // Else libssl forgets the session of a connection that was not closed.
    SSL_set_shutdown(server.ssl(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    if (!outcome.established) return outcome;
    EXPECT_EQ(SSL_session_reused(server.ssl()) == 1, outcome.resumed);
    KeepTickets(behind);
    return outcome;
  }

  // As whoever has the connection does.
  void KeepTickets(const Bytes& behind) {
    EstablishedConnection& connection = backends_.connections.all.back();
    if (GetParam() == TLS1_2_VERSION || !connection.keep_session) return;
    tls::Stepped stepped =
        tls::Step(*std::exchange(connection.kept, std::nullopt), tls::FromPeer{behind},
                  {backends_.profile->tls, tls::SystemRandomness()});
    for (const Bytes& message : stepped.output.new_session_tickets) {
      auto session =
          tls::ReadNewSessionTicket(stepped.connection, message, backends_.clock.UnixSeconds());
      ASSERT_TRUE(session.ok());
      connection.keep_session(*std::move(session));
      ++tickets_;
    }
  }

  const tls::test::Leaf leaf_ = tls::test::TestCa::Create("CA").Issue({.dns = {"a.test"}});
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  Backends backends_;
  AllTrusted trust_;
  WorkNow work_;
  sessions::Sessions sessions_{backends_.clock, backends_.store, work_, tls::SystemRandomness()};
  const Services services_{.clock = backends_.clock,
                           .randomness = tls::SystemRandomness(),
                           .credentials = backends_.key,
                           .trust = trust_,
                           .admission = backends_.admission,
                           .work = backends_.work,
                           .connections = backends_.connections,
                           .metrics = backends_.metrics,
                           .saved = backends_.saved,
                           .sessions = sessions_};
  std::shared_ptr<Replies> replies_ = std::make_shared<Replies>();
  Handshakes table_{services_};
  int tickets_ = 0;
};
INSTANTIATE_TEST_SUITE_P(, ClientSessions, testing::Values(TLS1_3_VERSION, TLS1_2_VERSION),
                         [](const auto& info) {
                           return info.param == TLS1_3_VERSION ? "Tls13" : "Tls12";
                         });

TEST_P(ClientSessions, AreResumedWithoutAnotherVerdict) {
  EXPECT_FALSE(Connect(NewStart("a.test")).resumed);
  EXPECT_EQ(trust_.asked, 1);
  const Outcome second = Connect(NewStart("a.test"));
  EXPECT_TRUE(second.established);
  EXPECT_TRUE(second.resumed);
  EXPECT_EQ(trust_.asked, 1);
}

TEST_P(ClientSessions, EachIsOfferedOnce) {
  Connect(NewStart("a.test"));
  const int kept = GetParam() == TLS1_3_VERSION ? tickets_ : 1;
  ASSERT_GE(kept, 1);
  // These never reach the server.
  for (int i = 0; i < kept; ++i) {
    auto begun = table_.Begin(NewStart("a.test"));
    (*begun)->Begin({});
    replies_->Take();
  }
  EXPECT_FALSE(Connect(NewStart("a.test")).resumed);
  EXPECT_TRUE(Connect(NewStart("a.test")).resumed) << "the control: that one left another";
}

TEST_P(ClientSessions, T21_AreOfOneNameTenantProfileAndTrust) {
  const auto resumes_with = [&](auto change) {
    Connect(NewStart("a.test"));
    Start start = NewStart("a.test");
    auto profile = std::make_shared<Profile>(*backends_.profile);
    change(start, *profile);
    start.profile = profile;
    return Connect(start).resumed;
  };
  EXPECT_TRUE(resumes_with([](Start&, Profile&) {})) << "the control";
  EXPECT_FALSE(resumes_with([](Start& start, Profile&) { start.server_name = "b.test"; }));
  EXPECT_FALSE(resumes_with([](Start& start, Profile&) {
    start.owner = std::make_shared<Owner>(Owner{.tenant = "other", .principal = "edge"});
  }));
  EXPECT_FALSE(resumes_with([](Start&, Profile& profile) { profile.tls.name = "other"; }));
  EXPECT_FALSE(resumes_with([](Start&, Profile& profile) { profile.require_ocsp_staple = true; }));
  EXPECT_FALSE(resumes_with([](Start&, Profile& profile) { profile.tls.session_tickets = 0; }));
  Connect(NewStart("a.test"));
  trust_.roots = Bytes(32, 2);
  EXPECT_FALSE(Connect(NewStart("a.test")).resumed) << "other roots";
}

}  // namespace
}  // namespace handfast::handshakes::test
