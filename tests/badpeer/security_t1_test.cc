// T1, Bleichenbacher, ROBOT, Marvin: whatever is wrong with the premaster secret of static RSA, the
// server goes on and fails at the client's Finished, with one alert and not a byte more. The
// negative control is a holder of the key that says when its padding is wrong. (Time:
// tests/constant_time.)
#include <set>

#include "tests/badpeer/asking.h"
#include "tests/badpeer/edit_message.h"
#include "tests/badpeer/meeting.h"
#include "tests/tls/connection/malformed_block.h"

namespace handfast::tls::badpeer {
namespace {

using test::kMalformedBlocks;
using test::MalformedBlock;

constexpr CipherSuite kSuites[] = {CipherSuite::kRsaAes128GcmSha256, CipherSuite::kRsaAes128CbcSha,
                                   CipherSuite::kRsaAes256CbcSha256};

// A server with an RSA key that does static RSA, and a client that wants nothing else.
Meeting StaticRsa(CipherSuite suite) {
  static const test::TestCa ca = test::TestCa::Create("root");
  static const test::Leaf leaf = ca.Issue({.type = KeyType::kRsa2048, .dns = {"example.test"}});
  Meeting meeting(kServer12);
  const test::ServerKit identity = test::ServerKit::For(leaf);
  meeting.kit.credential = identity.credential;
  meeting.kit.key = identity.key;
  meeting.kit.profile.cipher_suites = {suite};
  meeting.hello.cipher_suites = {suite};
  return meeting;
}

testing::AssertionResult FailsAtFinished(const Outcome& outcome) {
  return Refused(outcome, Reason::kBadRecordMac, Alert::kBadRecordMac);
}

// Where the message is that holds the secret.
Place KeyExchangeIn(const Meeting& meeting) {
  const std::unique_ptr<Peer> peer = meeting.MakePeer();
  Tested tested(meeting);
  EXPECT_TRUE(Succeeded(Meet(tested, *peer)));
  return Find(peer->sound(), HandshakeType::kClientKeyExchange);
}

TEST(T1_StaticRsa, EachMalformedBlockFailsAlike) {
  for (const CipherSuite suite : kSuites) {
    const Outcome sound = Try(StaticRsa(suite));
    EXPECT_TRUE(Succeeded(sound)) << Name(suite) << sound;
    EXPECT_FALSE(FailsAtFinished(sound));
    for (const MalformedBlock& malformed : kMalformedBlocks) {
      Meeting meeting = StaticRsa(suite);
      meeting.edit_rsa_block = malformed.spoil;
      EXPECT_TRUE(FailsAtFinished(Try(meeting))) << malformed.what;
    }
  }
}

// Numbers of other lengths, of the modulus's length and beyond the modulus, and none.
TEST(T1_StaticRsa, WhatIsNoCiphertextFailsAlike) {
  Meeting sound = StaticRsa(kSuites[0]);
  // Else the client's CertificateVerify, which covers what is altered here, fails first.
  sound.kit.profile.client_auth = ClientAuth::kNone;
  const Place place = KeyExchangeIn(sound);
  for (const Bytes& encrypted : {Bytes(), Bytes{1}, Bytes(255, 1), Bytes(257, 1), Bytes(256, 0),
                                 Bytes(256, 1), Bytes(256, 0xff), Bytes(2000, 3)}) {
    Meeting meeting = sound;
    meeting.script = {EditAs<tls12::ClientKeyExchange>(
        place, "Encrypted",
        [keys = Serialize(tls12::EncryptedPremasterSecret{encrypted})](auto& message) {
          message.exchange_keys = keys;
        })};
    EXPECT_TRUE(FailsAtFinished(Try(meeting))) << encrypted.size();
  }
}

// One message after the other: at no point before Finished is anything said.
TEST(T1_StaticRsa, NothingIsSaidBeforeFinished) {
  std::set<Bytes> answers;
  for (const MalformedBlock& malformed : kMalformedBlocks) {
    Meeting meeting = StaticRsa(kSuites[0]);
    meeting.edit_rsa_block = malformed.spoil;
    const std::unique_ptr<Peer> peer = meeting.MakePeer();
    Tested tested(meeting);
    ByteView left;
    const Bytes flight = peer->Receive(tested.Receive(peer->Begin()));
    for (left = flight; !left.empty();) {
      const size_t size = kRecordHeaderSize + test::LengthAt(Copy(left.first(5)), {3, 2});
      const Bytes answer = tested.Receive(left.first(size));
      left = left.subspan(size);
      EXPECT_EQ(answer.empty(), !left.empty()) << malformed.what;
      if (!answer.empty()) answers.insert(answer);
    }
  }
  EXPECT_EQ(answers, std::set<Bytes>{*FromHex("15030300020214")});
}

// A holder of the key as plain decryption would have it: the oracle is there, and is found.
TEST(T1_StaticRsa, Control) {
  for (const MalformedBlock& malformed : kMalformedBlocks) {
    Meeting meeting = StaticRsa(kSuites[0]);
    meeting.edit_rsa_block = malformed.spoil;
    const Outcome outcome = TryAsking(meeting, [](const Question& question) {
      const auto* use = std::get_if<UsePrivateKey>(&question);
      const bool premaster =
          use != nullptr && std::holds_alternative<Tls12RsaPremaster>(use->intent);
      return premaster ? std::optional<Input>(
                             Answer(PrivateKeyUsed{use->id, {}, Reason::kPrivateKeyFailed}))
                       : std::nullopt;
    });
    EXPECT_FALSE(FailsAtFinished(outcome)) << malformed.what;
    EXPECT_TRUE(Refused(outcome, Reason::kPrivateKeyFailed, Alert::kInternalError));
  }
}

// ---- It is off by default, in both roles.

TEST(T1_Default, AServerDoesNotDoIt) {
  Meeting meeting = StaticRsa(kSuites[0]);
  meeting.kit.profile.cipher_suites = IntermediateProfile().cipher_suites;
  EXPECT_TRUE(Refused(Try(meeting), Reason::kNoCommonCipherSuite, Alert::kHandshakeFailure));
}

TEST(T1_Default, AClientDoesNotTakeIt) {
  for (const CipherSuite suite : kSuites) {
    const auto with = [suite](const Profile& profile) {
      Meeting meeting(kClient12, {EditAs<ServerHello>({0, 0}, "Suite", [suite](ServerHello& m) {
                        m.cipher_suite = suite;
                      })});
      meeting.kit.profile.cipher_suites = profile.cipher_suites;
      return Try(meeting);
    };
    EXPECT_TRUE(
        Refused(with(IntermediateProfile()), Reason::kSuiteNotOffered, Alert::kIllegalParameter));
    // The control: one that offers it stumbles over what comes next.
    EXPECT_NE(with(LegacyProfile()).reason, Describe(Reason::kSuiteNotOffered).label);
  }
}

}  // namespace
}  // namespace handfast::tls::badpeer
