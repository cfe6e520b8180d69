// Peers that speak no TLS, or none that we take, or stop speaking: each gets the right alert or a
// plain close on the wire, and its connection ends at once and lets go of what it held.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <future>

#include <gtest/gtest.h>

#include "tests/interop/pki.h"
#include "tests/interop/tcp_server.h"
#include "tests/support/process.h"
#include "tests/tls/connection/libssl_client.h"

namespace handfast::tls::test {
namespace {

using handfast::test::FindProgram;
using handfast::test::Process;
using std::chrono::milliseconds;

// A client that sends whatever it is told to, blocking.
class RawPeer {
 public:
  explicit RawPeer(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const timeval patience{kPatience.count() / 1000, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) std::abort();
  }
  ~RawPeer() { Close(); }

  void Send(ByteView bytes) { send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  void EndSending() { shutdown(fd_, SHUT_WR); }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  // Without an orderly end: the server's next read fails.
  void Reset() {
    const linger at_once{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    Close();
  }
  // Until `size` bytes have come, or the server ends, which must not take long.
  Bytes Receive(size_t size) {
    Bytes all;
    uint8_t chunk[4096];
    ssize_t n = 1;
    while (all.size() < size && (n = recv(fd_, chunk, sizeof(chunk), 0)) > 0) {
      Append(all, ByteView(chunk, static_cast<size_t>(n)));
    }
    EXPECT_GE(n, 0) << "neither bytes nor an end";
    return all;
  }
  Bytes ReceiveAll() { return Receive(SIZE_MAX); }

 private:
  int fd_;
};

class WrongPeerTest : public testing::Test {
 protected:
  WrongPeerTest() : kit_(ServerKit::For(ServerLeaf(KeyType::kEcdsaP256))) {}

  void Start(milliseconds handshake_deadline = kPatience) {
    const ServeOptions options{.handshake_deadline = handshake_deadline};
    served_ =
        std::async(std::launch::async, [this, options] { return server_.Serve(kit_, options); });
    peer_ = std::make_unique<RawPeer>(server_.port());
  }

  // What the server made of it: `alert` is the one that it sent, or that the peer sent.
  void ExpectFailure(Reason reason, Origin origin, std::optional<Alert> alert) {
    const Served served = served_.get();
    SCOPED_TRACE(served.ToText());
    EXPECT_EQ(served.trouble, "");
    EXPECT_EQ(served.established, nullptr);
    EXPECT_EQ(served.state, "Failed");
    EXPECT_EQ(served.credential_holders, 1);
    ASSERT_TRUE(served.failure.has_value());
    EXPECT_EQ(Describe(served.failure->reason).label, Describe(reason).label);
    EXPECT_EQ(served.failure->origin, origin);
    std::optional<uint8_t> code;
    if (alert) code = static_cast<uint8_t>(*alert);
    EXPECT_EQ(served.failure->alert, code);
  }

  // The peer sends `bytes` and waits. The server answers with one plaintext alert, or with nothing,
  // and ends the connection.
  void ExpectAnswer(ByteView bytes, Reason reason, Origin origin, std::optional<Alert> alert) {
    Start();
    peer_->Send(bytes);
    const Bytes answer = peer_->ReceiveAll();
    peer_->Close();
    if (alert) {
      EXPECT_EQ(ToHex(answer),
                "1503030002"
                "02" +
                    ToHex(Bytes{static_cast<uint8_t>(*alert)}));
    } else {
      EXPECT_EQ(ToHex(answer), "");
    }
    ExpectFailure(reason, origin, alert);
  }

  // The peer's bytes up to here, then the server's flight.
  Bytes FirstFlight(int version) {
    LibsslOptions options;
    options.version = version;
    client_ = std::make_unique<LibsslClient>(options);
    return client_->Receive({});
  }
  void ReachServerFlight(int version) {
    peer_->Send(FirstFlight(version));
    EXPECT_GT(peer_->Receive(200).size(), 0u);
  }

  ServerKit kit_;
  TcpServer server_;
  std::future<Served> served_;
  std::unique_ptr<RawPeer> peer_;
  std::unique_ptr<LibsslClient> client_;
};

Bytes Hex(std::string_view hex) { return *FromHex(hex); }

// A ClientHello of the days before extensions: one AES suite, no compression.
Bytes OldClientHello(uint8_t minor_version) {
  Bytes hello =
      Hex("160301002d"
          "01000029"
          "0300");
  hello[10] = minor_version;
  if (minor_version == 0) hello[2] = 0;
  hello.insert(hello.end(), 32, 0x42);
  Append(hello, Hex("00"
                    "0002"
                    "002f"
                    "01"
                    "00"));
  return hello;
}

// ---- No TLS at all: closed without an alert (RFC 8446 §6).

TEST_F(WrongPeerTest, Garbage) {
  ExpectAnswer(Bytes(512, 0xa5), Reason::kNotTls, Origin::kClosed, std::nullopt);
}

TEST_F(WrongPeerTest, OneWrongByte) {
  ExpectAnswer(Bytes(1, 0x00), Reason::kNotTls, Origin::kClosed, std::nullopt);
}

TEST_F(WrongPeerTest, Http) {
  ExpectAnswer(AsBytes("GET / HTTP/1.1\r\nHost: example.test\r\n\r\n"), Reason::kNotTls,
               Origin::kClosed, std::nullopt);
}

TEST_F(WrongPeerTest, Ssh) {
  ExpectAnswer(AsBytes("SSH-2.0-OpenSSH_9.2\r\n"), Reason::kNotTls, Origin::kClosed, std::nullopt);
}

// RFC 5246 §E.2: the version 2 CLIENT-HELLO, here one that asks for TLS 1.2. RFC 8446 §D.5:
// "MUST NOT" be accepted.
TEST_F(WrongPeerTest, Sslv2Hello) {
  Bytes hello =
      Hex("8022"
          "01"
          "0303"
          "0009"
          "0000"
          "0010"
          "00002f"
          "010080"
          "0000ff");
  hello.insert(hello.end(), 16, 0x42);
  ExpectAnswer(hello, Reason::kNotTls, Origin::kClosed, std::nullopt);
}

// ---- TLS, but none of ours.

TEST_F(WrongPeerTest, OldVersions) {
  for (uint8_t minor_version : {0, 1, 2}) {  // SSL 3.0, TLS 1.0, TLS 1.1
    SCOPED_TRACE(static_cast<int>(minor_version));
    ExpectAnswer(OldClientHello(minor_version), Reason::kUnsupportedVersion, Origin::kLocal,
                 Alert::kProtocolVersion);
  }
}

TEST_F(WrongPeerTest, OpensslAtTls10) {
  const std::string openssl = FindProgram("openssl");
  if (openssl.empty()) GTEST_SKIP() << "openssl is not installed";
  Process client({openssl, "s_client", "-connect", "127.0.0.1:" + std::to_string(server_.port()),
                  "-tls1", "-cipher", "DEFAULT@SECLEVEL=0"});
  served_ = std::async(std::launch::async, [this] { return server_.Serve(kit_); });
  const std::optional<int> exit_code = client.WaitForExit(kPatience);
  EXPECT_NE(exit_code.value_or(0), 0);
  EXPECT_NE(client.output().find("alert protocol version"), std::string::npos) << client.output();
  ExpectFailure(Reason::kUnsupportedVersion, Origin::kLocal, Alert::kProtocolVersion);
}

// RFC 8446 §5.2.
TEST_F(WrongPeerTest, RecordTooLong) {
  ExpectAnswer(Hex("16030148ff"), Reason::kRecordOverflow, Origin::kLocal, Alert::kRecordOverflow);
}

TEST_F(WrongPeerTest, ApplicationDataFirst) {
  ExpectAnswer(Hex("170303000568656c6c6f"), Reason::kUnexpectedMessage, Origin::kLocal,
               Alert::kUnexpectedMessage);
}

TEST_F(WrongPeerTest, FinishedFirst) {
  ExpectAnswer(Hex("1603030010"
                   "1400000c"
                   "000000000000000000000000"),
               Reason::kUnexpectedMessage, Origin::kLocal, Alert::kUnexpectedMessage);
}

// RFC 8446 §6.2: a fatal alert gets no answer. The failure names the peer's own.
TEST_F(WrongPeerTest, AlertFirst) {
  Start();
  peer_->Send(Hex("15030100020228"));
  EXPECT_EQ(ToHex(peer_->ReceiveAll()), "");
  peer_->Close();
  ExpectFailure(Reason::kPeerAlert, Origin::kPeerAlert, Alert::kHandshakeFailure);
}

// ---- Closed early.

TEST_F(WrongPeerTest, ClosesAtOnce) {
  Start();
  peer_->Close();
  ExpectFailure(Reason::kPeerClosed, Origin::kClosed, std::nullopt);
}

TEST_F(WrongPeerTest, ClosesInsideTheClientHello) {
  const Bytes hello = FirstFlight(TLS1_3_VERSION);
  for (size_t size : {size_t{1}, size_t{4}, size_t{5}, size_t{9}, hello.size() - 1}) {
    SCOPED_TRACE(size);
    Start();
    peer_->Send(ByteView(hello).first(size));
    peer_->EndSending();
    EXPECT_EQ(ToHex(peer_->ReceiveAll()), "");
    peer_->Close();
    ExpectFailure(Reason::kPeerClosed, Origin::kClosed, std::nullopt);
  }
}

TEST_F(WrongPeerTest, ClosesAfterOurFlight) {
  for (int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    SCOPED_TRACE(version);
    Start();
    ReachServerFlight(version);
    peer_->Close();
    ExpectFailure(Reason::kPeerClosed, Origin::kClosed, std::nullopt);
  }
}

TEST_F(WrongPeerTest, ResetsAfterOurFlight) {
  Start();
  ReachServerFlight(TLS1_3_VERSION);
  peer_->Reset();
  ExpectFailure(Reason::kPeerClosed, Origin::kClosed, std::nullopt);
}

// ---- Silent: the owner gives up at the handshake's deadline.

constexpr milliseconds kSoon{50};

TEST_F(WrongPeerTest, SaysNothing) {
  Start(kSoon);
  EXPECT_EQ(ToHex(peer_->ReceiveAll()), "15030300020250");  // internal_error
  peer_->Close();
  ExpectFailure(Reason::kDeadlineExceeded, Origin::kDeadline, Alert::kInternalError);
}

TEST_F(WrongPeerTest, FallsSilentInsideTheClientHello) {
  Start(kSoon);
  const Bytes hello = FirstFlight(TLS1_3_VERSION);
  peer_->Send(ByteView(hello).first(hello.size() / 2));
  EXPECT_EQ(ToHex(peer_->ReceiveAll()), "15030300020250");
  peer_->Close();
  ExpectFailure(Reason::kDeadlineExceeded, Origin::kDeadline, Alert::kInternalError);
}

TEST_F(WrongPeerTest, FallsSilentAfterOurFlight) {
  for (int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    SCOPED_TRACE(version);
    Start(kSoon);
    peer_->Send(FirstFlight(version));
    const Bytes flight_and_alert = peer_->ReceiveAll();
    // A TLS 1.3 alert is encrypted by now; the last record is one of its size in either version.
    const size_t alert_size = version == TLS1_3_VERSION ? 5 + 2 + 1 + 16 : 5 + 2;
    ASSERT_GT(flight_and_alert.size(), alert_size);
    const ByteView alert = ByteView(flight_and_alert).last(alert_size);
    EXPECT_EQ(alert[0], version == TLS1_3_VERSION ? 23 : 21);
    EXPECT_EQ(alert[4], alert_size - 5);
    peer_->Close();
    ExpectFailure(Reason::kDeadlineExceeded, Origin::kDeadline, Alert::kInternalError);
  }
}

// After all that, the same listener still serves a peer that behaves.
TEST_F(WrongPeerTest, NextOneIsServed) {
  ExpectAnswer(Bytes(512, 0xa5), Reason::kNotTls, Origin::kClosed, std::nullopt);
  Start();
  Bytes to_server = FirstFlight(TLS1_3_VERSION);
  while (!client_->done()) {
    peer_->Send(to_server);
    to_server = client_->Receive(peer_->Receive(1));
  }
  Append(to_server, client_->Write(AsBytes("hello\n")));
  peer_->Send(to_server);
  EXPECT_EQ(AsText(client_->Read(peer_->ReceiveAll())), ReplyTo("hello\n"));
  peer_->Close();
  EXPECT_NE(served_.get().established, nullptr);
}

}  // namespace
}  // namespace handfast::tls::test
