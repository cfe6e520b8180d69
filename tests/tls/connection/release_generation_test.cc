// Keys that leave a generation at a time: they are the ones that the secrets give, each once, and
// what stays leads to no earlier one.
#include <gtest/gtest.h>

#include "tests/tls/connection/libssl_client.h"
#include "tests/tls/connection/server_driver.h"
#include "tls/base/secret_access.h"
#include "tls/crypto/hkdf.h"

namespace handfast::tls::test {
namespace {

Connection Established(int version, std::unique_ptr<LibsslClient>* peer = nullptr) {
  static const Leaf leaf = TestCa::Create("CA").Issue();
  const ServerKit kit = ServerKit::For(leaf);
  ServerDriver server(kit);
  auto client = std::make_unique<LibsslClient>(LibsslOptions{.version = version});
  Bytes to_server = client->Receive({});
  while (!server.established()) to_server = client->Receive(server.Receive(to_server));
  if (peer != nullptr) *peer = std::move(client);
  return server.Take();
}

HashAlgorithm HashOf(CipherSuite suite) { return FindSuite(suite)->hash; }

// As RFC 8446 §7.3 derives them.
void ExpectOf(const GenerationKeys& keys, const HashSecret& secret, uint64_t sequence) {
  uint8_t expected[32];
  const std::span<uint8_t> key = std::span(expected).first(keys.key.size());
  HkdfExpandLabel(HashOf(keys.suite), secret, "key", {}, key);
  EXPECT_EQ(ToHex(SecretAccess::Open(keys.key)), ToHex(key));
  const std::span<uint8_t> iv = std::span(expected).first(kAeadNonceSize);
  HkdfExpandLabel(HashOf(keys.suite), secret, "iv", {}, iv);
  EXPECT_EQ(ToHex(SecretAccess::Open(keys.iv)), ToHex(iv));
  EXPECT_EQ(keys.sequence, sequence);
}

HashSecret Next(CipherSuite suite, const HashSecret& secret) {
  HashSecret next;
  HkdfExpandLabel(HashOf(suite), secret, "traffic upd", {},
                  SecretAccess::Fill(next, secret.size()));
  return next;
}

TEST(ReleaseGeneration, GivesEachGenerationOnceAndInOrder) {
  Connection connection = Established(TLS1_3_VERSION);
  // A record each way has gone, so that the numbers tell the directions apart.
  const Profile profile;
  const Context context{.profile = profile, .randomness = SystemRandomness()};
  Stepped stepped = Step(std::move(connection), PlaintextToSend{AsBytes("hello")}, context);
  const Bytes saved = *Save(std::move(stepped.connection));
  const ReleasedKeys twin = *ReleaseKeys(*Load(saved));
  const auto& write = std::get<TrafficKeys13>(twin.write);
  const auto& read = std::get<TrafficKeys13>(twin.read);

  Connection ours = *Load(saved);
  const Result<ReleasedGeneration> released = ReleaseGeneration(ours);
  ASSERT_TRUE(released.ok());
  ExpectOf(released->write, write.secret, write.sequence);
  ExpectOf(released->read, read.secret, read.sequence);
  EXPECT_EQ(write.sequence, read.sequence + 1);

  HashSecret write_secret = Next(write.suite, write.secret);
  HashSecret read_secret = Next(read.suite, read.secret);
  for (int i = 0; i < 3; ++i) {
    ExpectOf(*NextGeneration(ours, /*write=*/true), write_secret, 0);
    write_secret = Next(write.suite, write_secret);
    if (i != 1) continue;
    ExpectOf(*NextGeneration(ours, /*write=*/false), read_secret, 0);
  }
}

TEST(ReleaseGeneration, LeavesNobodyElseWhoCouldSeal) {
  Connection ours = Established(TLS1_3_VERSION);
  ASSERT_TRUE(ReleaseGeneration(ours).ok());
  EXPECT_EQ(ReleaseGeneration(ours).reason(), Reason::kInternalError);
  EXPECT_EQ(ReleaseKeys(ours).reason(), Reason::kInternalError);
  const Profile profile;
  const Context context{.profile = profile, .randomness = SystemRandomness()};
  Stepped stepped = Step(std::move(ours), PlaintextToSend{AsBytes("hello")}, context);
  EXPECT_TRUE(stepped.output.refused);
  EXPECT_TRUE(stepped.output.to_peer.empty());
  // What gives each generation once cannot be doubled by a saved form.
  EXPECT_EQ(Save(std::move(stepped.connection)).reason(), Reason::kInternalError);
}

TEST(ReleaseGeneration, IsOfTls13Alone) {
  Connection ours = Established(TLS1_2_VERSION);
  EXPECT_EQ(ReleaseGeneration(ours).reason(), Reason::kInternalError);
  EXPECT_EQ(NextGeneration(ours, true).reason(), Reason::kInternalError);
  EXPECT_TRUE(ReleaseKeys(ours).ok()) << "and has taken nothing";
}

TEST(ReleaseGeneration, WaitsForAKeyUpdateThatIsDue) {
  std::unique_ptr<LibsslClient> peer;
  Connection ours = Established(TLS1_3_VERSION, &peer);
  EXPECT_FALSE(OwesKeyUpdate(ours));
  ASSERT_EQ(SSL_key_update(peer->ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
  const Profile profile;
  const Context context{.profile = profile, .randomness = SystemRandomness()};
  Stepped asked = Step(std::move(ours), FromPeer{peer->Write(AsBytes("hi"))}, context);
  EXPECT_TRUE(OwesKeyUpdate(asked.connection));
  EXPECT_FALSE(ReleaseGeneration(asked.connection).ok());
  Stepped sent = Step(std::move(asked.connection), UpdateKeys{}, context);
  EXPECT_FALSE(OwesKeyUpdate(sent.connection));
  EXPECT_TRUE(ReleaseGeneration(sent.connection).ok());
}

}  // namespace
}  // namespace handfast::tls::test
