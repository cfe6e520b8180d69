#include "client/core/ladder.h"

#include <gtest/gtest.h>

namespace handfast::client {
namespace {

std::string Joined(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

TEST(LadderTest, DrawsAClientHelloWithItsFields) {
  v1::HandshakeMessage message;
  message.set_sender(v1::HandshakeMessage::PEER);
  v1::ClientHello& hello = *message.mutable_client_hello();
  hello.set_version("TLSv1.3");
  hello.set_random(std::string(32, '\x11'));
  hello.add_cipher_suites("TLS_AES_128_GCM_SHA256");
  hello.add_compression_methods(0);
  v1::Extension& extension = *hello.add_extensions();
  extension.set_name("server_name");
  extension.set_summary("www.test");
  EXPECT_EQ(Joined(DrawMessage(message)),
            "  |-- ClientHello -------------------------------------------------------->|\n"
            "  |    version      TLSv1.3                                                |\n"
            "  |    random       11111111...                                            |\n"
            "  |    session id   empty                                                  |\n"
            "  |    suites       TLS_AES_128_GCM_SHA256                                 |\n"
            "  |    compression  null                                                   |\n"
            "  |    extensions   server_name=www.test                                   |\n");
}

TEST(LadderTest, MarksWhatIsEncryptedAndPointsTheOtherWay) {
  v1::HandshakeMessage message;
  message.set_sender(v1::HandshakeMessage::SERVICE);
  message.set_encrypted(true);
  message.mutable_finished()->set_verify_data("abcdefgh");
  EXPECT_EQ(Joined(DrawMessage(message)),
            "  |<--------------------------------------------------------- Finished * --|\n"
            "  |    verify data  61626364...                                            |\n");
}

TEST(LadderTest, ShowsAStapledResponseInEitherVersion) {
  v1::HandshakeMessage message;
  message.set_sender(v1::HandshakeMessage::SERVICE);
  message.mutable_certificate_status()->set_ocsp_response_length(312);
  EXPECT_EQ(Joined(DrawMessage(message)),
            "  |<-------------------------------------------------- CertificateStatus --|\n"
            "  |    status       OCSP response of 312 bytes                             |\n");
  v1::CertificateEntry& entry = *message.mutable_certificate()->add_entries();
  EXPECT_EQ(Joined(DrawMessage(message)).find("OCSP"), std::string::npos);
  entry.set_ocsp_response_length(312);
  EXPECT_NE(Joined(DrawMessage(message)).find("OCSP response of 312"), std::string::npos);
}

TEST(LadderTest, SaysHowLongAMessageWithoutAViewIs) {
  v1::HandshakeMessage message;
  message.set_sender(v1::HandshakeMessage::PEER);
  message.set_length(186);
  EXPECT_EQ(Joined(DrawMessage(message)),
            "  |-- message ------------------------------------------------------------>|\n"
            "  |    length       186 bytes                                              |\n");
}

TEST(LadderTest, EveryLineHasTheSameWidthAndNothingForATerminalToObey) {
  v1::HandshakeMessage message;
  v1::ClientHello& hello = *message.mutable_client_hello();
  for (int i = 0; i < 40; ++i) hello.add_cipher_suites("TLS_SUITE_" + std::to_string(i * i * i));
  hello.add_extensions()->set_name(std::string(200, 'n'));
  hello.add_extensions()->set_summary("\x1b[2J\r\n\x07");
  const Lines lines = DrawMessage(message);
  for (const std::string& line : lines) {
    EXPECT_EQ(line.size(), lines[0].size()) << line;
    for (const char c : line) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
  }
}

TEST(LadderTest, SaysWhatBecameOfIt) {
  v1::Failure failure;
  failure.set_origin(v1::Failure::LOCAL);
  failure.set_reason("no_common_cipher_suite");
  failure.set_alert(40);
  failure.set_alert_name("handshake_failure");
  failure.set_rfc("RFC 8446 §4.1.1");
  EXPECT_EQ(Joined(DrawFailure(failure)),
            "  x failed: no_common_cipher_suite, alert handshake_failure (RFC 8446 §4.1.1)\n");
}

TEST(LadderTest, TurnsRoundWhereTheServiceIsTheClient) {
  v1::HandshakeMessage message;
  message.set_sender(v1::HandshakeMessage::SERVICE);
  message.mutable_server_hello_done();
  EXPECT_EQ(Joined(DrawMessage(message, v1::ROLE_CLIENT)),
            "  |-- ServerHelloDone ---------------------------------------------------->|\n");
  message.set_sender(v1::HandshakeMessage::PEER);
  EXPECT_EQ(Joined(DrawMessage(message, v1::ROLE_CLIENT)),
            "  |<---------------------------------------------------- ServerHelloDone --|\n");
  EXPECT_EQ(Joined(DrawMessage(message, v1::ROLE_CLIENT)).size(), Joined(DrawHead()).size())
      << "the names end above the posts";
  EXPECT_EQ(DrawHead(v1::ROLE_CLIENT)[0].size(), DrawHead()[0].size());
  EXPECT_EQ(DrawHead(v1::ROLE_CLIENT)[0].rfind("  service  ", 0), 0u);
  EXPECT_EQ(DrawHead()[0].rfind("  client  ", 0), 0u);
}

TEST(LadderTest, SetsANoteBesideTheArrowAlone) {
  v1::HandshakeMessage message;
  message.set_sender(v1::HandshakeMessage::SERVICE);
  message.mutable_encrypted_extensions();
  const Lines lines = DrawMessage(message, v1::ROLE_SERVER, "12 EncryptedExtensions");
  EXPECT_EQ(lines[0],
            "  |<------------------------------------------------ EncryptedExtensions --| "
            "12 EncryptedExtensions");
  EXPECT_LE(lines[0].size(), 100u) << "a terminal's width";
  EXPECT_EQ(lines[1], DrawMessage(message)[1]);
}

// The mission asks for one suite with its key exchange, its cipher and its digest.
TEST(LadderTest, SaysWhatASuiteIsMadeOf) {
  v1::HandshakeMessage message;
  message.set_sender(v1::HandshakeMessage::SERVICE);
  // The lines of the suite, without the posts and the spaces before them.
  const auto drawn = [&](const char* suite) {
    message.mutable_server_hello()->set_cipher_suite(suite);
    std::string text;
    for (std::string line : DrawMessage(message)) {
      line = line.substr(3, line.size() - 4);
      line.erase(line.find_last_not_of(' ') + 1);
      for (const char* name : {"    suite ", "    key ex", "    cipher", "    digest"}) {
        if (line.rfind(name, 0) == 0) text += line.substr(4) + "\n";
      }
    }
    return text;
  };
  EXPECT_EQ(drawn("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
            "suite        TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\n"
            "key exchange ECDHE_RSA\n"
            "cipher       AES_256_GCM\n"
            "digest       SHA384\n");
  EXPECT_EQ(drawn("TLS_RSA_WITH_AES_128_CBC_SHA"),
            "suite        TLS_RSA_WITH_AES_128_CBC_SHA\n"
            "key exchange RSA\n"
            "cipher       AES_128_CBC\n"
            "digest       SHA\n");
  EXPECT_EQ(drawn("TLS_CHACHA20_POLY1305_SHA256"),
            "suite        TLS_CHACHA20_POLY1305_SHA256\n"
            "key exchange by extension\n"
            "cipher       CHACHA20_POLY1305\n"
            "digest       SHA256\n");
  EXPECT_EQ(drawn("0x1a2a"), "suite        0x1a2a\n");
}

TEST(LadderTest, SaysWhatWasAgreedAndWhy) {
  v1::Established established;
  established.set_version(v1::PROTOCOL_VERSION_TLS13);
  established.set_cipher_suite("TLS_AES_128_GCM_SHA256");
  established.set_group("x25519");
  established.mutable_peer()->add_dns_names("www.test");
  established.mutable_peer()->add_uris("spiffe://test/a");
  v1::Explanation& explanation = *established.add_explanations();
  explanation.set_what("alpn");
  explanation.set_why("the client offered none");
  const std::string agreed = "  = established: TLSv1.3, TLS_AES_128_GCM_SHA256, x25519\n";
  const std::string why = "  ? alpn (none)\n      the client offered none\n";
  EXPECT_EQ(Joined(DrawEstablished(established)),
            agreed + "  = the client is spiffe://test/a\n" + why);
  EXPECT_EQ(Joined(DrawEstablished(established, v1::ROLE_CLIENT)),
            agreed + "  = the server is www.test\n" + why);
}

TEST(LadderTest, NamesWhoseAlertItWas) {
  v1::Failure failure;
  failure.set_origin(v1::Failure::PEER_ALERT);
  failure.set_reason("peer_alert");
  failure.set_alert(48);
  failure.set_alert_name("unknown_ca");
  EXPECT_EQ(Joined(DrawFailure(failure)),
            "  x failed: peer_alert, the client's alert unknown_ca\n");
  EXPECT_EQ(Joined(DrawFailure(failure, v1::ROLE_CLIENT)),
            "  x failed: peer_alert, the server's alert unknown_ca\n");
}

}  // namespace
}  // namespace handfast::client
