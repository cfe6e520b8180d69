// T2, Lucky13 and POODLE on TLS: under AES-CBC whatever is wrong with a record, its IV, padding,
// MAC or length, is answered with the same reason and the same bytes, in both roles. The control is
// the sound record, and one that is wrong in what everybody can see. (Each padding byte with a
// right MAC, and time: tests/tls/crypto, cbc_test; tests/constant_time.)
#include <set>

#include "tests/badpeer/edit_message.h"
#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {
namespace {

constexpr CipherSuite kSuites[] = {
    CipherSuite::kEcdheEcdsaAes128CbcSha, CipherSuite::kEcdheEcdsaAes256CbcSha,
    CipherSuite::kEcdheEcdsaAes128CbcSha256, CipherSuite::kEcdheEcdsaAes256CbcSha384};

// Of the client that is under test, ours offers encrypt-then-MAC and our peer takes it.
struct Case {
  Side side;
  CipherSuite suite;
  bool encrypt_then_mac;
};
std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const CipherSuite suite : kSuites) {
    cases.push_back({kServer12, suite, false});
    cases.push_back({kServer12, suite, true});
    cases.push_back({kClient12, suite, true});
  }
  return cases;
}
std::string CaseName(const testing::TestParamInfo<Case>& info) {
  return std::string(info.param.side.name) + "_" + Name(info.param.suite) +
         (info.param.encrypt_then_mac ? "_EtM" : "");
}

class T2_Cbc : public testing::TestWithParam<Case> {
 protected:
  static Meeting With(Script script = {}) {
    const auto& [side, suite, encrypt_then_mac] = GetParam();
    Meeting meeting(side, std::move(script));
    meeting.kit.profile.cipher_suites = {suite};
    meeting.peer_kit.profile.cipher_suites = {suite};
    meeting.hello.cipher_suites = {suite};
    if (encrypt_then_mac) meeting.hello.SetHex(ExtensionType::kEncryptThenMac, "");
    return meeting;
  }
  // The peer's Finished, the one record that is protected.
  static Place Protected() {
    const Meeting meeting = With();
    const std::unique_ptr<Peer> peer = meeting.MakePeer();
    Tested tested(meeting);
    EXPECT_TRUE(Succeeded(Meet(tested, *peer)));
    return Find(peer->sound(), HandshakeType::kFinished);
  }
};
INSTANTIATE_TEST_SUITE_P(All, T2_Cbc, testing::ValuesIn(Cases()), CaseName);

testing::AssertionResult IsRefusedAlike(const Outcome& outcome) {
  return Refused(outcome, Reason::kBadRecordMac, Alert::kBadRecordMac);
}

Outcome TryOnWire(const Meeting& sound, Place place, const std::function<void(Bytes&)>& edit) {
  Meeting meeting = sound;
  meeting.script = {OnWire(place, edit)};
  return Try(meeting);
}

TEST_P(T2_Cbc, EachFlippedByte) {
  const Place place = Protected();
  size_t size = 0;
  EXPECT_TRUE(Succeeded(TryOnWire(With(), place, [&](Bytes& record) { size = record.size(); })));
  ASSERT_GT(size, kRecordHeaderSize + 48);
  for (size_t i = kRecordHeaderSize; i < size; ++i) {
    for (const uint8_t bit : {0x01, 0x80}) {
      EXPECT_TRUE(IsRefusedAlike(TryOnWire(With(), place, [&](Bytes& r) { r[i] ^= bit; }))) << i;
    }
  }
}

// Blocks that are taken away, doubled or exchanged: paddings and MACs of other places.
TEST_P(T2_Cbc, OtherBlocks) {
  const Place place = Protected();
  const auto with_body = [&](const std::function<void(Bytes&)>& edit) {
    return TryOnWire(With(), place, [&](Bytes& record) {
      Bytes body(record.begin() + kRecordHeaderSize, record.end());
      edit(body);
      record.resize(kRecordHeaderSize);
      Append(record, body);
      record = test::WithLength(record, {3, 2}, body.size());
    });
  };
  EXPECT_TRUE(Succeeded(with_body([](Bytes&) {})));
  const std::function<void(Bytes&)> edits[] = {
      [](Bytes& b) { b.resize(b.size() - 16); },
      [](Bytes& b) { b.resize(b.size() - 1); },
      [](Bytes& b) { b.resize(32); },
      [](Bytes& b) { b.resize(16); },
      [](Bytes& b) { b.clear(); },
      [](Bytes& b) { Append(b, Bytes(b.end() - 16, b.end())); },
      [](Bytes& b) { b.insert(b.end(), 16, 0); },
      [](Bytes& b) { b.insert(b.begin(), 16, 0); },
      // POODLE: another block in the place of that with the padding.
      [](Bytes& b) { std::copy_n(b.begin() + 16, 16, b.end() - 16); },
      [](Bytes& b) { std::swap_ranges(b.begin() + 16, b.begin() + 32, b.end() - 16); },
      [](Bytes& b) { b.assign(b.size(), 0); },
      [](Bytes& b) { b.assign(320, 0); },
  };
  for (const auto& edit : edits) {
    EXPECT_TRUE(IsRefusedAlike(with_body(edit))) << &edit - edits;
  }
  // The control: what is wrong for everybody to see has a reason of its own.
  EXPECT_FALSE(IsRefusedAlike(with_body([](Bytes& b) { b.resize((1 << 14) + 2049); })));
}

// One answer, to the byte: of a server, which speaks in the clear until it has said Finished.
TEST_P(T2_Cbc, WithTheSameBytes) {
  if (!GetParam().side.server) GTEST_SKIP() << "a client's answer is protected";
  const Place place = Protected();
  std::set<Bytes> answers;
  for (const size_t from_end : {1, 2, 16, 17, 33, 48, 49}) {
    Meeting meeting = With({OnWire(place, [from_end](Bytes& r) { r[r.size() - from_end] ^= 4; })});
    const std::unique_ptr<Peer> peer = meeting.MakePeer();
    Tested tested(meeting);
    answers.insert(tested.Receive(peer->Receive(tested.Receive(peer->Begin()))));
  }
  EXPECT_EQ(answers, std::set<Bytes>{*FromHex("15030300020214")});
}

// ---- They are off by default, in both roles.

TEST_P(T2_Cbc, IsOffByDefault) {
  Meeting meeting = With();
  meeting.kit.profile.cipher_suites = IntermediateProfile().cipher_suites;
  const bool server = GetParam().side.server;
  if (server) {
    EXPECT_TRUE(Refused(Try(meeting), Reason::kNoCommonCipherSuite, Alert::kHandshakeFailure));
    return;
  }
  meeting.peer_kit.profile.cipher_suites = meeting.kit.profile.cipher_suites;
  meeting.script = {EditAs<ServerHello>(
      {0, 0}, "Suite", [suite = GetParam().suite](auto& m) { m.cipher_suite = suite; })};
  EXPECT_TRUE(Refused(Try(meeting), Reason::kSuiteNotOffered, Alert::kIllegalParameter));
}

}  // namespace
}  // namespace handfast::tls::badpeer
