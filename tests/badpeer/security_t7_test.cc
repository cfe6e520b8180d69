// T7, FREAK, Logjam, NULL, anonymous, RC4, 3DES, static DH: of all 65,536 suites none but those of
// the lists is known, picked or taken, and those of the second by no profile but `legacy`. (What a
// server picks, suite by suite: tests/tls/connection, T7_CipherSuites.)
#include <algorithm>
#include <set>

#include "tests/badpeer/edit_message.h"
#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {
namespace {

// RFC 9325 §4.2 and RFC 8446 §B.4: ephemeral ECDH and AEAD.
const std::set<int> kAllowed = {0x1301, 0x1302, 0x1303, 0xc02b, 0xc02c,
                                0xc02f, 0xc030, 0xcca8, 0xcca9};

// AES-CBC, DHE over RFC 7919's groups, static RSA.
const std::set<int> kLegacy = {0x002f, 0x0033, 0x0035, 0x0039, 0x003c, 0x003d, 0x0067,
                               0x006b, 0x009c, 0x009d, 0x009e, 0x009f, 0xc009, 0xc00a,
                               0xc013, 0xc014, 0xc023, 0xc024, 0xc027, 0xc028, 0xccaa};

TEST(T7_Suites, NoneElseIsKnown) {
  for (int id = 0; id < 0x10000; ++id) {
    EXPECT_EQ(FindSuite(static_cast<CipherSuite>(id)) != nullptr,
              kAllowed.contains(id) || kLegacy.contains(id))
        << id;
  }
}

TEST(T7_Suites, LegacyOnesAreOffUnlessAskedFor) {
  for (const Profile& profile : {ModernProfile(), IntermediateProfile()}) {
    for (const CipherSuite suite : profile.cipher_suites) {
      EXPECT_TRUE(kAllowed.contains(static_cast<int>(suite))) << Name(suite);
    }
  }
  // The control: the one profile that lists them.
  const std::vector<CipherSuite> legacy = LegacyProfile().cipher_suites;
  EXPECT_EQ(
      std::count_if(legacy.begin(), legacy.end(),
                    [](CipherSuite suite) { return kLegacy.contains(static_cast<int>(suite)); }),
      static_cast<std::ptrdiff_t>(kLegacy.size()));
}

// A ServerHello that names any other than what was offered.
TEST(T7_Suites, AClientTakesNoOther) {
  const Meeting meeting(kClient13);
  Tested tested(meeting);
  const std::unique_ptr<Peer> peer = meeting.MakePeer();
  const Bytes flight = peer->Receive(tested.Begin());
  const size_t record = kRecordHeaderSize + test::LengthAt(flight, {3, 2});
  Bytes hello(flight.begin(), flight.begin() + static_cast<std::ptrdiff_t>(record));
  const size_t at = kRecordHeaderSize + kHandshakeHeaderSize + 2 + kRandomSize + 1 + 32;
  ASSERT_EQ(hello[at], 0x13);
  const Bytes waiting = *Save(tested.driver().Take());
  test::FixedRandomness randomness;
  const Context context{meeting.kit.profile, randomness};
  int taken = 0;
  for (int id = 0; id < 0x10000; ++id) {
    hello[at] = static_cast<uint8_t>(id >> 8);
    hello[at + 1] = static_cast<uint8_t>(id);
    const Stepped stepped = Step(*Load(waiting), FromPeer{hello}, context);
    const bool allowed = id >= 0x1301 && id <= 0x1303;
    ASSERT_EQ(!stepped.output.failure, allowed) << id;
    taken += allowed ? 1 : 0;
    if (allowed) continue;
    ASSERT_EQ(stepped.output.failure->reason, Reason::kSuiteNotOffered) << id;
    ASSERT_EQ(stepped.output.failure->alert, static_cast<uint8_t>(Alert::kIllegalParameter)) << id;
  }
  EXPECT_EQ(taken, 3);  // the control
}

// Finite-field and other groups that are not on the list, in any order around one that is.
TEST(T7_Groups, OnlyTheListedAreUsed) {
  for (int id = 0; id < 0x10000; id += (id < 0x400 ? 1 : 251)) {
    const auto group = static_cast<NamedGroup>(id);
    const bool listed = group == NamedGroup::kX25519 || group == NamedGroup::kSecp256r1 ||
                        group == NamedGroup::kSecp384r1;
    const Bytes body = {0, 2, static_cast<uint8_t>(id >> 8), static_cast<uint8_t>(id)};
    Meeting meeting(kServer12);
    meeting.hello.Set(ExtensionType::kSupportedGroups, body);
    const Outcome outcome = Try(meeting);
    ASSERT_EQ(static_cast<bool>(Succeeded(outcome)), listed) << id;
    if (listed) continue;
    ASSERT_TRUE(Refused(outcome, Reason::kNoCommonGroup, Alert::kHandshakeFailure)) << id;
  }
}

}  // namespace
}  // namespace handfast::tls::badpeer
