// Peers that speak no TLS, or none that we take, or stop speaking, before the edge and the service
// together: what the engine alone does with them is tests/interop/wrong_peers_test's business. Each
// gets its alert or a plain close, neither program keeps anything of it, and the next one is
// served.

#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/client/edge/edge_fixture.h"
#include "tests/support/net.h"
#include "tls/base/bytes.h"

namespace handfast::test {
namespace {

constexpr const char* kLive = "handfast_live_handshakes";
constexpr const char* kHandshakes = "handfast_handshakes_total";
constexpr const char* kEnded = "handfast_edge_connections_ended_total";

// Whole records, in hex: fatal alerts in plaintext.
constexpr const char* kProtocolVersion = "15030300020246";
constexpr const char* kInternalError = "15030300020250";
constexpr const char* kPlainClose = "";

// Of a handshake: far longer than a good one takes, on a busy machine too, and short to wait for.
constexpr const char* kSoonSeconds = "1";

std::string Unhex(std::string_view hex) { return std::string(tls::AsText(*tls::FromHex(hex))); }

// A ClientHello of the days before extensions: one AES suite, no compression.
std::string OldClientHello(char minor_version) {
  std::string hello = Unhex("160301002d010000290300");
  hello[10] = minor_version;
  return hello + std::string(32, '\x42') + Unhex("000002002f0100");
}

// The first half of a ClientHello, in a whole record: the service waits for the rest.
std::string HalfAClientHello() {
  const std::string message = MakeClientHello("www.test").substr(5);
  const std::string half = message.substr(0, message.size() / 2);
  const std::string size = {static_cast<char>(half.size() >> 8), static_cast<char>(half.size())};
  return "\x16\x03\x01" + size + half;
}

class WrongPeersTest : public EdgeTest {
 protected:
  enum class Then { kWaits, kEnds };

  void SetUp() override {
    EdgeTest::SetUp();
    if (HasFatalFailure()) return;
    edge_ = StartEdge({"--backend", backend_.address()});
    ASSERT_TRUE(edge_->serving());
  }

  // For peers that fall silent.
  void Hurry() {
    edge_ = StartEdge({"--backend", backend_.address(), "--handshake-timeout", kSoonSeconds});
    ASSERT_TRUE(edge_->serving());
  }

  // All that a peer is sent that says this, in hex. It reads to the end.
  std::string AnswerTo(std::string_view bytes, Then then = Then::kWaits) {
    const int fd = ConnectTo(edge_->port());
    EXPECT_TRUE(SendAll(fd, bytes));
    if (then == Then::kEnds) shutdown(fd, SHUT_WR);
    bool reset = false;
    const std::string answer = ReceiveAll(fd, &reset);
    EXPECT_FALSE(reset);
    close(fd);
    return tls::ToHex(tls::AsBytes(answer));
  }

  double Failures(const std::string& reason) const {
    return Handfastd::Sum(service_.Metrics(), kHandshakes, "reason=\"" + reason + "\"");
  }

  // After one wrong peer, which `how` ended.
  void ExpectRecovered(const std::string& how) {
    EXPECT_TRUE(edge_->WaitForMetric(kEnded, how, 1)) << edge_->process().output();
    EXPECT_TRUE(edge_->WaitForMetric("handfast_edge_connections", "", 0));
    EXPECT_TRUE(Handfastd::WaitForSum(service_.admin(), kLive, "", 0));
    EXPECT_NE(service_.Metrics().find(std::string("\n") + kLive + " "), std::string::npos);
    EXPECT_EQ(backend_.connections(), 0);
    TlsClient good(edge_->port(), Options());
    ASSERT_TRUE(good.ok()) << good.error() << edge_->process().output();
    ASSERT_TRUE(good.Write("hello"));
    EXPECT_EQ(good.ReadExactly(5), "hello");
  }

  Server backend_{Echo};
  std::unique_ptr<Edge> edge_;
};

// ---- No TLS at all: closed without an alert (RFC 8446 §6).

TEST_F(WrongPeersTest, Garbage) {
  EXPECT_EQ(AnswerTo(std::string(512, '\xa5')), kPlainClose);
  EXPECT_EQ(Failures("not_tls"), 1);
  ExpectRecovered("handshake_failed");
}

TEST_F(WrongPeersTest, Http) {
  EXPECT_EQ(AnswerTo("GET / HTTP/1.1\r\nHost: www.test\r\n\r\n"), kPlainClose);
  EXPECT_EQ(Failures("not_tls"), 1);
  ExpectRecovered("handshake_failed");
}

// RFC 5246 §E.2: the version 2 CLIENT-HELLO, here one that asks for TLS 1.2.
TEST_F(WrongPeersTest, Sslv2Hello) {
  const std::string hello = Unhex("802201030300090000001000002f0100800000ff");
  EXPECT_EQ(AnswerTo(hello + std::string(16, '\x42')), kPlainClose);
  EXPECT_EQ(Failures("not_tls"), 1);
  ExpectRecovered("handshake_failed");
}

// ---- TLS, but none of ours.

TEST_F(WrongPeersTest, Tls10) {
  EXPECT_EQ(AnswerTo(OldClientHello(1)), kProtocolVersion);
  EXPECT_EQ(Failures("unsupported_version"), 1);
  ExpectRecovered("handshake_failed");
}

TEST_F(WrongPeersTest, Tls11) {
  EXPECT_EQ(AnswerTo(OldClientHello(2)), kProtocolVersion);
  EXPECT_EQ(Failures("unsupported_version"), 1);
  ExpectRecovered("handshake_failed");
}

// ---- Closed early.

// The service has not heard of it: nothing begins before a record is whole.
TEST_F(WrongPeersTest, ClosesInsideARecord) {
  const std::string hello = MakeClientHello("www.test");
  EXPECT_EQ(AnswerTo(hello.substr(0, hello.size() / 2), Then::kEnds), kPlainClose);
  EXPECT_EQ(Handfastd::Sum(service_.Metrics(), kHandshakes), 0);
  ExpectRecovered("closed_early");
}

TEST_F(WrongPeersTest, ClosesInsideTheClientHello) {
  EXPECT_EQ(AnswerTo(HalfAClientHello(), Then::kEnds), kPlainClose);
  EXPECT_EQ(Failures("peer_closed"), 1);
  ExpectRecovered("handshake_failed");
}

// It still gets the flight that it asked for, and then a plain close.
TEST_F(WrongPeersTest, ClosesAfterTheClientHello) {
  const std::string answer = AnswerTo(MakeClientHello("www.test"), Then::kEnds);
  EXPECT_EQ(answer.substr(0, 6), "160303") << "ServerHello";
  EXPECT_EQ(Failures("peer_closed"), 1);
  ExpectRecovered("handshake_failed");
}

// ---- Silent.

// Nobody has spoken TLS yet, so nobody is told in TLS.
TEST_F(WrongPeersTest, SaysNothing) {
  Hurry();
  EXPECT_EQ(AnswerTo(""), kPlainClose);
  EXPECT_EQ(Handfastd::Sum(service_.Metrics(), kHandshakes), 0);
  ExpectRecovered("handshake_timeout");
}

TEST_F(WrongPeersTest, FallsSilentInsideTheClientHello) {
  Hurry();
  EXPECT_EQ(AnswerTo(HalfAClientHello()), kInternalError);
  EXPECT_EQ(Failures("deadline_exceeded"), 1);
  ExpectRecovered("handshake_failed");
}

// The alert is encrypted by now: two bytes, the type, and the tag.
TEST_F(WrongPeersTest, FallsSilentAfterOurFlight) {
  Hurry();
  const std::string answer = AnswerTo(MakeClientHello("www.test"));
  ASSERT_GT(answer.size(), 48u);
  EXPECT_EQ(answer.substr(0, 6), "160303") << "ServerHello";
  EXPECT_EQ(answer.substr(answer.size() - 48, 10), "1703030013");
  EXPECT_EQ(Failures("deadline_exceeded"), 1);
  ExpectRecovered("handshake_failed");
}

// The negative control: what is live is seen to be live, and goes with its peer.
TEST_F(WrongPeersTest, AHandshakeThatHangsIsLive) {
  const int fd = ConnectTo(edge_->port());
  ASSERT_TRUE(SendAll(fd, HalfAClientHello()));
  EXPECT_TRUE(Handfastd::WaitForSum(service_.admin(), kLive, "", 1));
  close(fd);
  ExpectRecovered("handshake_failed");
  EXPECT_EQ(Failures("peer_closed"), 1);
}

}  // namespace
}  // namespace handfast::test
