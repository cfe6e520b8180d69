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

}  // namespace
}  // namespace handfast::client
