#include "client/core/released_keys.h"

#include <gtest/gtest.h>

#include "tls/base/secret_access.h"

namespace handfast::client {
namespace {

using tls::SecretAccess;

TEST(ReleasedKeysTest, TakesTrafficSecrets) {
  v1::Established established;
  established.set_cipher_suite_id(0x1302);
  v1::TrafficSecrets& secrets = *established.mutable_traffic_secrets();
  secrets.set_write_secret(std::string(48, 'w'));
  secrets.set_read_secret(std::string(48, 'r'));
  secrets.set_write_sequence(2);
  secrets.set_read_sequence(3);
  const ReleasedKeys keys = TakeKeys(established);
  const auto& both = std::get<ReleasedKeys13>(keys);
  EXPECT_EQ(both.write.suite, tls::CipherSuite::kTlsAes256GcmSha384);
  EXPECT_EQ(tls::AsText(SecretAccess::Open(both.write.secret)), std::string(48, 'w'));
  EXPECT_EQ(tls::AsText(SecretAccess::Open(both.read.secret)), std::string(48, 'r'));
  EXPECT_EQ(both.write.sequence, 2u);
  EXPECT_EQ(both.read.sequence, 3u);
  EXPECT_EQ(established.keys_case(), v1::Established::KEYS_NOT_SET);
}

TEST(ReleasedKeysTest, TakesTrafficKeys) {
  v1::Established established;
  established.set_cipher_suite_id(0xc02b);
  for (v1::DirectionKeys* keys : {established.mutable_traffic_keys()->mutable_write(),
                                  established.mutable_traffic_keys()->mutable_read()}) {
    keys->set_key(std::string(16, 'k'));
    keys->set_salt("salt");
    keys->set_rec_seq(1);
  }
  const ReleasedKeys keys = TakeKeys(established);
  const auto& both = std::get<ReleasedKeys12>(keys);
  EXPECT_EQ(tls::AsText(SecretAccess::Open(both.read.key)), std::string(16, 'k'));
  EXPECT_EQ(tls::AsText(SecretAccess::Open(both.read.iv)), "salt");
  EXPECT_EQ(both.read.sequence, 1u);
}

TEST(ReleasedKeysTest, NoneWhereThereAreNoneOrTheyAreTooLong) {
  v1::Established established;
  EXPECT_EQ(TakeKeys(established).index(), 0u);
  established.mutable_traffic_secrets()->set_write_secret(std::string(49, 'w'));
  EXPECT_EQ(TakeKeys(established).index(), 0u);
  EXPECT_EQ(established.keys_case(), v1::Established::KEYS_NOT_SET);
}

}  // namespace
}  // namespace handfast::client
