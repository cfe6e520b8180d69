// RFC 8448 replayed byte for byte through Step: the simple 1-RTT handshake (§3), the one with
// client authentication (§6) and the one in compatibility mode (§7). The HelloRetryRequest (§5) is
// in tests/tls/engine, as it enters in mid-handshake.
#include <utility>

#include <gtest/gtest.h>

#include "tests/tls/connection/rfc8448_trace.h"
#include "tls/base/secret_access.h"
#include "tls/connection/connection.h"
#include "tls/engine/intent.h"
#include "tls/record/deframer.h"
#include "tls/record/protection.h"

namespace handfast::tls::test {
namespace {

// A server that runs against one trace and answers from it.
class Replay {
 public:
  Replay(const Case& trace, const Profile& profile, SignatureScheme scheme)
      : trace_(trace),
        profile_(profile),
        randomness_(RandomnessOf(trace)),
        credential_(CredentialOf(trace, scheme)),
        connection_(Connection::Server({})) {}

  void Give(const Input& input) {
    Stepped stepped = Step(std::move(connection_), input, Context{profile_, randomness_});
    connection_ = std::move(stepped.connection);
    output = std::move(stepped.output);
    Append(sent, output.to_peer);
  }

  // From the ClientHello to the server's Finished.
  void RunServerFlight() {
    const Bytes hello = trace_.hex("Record_ClientHello_1");
    Give(FromPeer{hello});
    ASSERT_TRUE(output.question.has_value());
    const Choose* choose = std::get_if<Choose>(&*output.question);
    ASSERT_NE(choose, nullptr);
    EXPECT_EQ(choose->server_name, "server");
    EXPECT_TRUE(output.to_peer.empty());
    Give(Chosen{choose->id, credential_, Reason::kNoCredential});
    ASSERT_TRUE(output.question.has_value());
    const UsePrivateKey* use = std::get_if<UsePrivateKey>(&*output.question);
    ASSERT_NE(use, nullptr);
    if (trace_.has("Server_MessageToSign")) {
      EXPECT_EQ(ContentToSign(use->intent), trace_.hex("Server_MessageToSign"));
    }
    Give(PrivateKeyUsed{use->id, trace_.hex("Server_MessageSignature"), Reason::kPrivateKeyFailed});
    EXPECT_EQ(ToHex(sent), ToHex(trace_.hex("Record_ServerHello")) +
                               ToHex(trace_.hex("Record_ServerHandshakeMessages")));
  }

  Connection Take() { return std::move(connection_); }

  Output output;
  Bytes sent;

 private:
  const Case& trace_;
  const Profile& profile_;
  FixedRandomness randomness_;
  std::shared_ptr<const Credential> credential_;
  Connection connection_;
};

TrafficKeys CopyOf(const TrafficKeys& keys) {
  const TrafficKeys13& k = std::get<TrafficKeys13>(keys);
  return TrafficKeys13{k.suite, *HashSecret::From(SecretAccess::Open(k.secret)), k.sequence};
}

RecordOpener OpenerFor(const TrafficKeys& keys) {
  return RecordOpener(*RecordKeys::Create(CopyOf(keys), AeadDirection::kOpen));
}
RecordSealer SealerFor(const TrafficKeys& keys) {
  return RecordSealer(*RecordKeys::Create(CopyOf(keys), AeadDirection::kSeal));
}

// Opens `record` and seals what was in it again: the same record must come out.
void ExpectRecord(RecordOpener& opener, RecordSealer& sealer, Bytes record, ContentType type,
                  Bytes& plaintext) {
  const Bytes expected = record;
  const Result<OpenedRecord> opened = opener.Open(record);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->type, type);
  plaintext = Copy(opened->fragment);
  Bytes sealed;
  ASSERT_TRUE(sealer.Seal(type, plaintext, kMaxPlaintext, sealed).ok());
  EXPECT_EQ(ToHex(sealed), ToHex(expected));
}

constexpr char kCloseNotify[] = "0100";

TEST(Rfc8448_Connection, Section3_Simple1RttHandshake) {
  HANDFAST_VECTORS_OR_SKIP(path, kTraces, "1 trace, 10 records");
  const std::optional<Case> trace = FindTrace(path, "Simple_1RTT_Handshake");
  ASSERT_TRUE(trace.has_value());
  const Profile profile = ProfileOfTraces();
  Replay replay(*trace, profile, SignatureScheme::kRsaPssRsaeSha256);
  replay.RunServerFlight();
  const Bytes finished = trace->hex("Record_ClientFinished");
  replay.Give(FromPeer{finished});
  ASSERT_NE(replay.output.established, nullptr);
  EXPECT_EQ(replay.output.established->cipher_suite, CipherSuite::kTlsAes128GcmSha256);
  EXPECT_EQ(replay.output.established->group, NamedGroup::kX25519);

  Result<ReleasedKeys> keys = ReleaseKeys(replay.Take());
  ASSERT_TRUE(keys.ok());
  RecordOpener client_opener = OpenerFor(keys->read);
  RecordSealer client_sealer = SealerFor(keys->read);
  RecordOpener server_opener = OpenerFor(keys->write);
  RecordSealer server_sealer = SealerFor(keys->write);
  Bytes plaintext;
  ExpectRecord(server_opener, server_sealer, trace->hex("Record_NewSessionTicket"),
               ContentType::kHandshake, plaintext);
  EXPECT_EQ(plaintext[0], static_cast<uint8_t>(HandshakeType::kNewSessionTicket));
  ExpectRecord(client_opener, client_sealer, trace->hex("Record_Client_AppData"),
               ContentType::kApplicationData, plaintext);
  EXPECT_EQ(plaintext, trace->hex("Client_AppData"));
  ExpectRecord(server_opener, server_sealer, trace->hex("Record_Server_AppData"),
               ContentType::kApplicationData, plaintext);
  EXPECT_EQ(plaintext, trace->hex("Server_AppData"));
  ExpectRecord(client_opener, client_sealer, trace->hex("Record_Client_CloseNotify"),
               ContentType::kAlert, plaintext);
  EXPECT_EQ(ToHex(plaintext), kCloseNotify);
  ExpectRecord(server_opener, server_sealer, trace->hex("Record_Server_CloseNotify"),
               ContentType::kAlert, plaintext);
  EXPECT_EQ(ToHex(plaintext), kCloseNotify);
}

// The negative control: one bit of the trace's Finished, and it is refused.
TEST(Rfc8448_Connection, Section3_AlteredFinishedIsRefused) {
  HANDFAST_VECTORS_OR_SKIP(path, kTraces, "1 trace");
  const std::optional<Case> trace = FindTrace(path, "Simple_1RTT_Handshake");
  ASSERT_TRUE(trace.has_value());
  const Profile profile = ProfileOfTraces();
  Replay replay(*trace, profile, SignatureScheme::kRsaPssRsaeSha256);
  replay.RunServerFlight();
  Bytes finished = trace->hex("Record_ClientFinished");
  finished[10] ^= 1;
  replay.Give(FromPeer{finished});
  EXPECT_EQ(replay.output.established, nullptr);
  ASSERT_TRUE(replay.output.failure.has_value());
  EXPECT_EQ(replay.output.failure->reason, Reason::kBadRecordMac);
}

TEST(Rfc8448_Connection, Section7_MiddleboxCompatibilityMode) {
  HANDFAST_VECTORS_OR_SKIP(path, kTraces, "1 trace, 5 records");
  const std::optional<Case> trace = FindTrace(path, "Middlebox_Compatibility_Mode");
  ASSERT_TRUE(trace.has_value());
  const Profile profile = ProfileOfTraces();
  Replay replay(*trace, profile, SignatureScheme::kRsaPssRsaeSha256);
  replay.RunServerFlight();
  const Bytes finished = trace->hex("Record_ClientFinished");  // ChangeCipherSpec before it
  replay.Give(FromPeer{finished});
  ASSERT_NE(replay.output.established, nullptr);
  Result<ReleasedKeys> keys = ReleaseKeys(replay.Take());
  ASSERT_TRUE(keys.ok());
  RecordOpener opener = OpenerFor(keys->read);
  RecordSealer sealer = SealerFor(keys->read);
  Bytes plaintext;
  ExpectRecord(opener, sealer, trace->hex("Record_Client_CloseNotify"), ContentType::kAlert,
               plaintext);
  EXPECT_EQ(ToHex(plaintext), kCloseNotify);
}

// The client of §6 signs with an RSA key of 1024 bits, which nobody should accept: our flight is
// the trace's, the client's certificate is read, and its signature is refused for its key.
TEST(Rfc8448_Connection, Section6_ClientAuthenticationUpToItsWeakKey) {
  HANDFAST_VECTORS_OR_SKIP(path, kTraces, "1 trace, 3 records");
  const std::optional<Case> trace = FindTrace(path, "Client_Authentication_Handshake");
  ASSERT_TRUE(trace.has_value());
  Profile profile = ProfileOfTraces();
  profile.client_auth = ClientAuth::kRequired;
  profile.signature_schemes.clear();
  for (uint16_t scheme : {0x0403, 0x0503, 0x0603, 0x0203, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501,
                          0x0601, 0x0201, 0x0402, 0x0502, 0x0602, 0x0202}) {
    profile.signature_schemes.push_back(static_cast<SignatureScheme>(scheme));
  }
  Replay replay(*trace, profile, SignatureScheme::kEcdsaSecp256r1Sha256);
  replay.RunServerFlight();
  const Bytes flight = trace->hex("Record_ClientFinished");  // Certificate, CertificateVerify too
  replay.Give(FromPeer{flight});
  ASSERT_TRUE(replay.output.question.has_value());
  const VerifyPeer* verify = std::get_if<VerifyPeer>(&*replay.output.question);
  ASSERT_NE(verify, nullptr);
  EXPECT_EQ(verify->chain.size(), 1u);
  replay.Give(PeerVerdict{verify->id, std::nullopt});
  ASSERT_TRUE(replay.output.failure.has_value());
  EXPECT_EQ(replay.output.failure->reason, Reason::kBadSignature);
}

}  // namespace
}  // namespace handfast::tls::test
