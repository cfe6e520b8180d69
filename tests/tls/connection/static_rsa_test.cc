// Static RSA in TLS 1.2. T1 (Bleichenbacher, ROBOT, Marvin): whatever is wrong with the premaster
// secret, the server asks its key, goes on, and fails at the client's Finished, always alike.
#include <gtest/gtest.h>

#include "tests/tls/connection/malformed_block.h"
#include "tests/tls/connection/wrong_peer.h"
#include "tls/crypto/cipher_suite.h"

namespace handfast::tls::test {
namespace {

using enum ProtocolVersion;

constexpr CipherSuite kSuites[] = {CipherSuite::kRsaAes128GcmSha256, CipherSuite::kRsaAes128CbcSha,
                                   CipherSuite::kRsaAes256CbcSha256};

const Leaf& RsaLeaf() {
  static const TestCa root = TestCa::Create("root");
  static const Leaf leaf = root.Issue({.type = KeyType::kRsa2048, .dns = {"example.test"}});
  return leaf;
}

ServerKit Kit(CipherSuite suite) {
  ServerKit kit = ServerKit::For(RsaLeaf());
  kit.profile.cipher_suites = {suite};
  return kit;
}

ClientScript Script(CipherSuite suite) {
  ClientScript script = Sound(kTls12);
  script.hello.cipher_suites = {suite};
  return script;
}

TEST(StaticRsa, Handshake) {
  for (CipherSuite suite : kSuites) {
    const Outcome outcome = Shake(Kit(suite), Script(suite));
    EXPECT_TRUE(Succeeded(outcome)) << Name(suite);
    EXPECT_EQ(outcome.group, NamedGroup{});
  }
}

TEST(T1_StaticRsa, EveryMalformationFailsAlike) {
  for (CipherSuite suite : kSuites) {
    for (const MalformedBlock& malformed : kMalformedBlocks) {
      ClientScript script = Script(suite);
      script.edit_rsa_block = malformed.spoil;
      const Outcome outcome = Shake(Kit(suite), std::move(script));
      EXPECT_TRUE(Refused(outcome, Reason::kBadRecordMac, Alert::kBadRecordMac)) << malformed.what;
      // An alert in the clear, and nothing else behind the server's flight.
      EXPECT_EQ(outcome.last_record, (Bytes{21, 3, 3, 0, 2, 2, 20})) << malformed.what;
    }
  }
}

Outcome WithBody(CipherSuite suite, const Bytes& body) {
  ClientScript script = Script(suite);
  script.edit_flight = [&](Flight& flight) {
    Bytes message;
    ASSERT_TRUE(AppendMessage(message, tls12::ClientKeyExchange{body}));
    flight[IndexOf(flight, HandshakeType::kClientKeyExchange)].content = message;
  };
  return Shake(Kit(suite), std::move(script));
}

TEST(T1_StaticRsa, WhatIsNoCiphertextFailsAlike) {
  for (CipherSuite suite : kSuites) {
    for (const Bytes& encrypted : {Bytes(), Bytes{1}, Bytes(255, 1), Bytes(257, 1), Bytes(256, 0),
                                   Bytes(256, 1), Bytes(256, 0xff), Bytes(2000, 3)}) {
      const Outcome outcome =
          WithBody(suite, Serialize(tls12::EncryptedPremasterSecret{encrypted}));
      EXPECT_TRUE(Refused(outcome, Reason::kBadRecordMac, Alert::kBadRecordMac))
          << encrypted.size();
    }
  }
}

// What is no vector at all is told: everybody can see it.
TEST(StaticRsa, BodiesOfAnotherForm) {
  Bytes longer = Serialize(tls12::EncryptedPremasterSecret{Bytes(256, 7)});
  longer.push_back(0);
  for (const Bytes& body : {Bytes(), Bytes{0}, Bytes{1, 0}, longer}) {
    EXPECT_TRUE(Refused(WithBody(kSuites[0], body), Reason::kDecodeError, Alert::kDecodeError));
  }
}

// Question by question: the key is asked once, for the secret and not for a signature.
TEST(StaticRsa, TheQuestions) {
  const Recording recording = Record(Kit(kSuites[0]), Script(kSuites[0]));
  ASSERT_TRUE(recording.established()) << recording.client_error;
  std::vector<std::string> states;
  int premasters = 0;
  for (const Event& event : recording.events) {
    states.push_back(event.state_after);
    if (!event.output.question) continue;
    const auto* use = std::get_if<UsePrivateKey>(&*event.output.question);
    if (use == nullptr) continue;
    const auto* premaster = std::get_if<Tls12RsaPremaster>(&use->intent);
    ASSERT_NE(premaster, nullptr);
    ++premasters;
    EXPECT_EQ(premaster->client_version, 0x0303);
    EXPECT_EQ(premaster->encrypted.size(), 256u);
    EXPECT_TRUE(ContentToSign(use->intent).empty());
    EXPECT_EQ(use->credential, "leaf");
  }
  EXPECT_EQ(premasters, 1);
  EXPECT_EQ(states,
            (std::vector<std::string>{"AwaitChoice", "WaitClientKeyExchange", "AwaitPremaster",
                                      "WaitFinished", "WaitFinished", "Connected"}));
  const Established& established = *recording.events.back().output.established;
  EXPECT_EQ(established.signature_scheme, SignatureScheme{});
}

// A holder that refuses, fails, or signs instead of recovering.
TEST(StaticRsa, AnswersThatAreNoSecret) {
  const ServerKit kit = Kit(kSuites[0]);
  const Recording recording = Record(kit, Script(kSuites[0]));
  for (const bool signs : {false, true}) {
    Connection connection = Connection::Server({});
    FixedRandomness randomness;
    const Context fixed{kit.profile, randomness};
    for (const Event& event : recording.events) {
      if (event.state_before == "AwaitPremaster") {
        PrivateKeyUsed used{QuestionId(event.answer), {}, Reason::kPrivateKeyRefused};
        if (signs) used.signature = Bytes(256, 1);
        Stepped stepped = Step(std::move(connection), Answer(used), fixed);
        ASSERT_TRUE(stepped.output.failure.has_value());
        EXPECT_EQ(stepped.output.failure->reason, Reason::kPrivateKeyRefused);
        EXPECT_EQ(stepped.output.failure->alert, 80);
        break;
      }
      const Input input = event.from_peer ? Input(FromPeer{event.bytes}) : Input(event.answer);
      connection = Step(std::move(connection), input, fixed).connection;
    }
  }
}

// ---- The saved form between all steps, with the question for the secret open and CBC keys armed.

// Up to the event with this index.
Connection UpTo(const ServerKit& kit, const Recording& recording, size_t index, bool amnesia) {
  Connection connection = Connection::Server({});
  FixedRandomness randomness;
  const Context context{kit.profile, randomness};
  for (size_t i = 0; i < index; ++i) {
    if (amnesia) connection = *Load(*Save(std::move(connection)));
    const Event& event = recording.events[i];
    const Input input = event.from_peer ? Input(FromPeer{event.bytes}) : Input(event.answer);
    connection = Step(std::move(connection), input, context).connection;
  }
  return connection;
}

TEST(StaticRsa, IsSavedBetweenAllSteps) {
  for (bool etm : {false, true}) {
    const ServerKit kit = Kit(CipherSuite::kRsaAes256CbcSha256);
    ClientScript script = Script(CipherSuite::kRsaAes256CbcSha256);
    if (etm) script.hello.SetHex(ExtensionType::kEncryptThenMac, "");
    const Recording recording = Record(kit, script);
    ASSERT_TRUE(recording.established()) << recording.client_error;
    EXPECT_TRUE(UpTo(kit, recording, recording.events.size(), true).established());
    for (size_t i = 0; i <= recording.events.size(); ++i) {
      const Bytes form = *Save(UpTo(kit, recording, i, false));
      Connection restored = *Load(form);
      if (restored.state_name() == "AwaitPremaster") {
        const auto& use = std::get<UsePrivateKey>(*restored.question());
        EXPECT_EQ(std::get<Tls12RsaPremaster>(use.intent).encrypted.size(), 256u);
      }
      EXPECT_EQ(*Save(std::move(restored)), form);
    }
  }
}

// What passes the digest may be wrong, and must not crash whoever goes on with it.
TEST(StaticRsa, AlteredFormsDoNotCrash) {
  constexpr size_t kChecksum = 16;
  const ServerKit kit = Kit(CipherSuite::kRsaAes128CbcSha);
  const Recording recording = Record(kit, Script(CipherSuite::kRsaAes128CbcSha));
  int loaded = 0;
  for (size_t i = 2; i < recording.events.size(); ++i) {
    const Bytes form = *Save(UpTo(kit, recording, i, false));
    for (size_t at = 4; at < form.size() - kChecksum; ++at) {
      Bytes altered(form.begin(), form.end() - kChecksum);
      altered[at] ^= at % 2 == 0 ? 0x01 : 0xff;
      Append(altered, Hash(HashAlgorithm::kSha256, altered).view().first(kChecksum));
      Result<Connection> connection = Load(altered);
      if (!connection.ok()) continue;
      ++loaded;
      FixedRandomness randomness;
      const Context context{kit.profile, randomness};
      for (size_t next = i; next < recording.events.size(); ++next) {
        const Event& event = recording.events[next];
        const Input input = event.from_peer ? Input(FromPeer{event.bytes}) : Input(event.answer);
        connection = Step(*std::move(connection), input, context).connection;
      }
    }
  }
  EXPECT_GT(loaded, 0);
}

// RFC 5246 §7.4.1.4.1: without signature_algorithms a client means SHA-1, which we sign nothing
// with; here the server signs nothing.
TEST(StaticRsa, WithoutSignatureAlgorithms) {
  constexpr CipherSuite kEcdhe = CipherSuite::kEcdheRsaAes128GcmSha256;
  ServerKit kit = Kit(kSuites[0]);
  kit.profile.cipher_suites = {kEcdhe, kSuites[0]};
  const auto shake = [&](std::vector<CipherSuite> suites) {
    ClientScript script = Sound(kTls12);
    script.hello.cipher_suites = std::move(suites);
    script.hello.Remove(ExtensionType::kSignatureAlgorithms);
    return Shake(kit, std::move(script));
  };
  for (const Outcome& outcome : {shake({kSuites[0]}), shake({kEcdhe, kSuites[0]})}) {
    EXPECT_TRUE(Succeeded(outcome));
    EXPECT_EQ(outcome.cipher_suite, kSuites[0]);
  }
  // The controls: where it would sign it refuses, and with the extension the better suite is taken.
  EXPECT_TRUE(Refused(shake({kEcdhe}), Reason::kNoCommonSignatureScheme, Alert::kHandshakeFailure));
  ClientScript with = Sound(kTls12);
  with.hello.cipher_suites = {kEcdhe, kSuites[0]};
  EXPECT_EQ(Shake(kit, std::move(with)).cipher_suite, kEcdhe);
}

// An ECDSA key cannot, and is not chosen.
TEST(StaticRsa, NeedsAnRsaKey) {
  ServerKit kit = FixedKit();
  kit.profile.cipher_suites = {kSuites[0]};
  EXPECT_TRUE(
      Refused(Shake(kit, Script(kSuites[0])), Reason::kNoCredential, Alert::kHandshakeFailure));
}

// Every byte of the encrypted Finished, under CBC with and without encrypt-then-MAC.
TEST(T2_Cbc, EveryFlippedByteOfFinishedFailsAlike) {
  for (bool etm : {false, true}) {
    ServerKit kit = Kit(CipherSuite::kRsaAes128CbcSha);
    ClientScript script = Script(CipherSuite::kRsaAes128CbcSha);
    if (etm) script.hello.SetHex(ExtensionType::kEncryptThenMac, "");
    const Recording recording = Record(kit, script);
    ASSERT_TRUE(recording.established()) << recording.client_error;
    const Event& last = recording.events.back();
    for (size_t i = kRecordHeaderSize; i < last.bytes.size(); ++i) {
      Connection connection = Connection::Server({});
      FixedRandomness randomness;
      const Context context{kit.profile, randomness};
      for (size_t e = 0; e + 1 < recording.events.size(); ++e) {
        const Event& event = recording.events[e];
        const Input input = event.from_peer ? Input(FromPeer{event.bytes}) : Input(event.answer);
        connection = Step(std::move(connection), input, context).connection;
      }
      Bytes broken = last.bytes;
      broken[i] ^= 0x20;
      const Stepped stepped = Step(std::move(connection), FromPeer{broken}, context);
      ASSERT_TRUE(stepped.output.failure.has_value()) << i;
      ASSERT_EQ(stepped.output.failure->reason, Reason::kBadRecordMac) << i;
      ASSERT_EQ(stepped.output.to_peer, (Bytes{21, 3, 3, 0, 2, 2, 20})) << i;
    }
  }
}

}  // namespace
}  // namespace handfast::tls::test
