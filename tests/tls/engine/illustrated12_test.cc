// A TLS 1.2 handshake of ECDHE_RSA and AES-CBC-SHA that a third party recorded with all of its
// keys: its secrets, its signature, both Finished and its records.
#include <fstream>
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "tests/tls/crypto/vectors.h"
#include "tls/base/secret_access.h"
#include "tls/crypto/cipher_suite.h"
#include "tls/crypto/kex.h"
#include "tls/crypto/sign.h"
#include "tls/engine/intent.h"
#include "tls/engine/key_schedule12.h"
#include "tls/engine/transcript.h"
#include "tls/record/protection.h"
#include "tls/wire/messages.h"

namespace handfast::tls::test {
namespace {

constexpr int kVectors = 5;

std::string Trimmed(const std::string& path) {
  std::ifstream file(path);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  text.erase(text.find_last_not_of(" \n") + 1);
  return text;
}

// The scalar at the end of an X25519 key in PKCS#8.
Bytes X25519Scalar(const std::string& path) {
  const Bytes der = Hex(Trimmed(path));
  return Bytes(der.end() - 32, der.end());
}

// The recorded key is an RSAPrivateKey (RFC 8017 appendix A.1.2), whatever its file is called: in
// the clothes of PKCS#8.
Bytes Pkcs8Of(ByteView rsa_private_key) {
  const auto tagged = [](uint8_t tag, ByteView body) {
    Bytes der = {tag, 0x82, static_cast<uint8_t>(body.size() >> 8),
                 static_cast<uint8_t>(body.size())};
    Append(der, body);
    return der;
  };
  Bytes info = Hex("020100300d06092a864886f70d0101010500");
  Append(info, tagged(0x04, rsa_private_key));
  return tagged(0x30, info);
}

class Illustrated12 : public testing::Test {
 protected:
  void SetUp() override {
    HANDFAST_VECTORS_OR_SKIP(path, "illustrated-tls12/captures.json", kVectors);
    captures_ = nlohmann::json::parse(std::ifstream(path)).at("captures");
    folder_ = path.substr(0, path.rfind('/') + 1);
    client_hello_ = Message("clienthello");
    server_hello_ = Message("serverhello");
    const auto ours = Parse<ClientHello>(Body(client_hello_));
    const auto theirs = Parse<ServerHello>(Body(server_hello_));
    ASSERT_TRUE(ours && theirs);
    std::copy(ours->random.begin(), ours->random.end(), client_random_.begin());
    std::copy(theirs->random.begin(), theirs->random.end(), server_random_.begin());
    suite_ = FindSuite(theirs->cipher_suite);
    ASSERT_EQ(theirs->cipher_suite, CipherSuite::kEcdheRsaAes128CbcSha);
    const Bytes message = Message("clientkeyexchange");
    const auto exchange = Parse<tls12::ClientKeyExchange>(Body(message));
    const auto point = Parse<tls12::ClientEcdhPublic>(exchange->exchange_keys);
    Result<KeyPair> pair = KeyPair::FromPrivate(
        NamedGroup::kX25519, X25519Scalar(folder_ + "server-ephemeral-private.pkcs8.hex"));
    ASSERT_TRUE(pair.ok() && point);
    Result<SharedSecret> premaster = (*std::move(pair)).Derive(point->point);
    ASSERT_TRUE(premaster.ok());
    master_ =
        PlainMasterSecret(suite_->hash, *std::move(premaster), client_random_, server_random_);
  }

  Bytes Record(const char* name) const { return Hex(captures_.at(name).get<std::string>()); }
  // The fragment of a record in the clear: one handshake message.
  Bytes Message(const char* name) const {
    const Bytes record = Record(name);
    return Bytes(record.begin() + kRecordHeaderSize, record.end());
  }
  static ByteView Body(ByteView message) { return message.subspan(kHandshakeHeaderSize); }
  KeyBlock Keys() const { return ExpandKeys(*suite_, master_, client_random_, server_random_); }
  static RecordOpener Opener(TrafficKeys12 keys) {
    return RecordOpener(*RecordKeys::Create(std::move(keys), AeadDirection::kOpen));
  }
  // The plaintext of the next record, and its type.
  Bytes Opened(RecordOpener& opener, const char* name, ContentType type) const {
    Bytes record = Record(name);
    const Result<OpenedRecord> opened = opener.Open(record);
    EXPECT_TRUE(opened.ok()) << name;
    if (!opened.ok()) return {};
    EXPECT_EQ(opened->type, type) << name;
    return Copy(opened->fragment);
  }
  Transcript UpToClientKeyExchange() const {
    Transcript transcript(suite_->hash);
    for (const char* name : {"clienthello", "serverhello", "servercert", "serverkeyexchange",
                             "serverhellodone", "clientkeyexchange"}) {
      transcript.Add(Message(name));
    }
    return transcript;
  }

  nlohmann::json captures_;
  std::string folder_;
  Bytes client_hello_, server_hello_;
  HelloRandom client_random_{}, server_random_{};
  const SuiteInfo* suite_ = nullptr;
  MasterSecret master_;
};

TEST_F(Illustrated12, TheMasterSecretIsThatOfTheKeyLog) {
  const std::string log = captures_.at("keylog.txt").get<std::string>();
  EXPECT_NE(log.find(ToHex(SecretAccess::Open(master_.secret))), std::string::npos);
}

// RFC 5246 §7.4.3: PKCS#1 has no randomness, so our signature is theirs.
TEST_F(Illustrated12, TheServersSignature) {
  const Bytes message = Message("serverkeyexchange");
  const auto exchange = Parse<tls12::ServerKeyExchange>(Body(message));
  ASSERT_TRUE(exchange);
  const Bytes params = Serialize(exchange->params);
  const Bytes content =
      ContentToSign(Tls12ServerKeyExchange{Copy(client_random_), Copy(server_random_), params});
  const Result<PrivateKey> key =
      PrivateKey::FromPkcs8(Pkcs8Of(Hex(Trimmed(folder_ + "server.pkcs8.hex"))));
  ASSERT_TRUE(key.ok());
  const Result<Bytes> ours = key->Sign(exchange->algorithm, content);
  ASSERT_TRUE(ours.ok());
  EXPECT_EQ(ToHex(*ours), ToHex(exchange->signature));
}

TEST_F(Illustrated12, BothFinishedAreRight) {
  KeyBlock keys = Keys();
  Transcript transcript = UpToClientKeyExchange();
  RecordOpener from_client = Opener(std::move(keys.client));
  const Bytes client = Opened(from_client, "clientfinished", ContentType::kHandshake);
  const auto ours =
      FinishedVerifyData12(suite_->hash, master_, "client finished", transcript.Current());
  ASSERT_EQ(client.size(), kHandshakeHeaderSize + ours.size());
  EXPECT_EQ(ToHex(Body(client)), ToHex(ours));
  transcript.Add(client);
  RecordOpener from_server = Opener(std::move(keys.server));
  const Bytes server = Opened(from_server, "serverfinished", ContentType::kHandshake);
  const auto theirs =
      FinishedVerifyData12(suite_->hash, master_, "server finished", transcript.Current());
  ASSERT_EQ(server.size(), kHandshakeHeaderSize + theirs.size());
  EXPECT_EQ(ToHex(Body(server)), ToHex(theirs));
}

TEST_F(Illustrated12, TheRecordsOpenInTheirOrder) {
  KeyBlock keys = Keys();
  RecordOpener from_client = Opener(std::move(keys.client));
  Opened(from_client, "clientfinished", ContentType::kHandshake);
  EXPECT_EQ(AsText(Opened(from_client, "clientdata", ContentType::kApplicationData)), "ping");
  // close_notify, a warning.
  EXPECT_EQ(ToHex(Opened(from_client, "clientalert", ContentType::kAlert)), "0100");
  RecordOpener from_server = Opener(std::move(keys.server));
  Opened(from_server, "serverfinished", ContentType::kHandshake);
  EXPECT_EQ(AsText(Opened(from_server, "serverdata", ContentType::kApplicationData)), "pong");
}

// The control: out of their order, or with a bit flipped, they do not.
TEST_F(Illustrated12, NothingElseOpens) {
  RecordOpener early = Opener(Keys().client);
  Bytes data = Record("clientdata");
  EXPECT_EQ(early.Open(data).reason(), Reason::kBadRecordMac);
  const size_t size = Record("clientfinished").size();
  for (size_t i = kRecordHeaderSize; i < size; ++i) {
    RecordOpener opener = Opener(Keys().client);
    Bytes record = Record("clientfinished");
    record[i] ^= 1;
    EXPECT_EQ(opener.Open(record).reason(), Reason::kBadRecordMac) << i;
  }
}

}  // namespace
}  // namespace handfast::tls::test
