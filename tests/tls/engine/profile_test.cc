// The profiles that are built in, setting by setting, as files: a change of policy shows in review.
#include "tls/engine/profile.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/testdata/golden.h"
#include "tls/crypto/cipher_suite.h"
#include "tls/crypto/kex.h"

namespace handfast::tls::test {
namespace {

TEST(Profile, Snapshots) {
  for (const Profile& profile : {ModernProfile(), IntermediateProfile(), LegacyProfile()}) {
    handfast::test::ExpectGolden("profiles/" + profile.name + ".txt", ToText(profile));
  }
}

TEST(Profile, EverySettingIsInTheText) {
  Profile profile = ModernProfile();
  const std::string before = ToText(profile);
  const auto changes = [&](auto change) {
    Profile other = profile;
    change(other);
    return ToText(other) != before;
  };
  EXPECT_TRUE(changes([](Profile& p) { p.name = "x"; }));
  EXPECT_TRUE(changes([](Profile& p) { p.versions.push_back(ProtocolVersion::kTls12); }));
  EXPECT_TRUE(changes([](Profile& p) { p.cipher_suites.pop_back(); }));
  EXPECT_TRUE(changes([](Profile& p) { p.groups.pop_back(); }));
  EXPECT_TRUE(changes([](Profile& p) { p.signature_schemes.pop_back(); }));
  EXPECT_TRUE(changes([](Profile& p) { p.certificate_schemes.pop_back(); }));
  EXPECT_TRUE(changes([](Profile& p) { p.client_auth = ClientAuth::kOptional; }));
  EXPECT_TRUE(changes([](Profile& p) { p.certificate_authorities.push_back({1}); }));
  EXPECT_TRUE(changes([](Profile& p) { p.refuse_unknown_names = true; }));
  EXPECT_TRUE(changes([](Profile& p) { p.require_extended_master_secret = false; }));
  EXPECT_TRUE(changes([](Profile& p) { p.require_renegotiation_info = false; }));
  EXPECT_TRUE(changes([](Profile& p) { p.record_size_limit = 64; }));
}

// T7, T9: what is built in names nothing weak, and nothing that we cannot do.
// RFC 8446 §9.3: a client offers no more, §B.3.1.4: and no obsolete group.
TEST(Profile, T7_OnlyWhatIsImplementedAndStrong) {
  for (const Profile& profile : {ModernProfile(), IntermediateProfile()}) {
    for (CipherSuite suite : profile.cipher_suites) {
      const SuiteInfo* info = FindSuite(suite);
      ASSERT_NE(info, nullptr) << Name(suite);
      EXPECT_NE(std::count(profile.versions.begin(), profile.versions.end(), info->version), 0);
    }
    for (NamedGroup group : profile.groups) {
      EXPECT_TRUE(Implemented(group) || IsHybrid(group)) << Name(group);
    }
    for (SignatureScheme scheme : profile.signature_schemes) {
      EXPECT_NE(scheme, SignatureScheme::kRsaPkcs1Sha1);
      EXPECT_NE(scheme, SignatureScheme::kEcdsaSha1);
    }
    for (SignatureScheme scheme : profile.certificate_schemes) {
      EXPECT_NE(scheme, SignatureScheme::kRsaPkcs1Sha1);
      EXPECT_NE(scheme, SignatureScheme::kEcdsaSha1);
    }
    for (ProtocolVersion version : profile.versions) EXPECT_GE(version, ProtocolVersion::kTls12);
    EXPECT_TRUE(profile.require_extended_master_secret);
    EXPECT_TRUE(profile.require_renegotiation_info);
  }
}

// Legacy begins as intermediate does, has what is worse in order of how bad it is, and all there
// is.
TEST(Profile, LegacyIsIntermediateAndWorse) {
  const Profile intermediate = IntermediateProfile();
  const Profile legacy = LegacyProfile();
  const auto begins = [](const auto& longer, const auto& shorter) {
    return longer.size() > shorter.size() &&
           std::equal(shorter.begin(), shorter.end(), longer.begin());
  };
  EXPECT_TRUE(begins(legacy.cipher_suites, intermediate.cipher_suites));
  EXPECT_TRUE(begins(legacy.groups, intermediate.groups));
  EXPECT_TRUE(legacy.require_renegotiation_info);
  SuiteKeyExchange last = SuiteKeyExchange::kAny;
  for (CipherSuite suite : legacy.cipher_suites) {
    const SuiteInfo* info = FindSuite(suite);
    ASSERT_NE(info, nullptr) << Name(suite);
    EXPECT_GE(info->key_exchange, last) << Name(suite);
    last = info->key_exchange;
  }
  for (int id = 0; id < 0x10000; ++id) {
    const auto suite = static_cast<CipherSuite>(id);
    EXPECT_EQ(std::count(legacy.cipher_suites.begin(), legacy.cipher_suites.end(), suite),
              FindSuite(suite) != nullptr)
        << id;
  }
  for (NamedGroup group : legacy.groups) {
    EXPECT_TRUE(Implemented(group) || IsHybrid(group)) << Name(group);
  }
}

}  // namespace
}  // namespace handfast::tls::test
