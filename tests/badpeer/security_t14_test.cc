// T14, points off the curve and of small order, through whole handshakes: Wycheproof's points in a
// client's key_share, a ClientKeyExchange and a server's key_share. The negative control is
// Wycheproof's valid points, of which none is refused as a point.
#include "tests/badpeer/edit_message.h"
#include "tests/badpeer/meeting.h"
#include "tests/tls/crypto/vectors.h"

namespace handfast::tls::badpeer {
namespace {

using T14_Points = EverySide;
INSTANTIATE_TEST_SUITE_P(All, T14_Points, testing::ValuesIn(kSides), SideName);

// The peer's share of `group` is `point`.
Meeting WithPoint(const Side& side, NamedGroup group, const Bytes& point) {
  Meeting meeting(side);
  meeting.kit.profile.groups = {group};
  meeting.peer_kit.profile.groups = {group};
  if (!side.tls13() && !side.server) {
    // Signed as it is sent, or nobody would look at it.
    const Bytes params =
        Serialize(tls12::ServerEcdhParams{tls12::ServerEcdhParams::kNamedCurve, group, point});
    meeting.edit_signed_content = [params](Bytes& content) {
      content.resize(2 * kRandomSize);
      Append(content, params);
    };
    meeting.script = {EditAs<tls12::ServerKeyExchange>(
        {0, 2}, "Point", [point](auto& message) { message.params.point = point; })};
  } else if (!side.tls13()) {
    meeting.script = {EditAs<tls12::ClientKeyExchange>(
        {1, 1}, "Point", [keys = Serialize(tls12::ClientEcdhPublic{point})](auto& message) {
          message.exchange_keys = keys;
        })};
  } else if (side.server) {
    meeting.script = {SetExtension<ClientHello>({0, 0}, ExtensionType::kKeyShare,
                                                Serialize(KeyShareClientHello{{{group, point}}}))};
  } else {
    meeting.script = {SetExtension<ServerHello>({0, 0}, ExtensionType::kKeyShare,
                                                Serialize(KeyShareServerHello{{group, point}}))};
  }
  return meeting;
}

testing::AssertionResult IsRefused(const Outcome& outcome) {
  return Refused(outcome, Reason::kBadKeyShare, Alert::kIllegalParameter);
}

TEST_P(T14_Points, WycheproofP256) {
  HANDFAST_VECTORS_OR_SKIP(path, "wycheproof/ecdh_secp256r1_ecpoint_test.json", 355);
  int refused = 0;
  int taken = 0;
  for (const auto& group : test::TestGroups(path)) {
    for (const auto& vector : group["tests"]) {
      const Bytes point = test::Hex(vector["public"]);
      if (point.empty()) continue;  // breaks the layout before it is a point; see T11
      const Outcome outcome = Try(WithPoint(side(), NamedGroup::kSecp256r1, point));
      // The one "acceptable" point is compressed, which neither version has.
      if (vector["result"] == "valid") {
        EXPECT_FALSE(IsRefused(outcome)) << vector["tcId"];
        EXPECT_NE(outcome.reason, Describe(Reason::kBadKeyShare).label) << vector["tcId"];
        ++taken;
      } else {
        EXPECT_TRUE(IsRefused(outcome)) << vector["tcId"];
        ++refused;
      }
    }
  }
  RecordProperty("refused", refused);
  EXPECT_GT(refused, 5);
  EXPECT_GT(taken, 200);
}

// RFC 8446 §7.4.2: an all-zero secret; and the same points with the high bit that RFC 7748 masks.
TEST_P(T14_Points, WycheproofX25519OfSmallOrder) {
  HANDFAST_VECTORS_OR_SKIP(path, "wycheproof/x25519_test.json", 518);
  const std::string zero(64, '0');
  int refused = 0;
  int taken = 0;
  for (const auto& group : test::TestGroups(path)) {
    for (const auto& vector : group["tests"]) {
      const Bytes point = test::Hex(vector["public"]);
      const bool small = vector["shared"] == zero;
      if (!small && taken >= 20) continue;
      const Outcome outcome = Try(WithPoint(side(), NamedGroup::kX25519, point));
      EXPECT_EQ(static_cast<bool>(IsRefused(outcome)), small) << vector["tcId"];
      (small ? refused : taken) += 1;
    }
  }
  EXPECT_GT(refused, 20);
  EXPECT_EQ(taken, 20);
}

// Without vectors: forms and lengths that no group has. The last is the control.
TEST_P(T14_Points, OfOtherForms) {
  const KeyPair pair =
      *KeyPair::FromPrivate(NamedGroup::kSecp256r1, test::ClientScalar(NamedGroup::kSecp256r1));
  const Bytes good = Copy(pair.public_key());
  Bytes compressed(good.begin(), good.begin() + 33);
  compressed[0] = 2;
  Bytes hybrid = good;
  hybrid[0] = 6;
  Bytes off = good;
  off.back() ^= 1;
  Bytes longer = good;
  longer.push_back(0);
  const Bytes shorter(good.begin(), good.end() - 1);
  for (const Bytes& point : {Bytes{0}, compressed, hybrid, off, longer, shorter, Bytes(65, 0)}) {
    EXPECT_TRUE(IsRefused(Try(WithPoint(side(), NamedGroup::kSecp256r1, point)))) << ToHex(point);
  }
  EXPECT_NE(Try(WithPoint(side(), NamedGroup::kSecp256r1, good)).reason,
            Describe(Reason::kBadKeyShare).label);
}

}  // namespace
}  // namespace handfast::tls::badpeer
