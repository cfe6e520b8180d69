// The scripted client itself, unspoilt: the negative control of all tests that spoil it.
#include <gtest/gtest.h>

#include "tests/tls/connection/scenario.h"

namespace handfast::tls::test {
namespace {

class ScriptedClientTest : public testing::TestWithParam<Scenario> {};

TEST_P(ScriptedClientTest, Completes) {
  const Scenario& scenario = GetParam();
  const ServerKit kit = KitFor(scenario);
  FixedRandomness randomness;
  ServerDriver server(kit, {}, randomness);
  ScriptedClient client(ScriptFor(scenario));
  Bytes to_server = client.Start();
  while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
  EXPECT_TRUE(client.done()) << client.error();
  EXPECT_EQ(client.error(), "");
  EXPECT_FALSE(client.alert().has_value());
  ASSERT_NE(server.established(), nullptr);
  EXPECT_EQ(server.established()->version, scenario.version);
  EXPECT_EQ(server.established()->peer_chain.size(), scenario.certificate ? 1u : 0u);

  // Records both ways, with the keys that are given away.
  Result<ReleasedKeys> keys = ReleaseKeys(server.Take());
  ASSERT_TRUE(keys.ok());
  RecordSealer sealer(*RecordKeys::Create(std::move(keys->write), AeadDirection::kSeal));
  RecordOpener opener(*RecordKeys::Create(std::move(keys->read), AeadDirection::kOpen));
  Bytes record;
  const Bytes ping = {1, 2, 3};
  ASSERT_TRUE(client.sealer().Seal(ContentType::kApplicationData, ping, 100, record).ok());
  ASSERT_TRUE(opener.Open(record).ok());
  record.clear();
  ASSERT_TRUE(sealer.Seal(ContentType::kApplicationData, ping, 100, record).ok());
  ASSERT_TRUE(client.opener().Open(record).ok());
}

INSTANTIATE_TEST_SUITE_P(All, ScriptedClientTest, testing::ValuesIn(Scenarios()),
                         ScenarioName<testing::TestParamInfo<Scenario>>);

}  // namespace
}  // namespace handfast::tls::test
