// Keys that leave a kept connection: once, to one holder, and then they are here no more.
#include <vector>

#include <gtest/gtest.h>

#include "server/access/error_details_interface.h"
#include "server/connections/kept_connection.h"
#include "tests/server/connections/kept_fixture.h"
#include "tests/support/memory_search.h"
#include "tls/base/secret_access.h"
#include "tls/record/record_layer.h"

namespace handfast::connections {
namespace {

using absl::StatusCode;
using tls::Bytes;
using tls::ByteView;

// The holder's record layer.
tls::RecordLayer LayerOf(const KeyRelease& release) {
  // The reply is kept for a retry, so its keys are copied.
  const auto copy = [](const tls::TrafficKeys& keys) -> tls::TrafficKeys {
    if (const auto* tls13 = std::get_if<tls::TrafficKeys13>(&keys)) {
      return tls::TrafficKeys13{tls13->suite,
                                *tls::HashSecret::From(tls::SecretAccess::Open(tls13->secret)),
                                tls13->sequence};
    }
    const auto& tls12 = std::get<tls::TrafficKeys12>(keys);
    return tls::TrafficKeys12{tls12.suite, *tls::AeadKey::From(tls::SecretAccess::Open(tls12.key)),
                              *tls::AeadIv::From(tls::SecretAccess::Open(tls12.iv)),
                              tls12.sequence};
  };
  const auto& keys = std::get<tls::ReleasedKeys>(release.keys);
  return tls::RecordLayer(
      tls::RecordSealer(*tls::RecordKeys::Create(copy(keys.write), tls::AeadDirection::kSeal)),
      tls::RecordOpener(*tls::RecordKeys::Create(copy(keys.read), tls::AeadDirection::kOpen)), {});
}

class KeptRelease : public testing::TestWithParam<int> {
 protected:
  KeptRelease() : pair_(test::Established({.version = GetParam()})) {
    kept_ = std::make_unique<KeptConnection>(std::move(pair_.ours), clock_, bytes_);
  }
  bool tls13() const { return GetParam() == TLS1_3_VERSION; }
  KeyKind Whole() const { return tls13() ? KeyKind::kTrafficSecrets : KeyKind::kTrafficKeys; }
  tls::test::LibsslClient& peer() { return *pair_.peer; }
  void ExpectRefused(const absl::Status& status, const char* reason) {
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status;
    EXPECT_EQ(access::ReasonOf(status), reason);
  }

  test::TurnedClock clock_;
  std::shared_ptr<KeptReplyBytes> bytes_ = std::make_shared<KeptReplyBytes>(0);
  test::Pair pair_;
  std::unique_ptr<KeptConnection> kept_;
};
INSTANTIATE_TEST_SUITE_P(Versions, KeptRelease, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_P(KeptRelease, TheHolderGoesOnWhereTheServiceStood) {
  Bytes to_peer = kept_->Seal({0, tls::AsBytes("remote, ")})->reply->to_peer;
  EXPECT_EQ(tls::AsText(kept_->Open({0, peer().Write(tls::AsBytes("hi"))})->reply->plaintext),
            "hi");
  const auto release = kept_->Release(Whole(), "r1");
  ASSERT_TRUE(release.ok()) << release.status();
  EXPECT_TRUE(kept_->released());
  EXPECT_EQ((*release)->to_peer_offset, to_peer.size());
  tls::RecordLayer layer = LayerOf(**release);
  ASSERT_TRUE(layer.Seal(tls::AsBytes("then local"), to_peer).ok());
  EXPECT_EQ(tls::AsText(peer().Read(to_peer)), "remote, then local");
  Bytes records = peer().Write(tls::AsBytes("ho"));
  std::vector<ByteView> pieces;
  Bytes answer;
  ASSERT_FALSE(layer.Open(records, pieces, answer).failure);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(tls::AsText(pieces[0]), "ho");
}

TEST_P(KeptRelease, ThenTheServiceSealsNoMore) {
  ASSERT_TRUE(kept_->Seal({0, tls::AsBytes("last")}).ok());
  ASSERT_TRUE(kept_->Release(Whole(), "").ok());
  ExpectRefused(kept_->Seal({1, tls::AsBytes("x")}).status(), "KEYS_RELEASED");
  ExpectRefused(kept_->Seal({0, tls::AsBytes("last")}).status(), "KEYS_RELEASED");
  ExpectRefused(kept_->Open({std::nullopt, {}}).status(), "KEYS_RELEASED");
  ExpectRefused(kept_->Close().status(), "KEYS_RELEASED");
  EXPECT_EQ(*bytes_, 0u);
}

TEST_P(KeptRelease, OnceAndItsReplyForTenSeconds) {
  const auto first = kept_->Release(Whole(), "r1");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(*kept_->Release(Whole(), "r1"), *first) << "the same reply";
  ExpectRefused(kept_->Release(Whole(), "r2").status(), "KEYS_RELEASED");
  ExpectRefused(kept_->Release(Whole(), "").status(), "KEYS_RELEASED");
  clock_.Advance(kReplyKept);
  kept_->ForgetOld();
  EXPECT_TRUE(kept_->Release(Whole(), "r1").ok());
  clock_.Advance(std::chrono::milliseconds(1));
  ExpectRefused(kept_->Release(Whole(), "r1").status(), "KEYS_RELEASED");
}

TEST_P(KeptRelease, WithoutARequestIdNothingIsKept) {
  std::weak_ptr<const KeyRelease> reply = *kept_->Release(Whole(), "");
  EXPECT_TRUE(reply.expired());
}

TEST_P(KeptRelease, NotAfterCloseNotifyNorInHalfAMessage) {
  ASSERT_TRUE(kept_->Close().ok());
  ExpectRefused(kept_->Release(Whole(), "").status(), "RELEASE_IMPOSSIBLE");
  EXPECT_FALSE(kept_->released());
  EXPECT_EQ(tls::AsText(kept_->Open({0, peer().Write(tls::AsBytes("still"))})->reply->plaintext),
            "still")
      << "nothing happened";
}

TEST_P(KeptRelease, OfTrafficKeysTheNextFollowOnceEach) {
  const auto release = kept_->Release(KeyKind::kTrafficKeys, "r1");
  ASSERT_TRUE(release.ok());
  if (!tls13()) {
    EXPECT_TRUE(std::holds_alternative<tls::ReleasedKeys>((*release)->keys));
    ExpectRefused(kept_->Update(true, false, "u1").status(), "NO_NEXT_KEYS");
    return;
  }
  ASSERT_TRUE(std::holds_alternative<tls::ReleasedGeneration>((*release)->keys));
  const auto hex = [](const tls::GenerationKeys& keys) {
    return tls::ToHex(tls::SecretAccess::Open(keys.key));
  };
  std::vector<std::string> seen = {hex(std::get<tls::ReleasedGeneration>((*release)->keys).write)};
  for (int i = 0; i < 3; ++i) {
    const std::string id = "u" + std::to_string(i);
    const auto update = kept_->Update(/*write=*/true, false, id);
    ASSERT_TRUE(update.ok());
    EXPECT_TRUE((*update)->to_peer.empty()) << "the holder seals the KeyUpdate";
    EXPECT_EQ(*kept_->Update(true, false, id), *update);
    for (const std::string& earlier : seen) EXPECT_NE(hex(*(*update)->keys), earlier);
    seen.push_back(hex(*(*update)->keys));
  }
  const auto read = kept_->Update(/*write=*/false, false, "u2");
  EXPECT_NE(hex(*(*read)->keys), seen.back()) << "a direction has request ids of its own";
}

TEST_P(KeptRelease, OfTrafficSecretsTheHolderDerivesThem) {
  if (!tls13()) {
    ExpectRefused(kept_->Release(KeyKind::kTrafficSecrets, "").status(), "NO_TRAFFIC_SECRETS");
    return;
  }
  ASSERT_TRUE(kept_->Release(KeyKind::kTrafficSecrets, "").ok());
  ExpectRefused(kept_->Update(true, false, "").status(), "NO_NEXT_KEYS");
}

TEST_P(KeptRelease, AKeyUpdateThatIsDueGoesBeforeTheKeys) {
  if (!tls13()) GTEST_SKIP() << "TLS 1.2 has none";
  ASSERT_EQ(SSL_key_update(peer().ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
  ASSERT_TRUE(kept_->Open({0, peer().Write(tls::AsBytes("hi"))}).ok());
  const auto release = kept_->Release(KeyKind::kTrafficSecrets, "");
  ASSERT_TRUE(release.ok()) << release.status();
  Bytes to_peer = tls::Copy((*release)->to_peer);
  EXPECT_FALSE(to_peer.empty());
  ASSERT_TRUE(LayerOf(**release).Seal(tls::AsBytes("new keys"), to_peer).ok());
  EXPECT_EQ(tls::AsText(peer().Read(to_peer)), "new keys");
}

TEST_P(KeptRelease, AKeyUpdateThatIsDueOutlivesARefusal) {
  if (!tls13()) GTEST_SKIP() << "TLS 1.2 has none";
  ASSERT_EQ(SSL_key_update(peer().ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
  Bytes from_peer = peer().Write(tls::AsBytes("hi"));
  tls::Append(from_peer, peer().Close());
  ASSERT_TRUE(kept_->Open({0, from_peer})->reply->peer_closed);
  ExpectRefused(kept_->Release(KeyKind::kTrafficSecrets, "").status(), "RELEASE_IMPOSSIBLE");
  // The peer may still read, and must be able to.
  EXPECT_EQ(tls::AsText(peer().Read(kept_->Seal({0, tls::AsBytes("last")})->reply->to_peer)),
            "last");
}

TEST_P(KeptRelease, BeforeARelease) {
  // The service itself updates keys where the peer can follow.
  const auto update = kept_->Update(/*write=*/true, /*request_update=*/true, "u1");
  if (!tls13()) return ExpectRefused(update.status(), "NO_NEXT_KEYS");
  ASSERT_TRUE(update.ok());
  EXPECT_EQ(*kept_->Update(true, true, "u1"), *update) << "one KeyUpdate";
  ExpectRefused(kept_->Update(/*write=*/false, false, "").status(), "NO_NEXT_KEYS");
  Bytes to_peer = tls::Copy((*update)->to_peer);
  const auto sealed = kept_->Seal({0, tls::AsBytes("new keys")})->reply;
  EXPECT_EQ(sealed->to_peer_offset, to_peer.size());
  tls::Append(to_peer, sealed->to_peer);
  EXPECT_EQ(tls::AsText(peer().Read(to_peer)), "new keys");
  // libssl answers with a KeyUpdate of its own.
  EXPECT_EQ(tls::AsText(kept_->Open({0, peer().Write(tls::AsBytes("hi"))})->reply->plaintext),
            "hi");
}

TEST_P(KeptRelease, WhatIsExportedIsThePeersToo) {
  const Bytes context = {1, 2, 3};
  uint8_t ours[40];
  for (const bool released : {false, true}) {
    if (released) {
      ASSERT_TRUE(kept_->Release(Whole(), "").ok());
    }
    const absl::Status status = kept_->Export("EXPORTER-test", context, ours);
    if (!tls13()) {
      ExpectRefused(status, "NO_EXPORTER");
      continue;
    }
    ASSERT_TRUE(status.ok());
    uint8_t theirs[40];
    ASSERT_EQ(SSL_export_keying_material(peer().ssl(), theirs, sizeof theirs, "EXPORTER-test", 13,
                                         context.data(), context.size(), 1),
              1);
    EXPECT_EQ(tls::ToHex(ours), tls::ToHex(theirs));
  }
}

TEST(KeptReleaseOfCbc, NeverLeaves) {
  test::Pair pair =
      test::Established({.version = TLS1_2_VERSION, .cipher_list = "ECDHE-ECDSA-AES128-SHA256"},
                        tls::LegacyProfile());
  test::TurnedClock clock;
  KeptConnection kept(std::move(pair.ours), clock, std::make_shared<KeptReplyBytes>(0));
  EXPECT_EQ(access::ReasonOf(kept.Release(KeyKind::kTrafficKeys, "").status()), "NOT_RELEASABLE");
  EXPECT_TRUE(kept.Seal({0, tls::AsBytes("x")}).ok());
}

// S4: "after release the service cannot seal: memory search". The peer is our own, which wipes what
// it had; libssl does not.
TEST(KeptReleaseMemory, HoldsNoneOfTheKeysTenSecondsAfterTheReply) {
  if (!handfast::test::kMemoryCanBeSearched) {
    GTEST_SKIP() << "a sanitizer's shadow is too large to search";
  }
  const tls::test::TestCa ca = tls::test::TestCa::Create("CA");
  const tls::test::Leaf leaf = ca.Issue({.dns = {"example.test"}});
  const tls::test::ServerKit kit = tls::test::ServerKit::For(leaf);
  tls::test::ServerKit peer_kit;
  peer_kit.as_client = true;
  peer_kit.profile = tls::ModernProfile();
  peer_kit.clients = std::make_shared<const tls::TrustBundle>(ca.Bundle());
  test::TurnedClock clock;
  for (const KeyKind kind : {KeyKind::kTrafficSecrets, KeyKind::kTrafficKeys}) {
    std::unique_ptr<KeptConnection> kept;
    {
      tls::test::ServerDriver server(kit);
      tls::test::ServerDriver peer(peer_kit, {.server_name = "example.test"});
      for (Bytes to_server = peer.Begin(); !to_server.empty();) {
        to_server = peer.Receive(server.Receive(to_server));
      }
      ASSERT_TRUE(server.established());
      kept = std::make_unique<KeptConnection>(server.Take(), clock,
                                              std::make_shared<KeptReplyBytes>(0));
      ASSERT_TRUE(kept->Seal({0, tls::AsBytes("keyed")}).ok());
    }
    std::vector<handfast::test::Needle> needles;
    {
      const auto release = kept->Release(kind, "r1");
      ASSERT_TRUE(release.ok());
      if (const auto* keys = std::get_if<tls::ReleasedKeys>(&(*release)->keys)) {
        for (const auto* half : {&keys->write, &keys->read}) {
          needles.emplace_back(tls::SecretAccess::Open(std::get<tls::TrafficKeys13>(*half).secret));
        }
      } else {
        const auto& generation = std::get<tls::ReleasedGeneration>((*release)->keys);
        needles.emplace_back(tls::SecretAccess::Open(generation.write.key));
        needles.emplace_back(tls::SecretAccess::Open(generation.read.key));
      }
    }
    // The control: as long as the reply can be had again, they are found.
    for (const auto& needle : needles) EXPECT_GT(needle.CountInMemory(), 0u);
    clock.Advance(kReplyKept + std::chrono::milliseconds(1));
    kept->ForgetOld();
    for (const auto& needle : needles) EXPECT_EQ(needle.CountInMemory(), 0u);
    EXPECT_FALSE(kept->Seal({std::nullopt, tls::AsBytes("x")}).ok());
  }
}

}  // namespace
}  // namespace handfast::connections
