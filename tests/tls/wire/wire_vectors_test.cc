// Third parties' messages: Botan's parsing vectors with the outcome that they expect, and the
// public fuzzing corpora of s2n-tls and rustls as plain unit tests.
#include <gtest/gtest.h>

#include "tests/tls/crypto/vectors.h"
#include "tests/tls/wire/corpus.h"
#include "tls/wire/client_hello_extensions.h"
#include "tls/wire/extensions.h"
#include "tls/wire/messages.h"

namespace handfast::tls::test {
namespace {

constexpr size_t kHeader = 5;  // of a record

// Every case of a file: parsed exactly where no exception is expected, and written back as it was.
template <class M>
void RunBotan(const std::string& path, size_t expected_cases) {
  const std::vector<Case> cases = ReadCases(path, "Exception");
  EXPECT_GE(cases.size(), expected_cases);
  for (const Case& c : cases) {
    const Bytes buffer = c.hex("Buffer");
    const auto parsed = Parse<M>(buffer);
    EXPECT_EQ(parsed.has_value(), c.text("Exception").empty()) << c.text("Buffer");
    if (parsed) {
      EXPECT_EQ(ToHex(Serialize(*parsed)), ToHex(buffer));
    }
  }
}

TEST(BotanVectors, ServerHello12) {
  HANDFAST_VECTORS_OR_SKIP(path, "botan/tls/server_hello.vec", 6);
  RunBotan<ServerHello>(path, 6);
}
TEST(BotanVectors, ServerHello13) {
  HANDFAST_VECTORS_OR_SKIP(path, "botan/tls_13/server_hello.vec", 8);
  RunBotan<ServerHello>(path, 8);
}
TEST(BotanVectors, HelloRetryRequestIsKnownByItsRandom) {
  HANDFAST_VECTORS_OR_SKIP(path, "botan/tls_13/server_hello.vec", 8);
  int retries = 0;
  for (const Case& c : ReadCases(path, "Exception")) {
    const Bytes buffer = c.hex("Buffer");
    const auto hello = Parse<ServerHello>(buffer);
    const bool retry = hello && Equal(hello->random, kHelloRetryRequestRandom);
    EXPECT_EQ(retry, c.text("Message_Type") == "hello_retry_request");
    retries += retry;
  }
  EXPECT_EQ(retries, 1);
}
// The level 0 of one case is the connection's to judge: the layout knows no levels.
TEST(BotanVectors, Alert) {
  HANDFAST_VECTORS_OR_SKIP(path, "botan/tls/alert.vec", 6);
  const std::vector<Case> cases = ReadCases(path, "Exception");
  EXPECT_EQ(cases.size(), 6u);
  for (const Case& c : cases) {
    const bool bad_size = c.text("Exception").starts_with("Bad size");
    const Bytes buffer = c.hex("Buffer");
    EXPECT_EQ(Parse<AlertMessage>(buffer).has_value(), !bad_size) << c.text("Buffer");
  }
}

constexpr char kExtensions[] = "botan/tls_extensions/parsing/";

TEST(BotanVectors, Alpn) {
  HANDFAST_VECTORS_OR_SKIP(path, std::string(kExtensions) + "alpn.vec", 6);
  RunBotan<ProtocolNameList>(path, 6);
}
TEST(BotanVectors, Cookie) {
  HANDFAST_VECTORS_OR_SKIP(path, std::string(kExtensions) + "cookie.vec", 8);
  RunBotan<Cookie>(path, 8);
}
TEST(BotanVectors, KeyShareClientHello) {
  HANDFAST_VECTORS_OR_SKIP(path, std::string(kExtensions) + "key_share_CH.vec", 4);
  RunBotan<KeyShareClientHello>(path, 4);
}
TEST(BotanVectors, KeyShareHelloRetryRequest) {
  HANDFAST_VECTORS_OR_SKIP(path, std::string(kExtensions) + "key_share_HRR.vec", 2);
  RunBotan<KeyShareHelloRetryRequest>(path, 2);
}
TEST(BotanVectors, KeyShareServerHello) {
  HANDFAST_VECTORS_OR_SKIP(path, std::string(kExtensions) + "key_share_SH.vec", 2);
  RunBotan<KeyShareServerHello>(path, 2);
}
TEST(BotanVectors, SignatureAlgorithms) {
  HANDFAST_VECTORS_OR_SKIP(path, std::string(kExtensions) + "signature_algorithms_cert.vec", 5);
  RunBotan<SignatureSchemeList>(path, 5);
}
TEST(BotanVectors, SupportedGroups) {
  HANDFAST_VECTORS_OR_SKIP(path, std::string(kExtensions) + "supported_groups.vec", 6);
  RunBotan<NamedGroupList>(path, 6);
}
TEST(BotanVectors, SupportedVersions) {
  HANDFAST_VECTORS_OR_SKIP(path, std::string(kExtensions) + "supported_versions.vec", 2);
  RunBotan<SupportedVersionsClientHello>(path, 2);
}

// ---- Corpora: no crash, and what parses is written as it was.

template <class M>
bool ParsesAndReserializes(ByteView body) {
  const auto parsed = Parse<M>(body);
  if (parsed) {
    EXPECT_EQ(ToHex(Serialize(*parsed)), ToHex(body));
  }
  return parsed.has_value();
}

TEST(T11_Corpus, S2nClientHellos) {
  HANDFAST_VECTORS_OR_SKIP(path, "corpora/s2n_client_hello.jsonl", 608);
  int parsed = 0;
  const std::vector<CorpusInput> inputs = ReadCorpus(path);
  EXPECT_EQ(inputs.size(), 608u);
  for (const CorpusInput& input : inputs) {
    const auto hello = Parse<ClientHello>(input.bytes);
    if (!hello) continue;
    ++parsed;
    EXPECT_EQ(ToHex(Serialize(*hello)), ToHex(input.bytes)) << input.name;
    const auto extensions = ReadExtensions(*hello);
    EXPECT_TRUE(extensions.ok() || extensions.reason() != Reason::kInternalError) << input.name;
  }
  EXPECT_GT(parsed, 0);
}

bool ParseByType(HandshakeType type, ByteView body) {
  switch (type) {
    case HandshakeType::kClientHello:
      return ParsesAndReserializes<ClientHello>(body);
    case HandshakeType::kServerHello:
      return ParsesAndReserializes<ServerHello>(body);
    case HandshakeType::kEncryptedExtensions:
      return ParsesAndReserializes<EncryptedExtensions>(body);
    case HandshakeType::kCertificate:
      return ParsesAndReserializes<tls12::Certificate>(body) ||
             ParsesAndReserializes<tls13::Certificate>(body);
    case HandshakeType::kCertificateRequest:
      return ParsesAndReserializes<tls12::CertificateRequest>(body) ||
             ParsesAndReserializes<tls13::CertificateRequest>(body);
    case HandshakeType::kServerKeyExchange:
      return ParsesAndReserializes<tls12::ServerKeyExchange>(body);
    case HandshakeType::kClientKeyExchange:
      return ParsesAndReserializes<tls12::ClientKeyExchange>(body);
    case HandshakeType::kCertificateVerify:
      return ParsesAndReserializes<CertificateVerify>(body);
    case HandshakeType::kCertificateStatus:
      return ParsesAndReserializes<CertificateStatus>(body);
    case HandshakeType::kFinished:
      return ParsesAndReserializes<Finished>(body);
    case HandshakeType::kKeyUpdate:
      return ParsesAndReserializes<KeyUpdate>(body);
    default:
      return false;
  }
}

TEST(T11_Corpus, RustlsMessages) {
  HANDFAST_VECTORS_OR_SKIP(path, "corpora/rustls_messages.jsonl", 502);
  std::map<HandshakeType, int> parsed;
  int alerts = 0;
  const std::vector<CorpusInput> inputs = ReadCorpus(path);
  EXPECT_EQ(inputs.size(), 502u);
  for (const CorpusInput& input : inputs) {
    if (input.bytes.size() <= kHeader) continue;
    const ByteView body = ByteView(input.bytes).subspan(kHeader);
    if (input.bytes[0] == static_cast<uint8_t>(ContentType::kAlert)) {
      alerts += ParsesAndReserializes<AlertMessage>(body);
    } else if (input.bytes[0] == static_cast<uint8_t>(ContentType::kHandshake) &&
               body.size() >= kHandshakeHeaderSize) {
      const auto type = static_cast<HandshakeType>(body[0]);
      parsed[type] += ParseByType(type, body.subspan(kHandshakeHeaderSize));
    }
  }
  // The negative control: whole messages are among them, and they parse.
  EXPECT_GT(parsed[HandshakeType::kClientHello], 0);
  EXPECT_GT(parsed[HandshakeType::kServerHello], 0);
  EXPECT_GT(alerts, 0);
}

}  // namespace
}  // namespace handfast::tls::test
