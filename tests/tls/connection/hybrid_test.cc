// Handshakes over the hybrid groups: our two with each other, with libssl in both roles, and with
// peers whose shares are wrong. Needs ML-KEM; without it key_share_test.cc says what happens.
#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "tests/tls/connection/client_fixture.h"
#include "tests/tls/connection/libssl_client.h"
#include "tests/tls/connection/libssl_server.h"
#include "tests/tls/connection/plain_flight.h"
#include "tests/tls/connection/wrong_peer.h"
#include "tests/tls/crypto/mlkem_main.h"
#include "tls/engine/explain.h"
#include "tls/wire/client_hello_extensions.h"

namespace handfast::tls::test {
namespace {

using enum ProtocolVersion;

constexpr NamedGroup kX25519 = NamedGroup::kX25519;
constexpr NamedGroup kX25519MlKem768 = NamedGroup::kX25519MlKem768;
constexpr NamedGroup kSecP256r1MlKem768 = NamedGroup::kSecP256r1MlKem768;

using Groups = std::vector<NamedGroup>;

ServerKit OurServer(Profile profile) {
  return ServerKit::For(Ca().Issue({.dns = {"example.test"}}), std::move(profile));
}

Profile With(Groups groups, Profile profile = ModernProfile()) {
  profile.groups = std::move(groups);
  return profile;
}

std::vector<Bytes> HellosOf(const ServerDriver& server) {
  std::vector<Bytes> hellos;
  for (const TracedMessage& message : server.messages()) {
    if (message.from_peer && message.content_type == ContentType::kHandshake &&
        message.bytes[0] == static_cast<uint8_t>(HandshakeType::kClientHello)) {
      hellos.push_back(message.bytes);
    }
  }
  return hellos;
}

// The groups of its supported_groups, or of its shares.
Groups GroupsOf(const Bytes& hello, bool shares) {
  const auto parsed = Parse<ClientHello>(ByteView(hello).subspan(kHandshakeHeaderSize));
  const ClientHelloExtensions extensions = *ReadExtensions(*parsed);
  if (!shares) return extensions.supported_groups->groups;
  Groups groups;
  if (!extensions.key_share) return groups;
  for (const KeyShareEntry& entry : extensions.key_share->client_shares) {
    groups.push_back(entry.group);
  }
  return groups;
}

// Our client and our server. `edit` changes the first bytes that the server sends.
struct Two {
  ServerKit client_kit = ClientKit();
  ServerKit server_kit = OurServer(ModernProfile());
  std::optional<ServerDriver> client = std::nullopt;
  std::optional<ServerDriver> server = std::nullopt;
  bool amnesia = false;

  void Run(std::function<Bytes(Bytes)> edit = nullptr) {
    client.emplace(client_kit, ConnectionOptions{.server_name = "example.test"});
    server.emplace(server_kit, ConnectionOptions{.trace = true});
    client->amnesia = server->amnesia = amnesia;
    Bytes to_server = client->Begin();
    while (!to_server.empty()) {
      Bytes to_client = server->Receive(to_server);
      if (edit != nullptr) to_client = std::exchange(edit, nullptr)(std::move(to_client));
      to_server = client->Receive(to_client);
    }
  }
  // 0 where the handshake was not finished on both sides, or each takes it for another.
  NamedGroup group() const {
    if (!client->established() || !server->established()) return NamedGroup{};
    const NamedGroup group = client->established()->group;
    return group == server->established()->group ? group : NamedGroup{};
  }
  size_t hellos() const { return HellosOf(*server).size(); }
};

class Hybrid : public WithMlKem {};

TEST_F(Hybrid, IsWhatOurTwoAgreeOn) {
  for (const bool amnesia : {false, true}) {
    Two two;
    two.amnesia = amnesia;
    two.Run();
    EXPECT_EQ(two.group(), kX25519MlKem768);
    ASSERT_EQ(two.hellos(), 1u);
    const Bytes hello = HellosOf(*two.server)[0];
    EXPECT_EQ(GroupsOf(hello, false), ModernProfile().groups);
    EXPECT_EQ(GroupsOf(hello, true), (Groups{kX25519MlKem768, kX25519}));
    Two other;
    other.amnesia = amnesia;
    other.server_kit.profile.groups = other.client_kit.profile.groups = {kSecP256r1MlKem768};
    other.Run();
    EXPECT_EQ(other.group(), kSecP256r1MlKem768);
  }
}

// The second share is there for this.
TEST_F(Hybrid, AServerWithoutItNeedsNoHelloRetryRequest) {
  for (const bool amnesia : {false, true}) {
    Two two;
    two.amnesia = amnesia;
    two.server_kit.profile.groups = {kX25519};
    two.Run();
    EXPECT_EQ(two.group(), kX25519);
    EXPECT_EQ(two.hellos(), 1u);
  }
}

TEST_F(Hybrid, OverAHelloRetryRequestToItAndFromIt) {
  const NamedGroup p384 = NamedGroup::kSecp384r1;
  for (const bool amnesia : {false, true}) {
    for (const NamedGroup hybrid : kHybrids) {
      Two to;
      to.amnesia = amnesia;
      to.client_kit.profile = With({p384, hybrid});
      to.server_kit.profile = With({hybrid, kX25519});
      to.Run();
      EXPECT_EQ(to.group(), hybrid);
      ASSERT_EQ(to.hellos(), 2u);
      EXPECT_EQ(GroupsOf(HellosOf(*to.server)[1], true), Groups{hybrid});
      Two from;
      from.amnesia = amnesia;
      from.client_kit.profile = With({hybrid, kX25519, p384});
      from.server_kit.profile = With({p384});
      from.Run();
      EXPECT_EQ(from.group(), p384);
      ASSERT_EQ(from.hellos(), 2u);
      EXPECT_EQ(GroupsOf(HellosOf(*from.server)[1], true), Groups{p384});
    }
  }
}

Bytes RetryRecord(const Bytes& server_hello_bytes, const Extensions& extensions) {
  PlainFlight flight{
      ByteView(server_hello_bytes)
          .first(kRecordHeaderSize + (size_t{server_hello_bytes[3]} << 8 | server_hello_bytes[4]))};
  flight.Edit<ServerHello>(0, [&](ServerHello& hello) {
    hello.random = kHelloRetryRequestRandom;
    hello.extensions = extensions;
  });
  return flight.Records();
}

// RFC 8446 §4.2.8: neither of the groups of its shares can be asked for; §4.1.2: a
// HelloRetryRequest that asks for no group leaves the shares as they are.
TEST_F(Hybrid, WhatAHelloRetryRequestMayAskOfTwoShares) {
  const Bytes version = {3, 4};
  const Extension tls13{ExtensionType::kSupportedVersions, version};
  for (const NamedGroup group : {kX25519MlKem768, kX25519}) {
    const Bytes body = Serialize(KeyShareHelloRetryRequest{group});
    Two two;
    two.Run([&](const Bytes& bytes) {
      return RetryRecord(bytes, {tls13, {ExtensionType::kKeyShare, body}});
    });
    ASSERT_TRUE(two.client->failure());
    EXPECT_EQ(two.client->failure()->reason, Reason::kRetryWithoutChange) << Name(group);
    EXPECT_EQ(two.client->failure()->alert, static_cast<uint8_t>(Alert::kIllegalParameter));
  }
  const Bytes cookie = {0, 1, 7};
  const ServerKit kit = ClientKit();
  const ServerKit server_kit = OurServer(ModernProfile());
  ServerDriver client(kit);
  ServerDriver server(server_kit);
  const Bytes first = client.Begin();
  const Bytes second =
      client.Receive(RetryRecord(server.Receive(first), {tls13, {ExtensionType::kCookie, cookie}}));
  const PlainFlight before(first);
  // A ChangeCipherSpec of six bytes comes first.
  const PlainFlight after(ByteView(second).subspan(6));
  EXPECT_EQ(GroupsOf(before[0], true), (Groups{kX25519MlKem768, kX25519}));
  EXPECT_EQ(GroupsOf(after[0], true), GroupsOf(before[0], true));
}

// ---- libssl 3.5, in both roles.

TEST_F(Hybrid, WithLibsslsClient) {
  for (const NamedGroup hybrid : kHybrids) {
    for (const std::string& groups : {Name(hybrid), "*P-384:" + Name(hybrid)}) {
      const ServerKit kit = OurServer(With({hybrid, kX25519}));
      ServerDriver server(kit, {.trace = true});
      LibsslClient client({.groups = groups});
      Bytes to_server = client.Receive({});
      while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
      EXPECT_TRUE(client.done()) << client.error();
      ASSERT_TRUE(server.established()) << groups;
      EXPECT_EQ(server.established()->group, hybrid);
      EXPECT_EQ(HellosOf(server).size(), groups[0] == '*' ? 2u : 1u);
    }
  }
}

TEST_F(Hybrid, WithLibsslsServer) {
  const Leaf leaf = Ca().Issue({.dns = {"example.test"}});
  for (const NamedGroup hybrid : kHybrids) {
    for (const bool retry : {false, true}) {
      const LibsslContext context(LibsslServerContext(leaf));
      ASSERT_EQ(SSL_CTX_set1_groups_list(context.get(), Name(hybrid).c_str()), 1);
      ServerKit kit = ClientKit();
      kit.profile.groups = {hybrid, kX25519};
      if (retry) std::swap(kit.profile.groups[0], kit.profile.groups[1]);
      ServerDriver client(kit, {.server_name = "example.test"});
      LibsslServer server(context.get());
      Bytes to_server = client.Begin();
      while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
      EXPECT_TRUE(server.done());
      ASSERT_TRUE(client.established()) << Name(hybrid);
      EXPECT_EQ(client.established()->group, hybrid);
    }
  }
}

// ---- TLS 1.2 has none.

TEST_F(Hybrid, IsNeverTls12s) {
  Two two;
  two.client_kit.profile = Tls12Only();
  two.server_kit = OurServer(IntermediateProfile());
  two.Run();
  EXPECT_EQ(two.group(), kX25519);
  const Bytes hello = HellosOf(*two.server).at(0);
  for (const NamedGroup group : GroupsOf(hello, false)) EXPECT_FALSE(IsHybrid(group));

  // Named by the client, a hybrid is passed over, for it is no curve of RFC 8422.
  ClientScript script = Sound(kTls12);
  script.hello.SetHex(ExtensionType::kSupportedGroups, "000611ec11eb001d");
  const Outcome outcome = Shake(FixedKit(), std::move(script));
  EXPECT_TRUE(Succeeded(outcome));
  EXPECT_EQ(outcome.group, kX25519);
  ClientScript alone = Sound(kTls12);
  alone.hello.SetHex(ExtensionType::kSupportedGroups, "000411ec11eb");
  EXPECT_TRUE(Refused(Shake(FixedKit(), std::move(alone)), Reason::kNoCommonGroup,
                      Alert::kHandshakeFailure));
}

// The signature is looked at after the group: the control is the reason that it gives.
TEST_F(Hybrid, AServerCannotPickItInTls12) {
  for (const auto& [group, reason] : {std::pair{kX25519MlKem768, Reason::kKeyShareNotOffered},
                                      std::pair{kSecP256r1MlKem768, Reason::kKeyShareNotOffered},
                                      std::pair{NamedGroup::kSecp256r1, Reason::kBadSignature}}) {
    const NamedGroup named = group;
    Two two;
    two.client_kit.profile = IntermediateProfile();
    two.server_kit = OurServer(Tls12Only());
    two.Run([&](const Bytes& bytes) {
      PlainFlight flight{ByteView(bytes)};
      flight.Edit<tls12::ServerKeyExchange>(
          2, [&](tls12::ServerKeyExchange& m) { m.params.named_curve = named; });
      return flight.Records();
    });
    ASSERT_TRUE(two.client->failure());
    EXPECT_EQ(two.client->failure()->reason, reason) << Name(group);
  }
}

// ---- Shares that are wrong. What each half is refused for is in kex_hybrid_test.cc.

Bytes Spoilt(ByteView share, int how) {
  Bytes spoilt = Copy(share);
  if (how == 1) spoilt.pop_back();
  if (how == 2) spoilt.push_back(0);
  if (how == 3) spoilt.clear(), spoilt.push_back(4);
  return spoilt;
}

TEST_F(Hybrid, T14_AClientsShareThatIsWrongIsAnIllegalParameter) {
  for (const NamedGroup hybrid : kHybrids) {
    const bool curve_first = hybrid == kSecP256r1MlKem768;
    const Bytes good = Copy(KeyPair::FromPrivate(hybrid, ClientScalar(hybrid))->public_key());
    Bytes modulus = good;
    Bytes point = good;
    const size_t key_at = curve_first ? 65 : 0;
    const size_t point_at = curve_first ? 0 : 1184;
    modulus[key_at] = modulus[key_at + 1] = 0xff;
    std::fill_n(point.begin() + static_cast<ptrdiff_t>(point_at), curve_first ? 65 : 32, 0);
    const auto shake = [&](const Bytes& share) {
      ClientScript script = Sound(kTls13);
      script.hello.Set(ExtensionType::kSupportedGroups, Serialize(NamedGroupList{{hybrid}}));
      script.hello.Set(ExtensionType::kKeyShare, Serialize(KeyShareClientHello{{{hybrid, share}}}));
      return Shake(FixedKit(), std::move(script));
    };
    EXPECT_TRUE(Succeeded(shake(good))) << Name(hybrid);
    for (const Bytes& bad : {modulus, point, Spoilt(good, 1), Spoilt(good, 2), Spoilt(good, 3)}) {
      EXPECT_TRUE(Refused(shake(bad), Reason::kBadKeyShare, Alert::kIllegalParameter))
          << Name(hybrid) << " " << bad.size();
    }
  }
}

TEST_F(Hybrid, T14_AServersShareThatIsWrongIsAnIllegalParameter) {
  for (const NamedGroup hybrid : kHybrids) {
    for (int how = 0; how < 5; ++how) {
      Two two;
      two.client_kit.profile.groups = {hybrid};
      two.server_kit.profile.groups = {hybrid};
      two.Run([&](Bytes bytes) {
        const size_t first = kRecordHeaderSize + (size_t{bytes[3]} << 8 | bytes[4]);
        PlainFlight flight{ByteView(bytes).first(first)};
        flight.Edit<ServerHello>(0, [&](ServerHello& hello) {
          for (Extension& extension : hello.extensions) {
            if (extension.type != ExtensionType::kKeyShare) continue;
            const auto theirs = Parse<KeyShareServerHello>(extension.data);
            static Bytes share, body;
            share = Spoilt(theirs->server_share.key_exchange, how);
            const size_t point_at = hybrid == kSecP256r1MlKem768 ? 0 : 1088;
            if (how == 4) {
              std::fill_n(share.begin() + static_cast<ptrdiff_t>(point_at), 32, 0);
            }
            body = Serialize(KeyShareServerHello{{hybrid, share}});
            extension.data = body;
          }
        });
        Bytes edited = flight.Records();
        Append(edited, ByteView(bytes).subspan(first));
        return edited;
      });
      if (how == 0) {
        EXPECT_EQ(two.group(), hybrid);  // the control
        continue;
      }
      ASSERT_TRUE(two.client->failure()) << how;
      EXPECT_EQ(two.client->failure()->reason, Reason::kBadKeyShare) << how;
      EXPECT_EQ(two.client->failure()->alert, static_cast<uint8_t>(Alert::kIllegalParameter));
    }
  }
}

// RFC 8446 §4.2.8: of no group that the client had no share of, number 0 among them.
TEST_F(Hybrid, AServersShareOfAnotherGroupIsRefused) {
  const Bytes point(32, 9);
  for (const Groups& ours : {Groups{kX25519MlKem768}, Groups{kX25519MlKem768, kX25519}}) {
    for (const NamedGroup group : {NamedGroup{}, NamedGroup::kSecp256r1, kSecP256r1MlKem768}) {
      const Bytes body = Serialize(KeyShareServerHello{{group, point}});
      const Bytes version = {3, 4};
      Two two;
      two.client_kit.profile.groups = ours;
      two.Run([&](const Bytes& bytes) {
        PlainFlight flight{
            ByteView(bytes).first(kRecordHeaderSize + (size_t{bytes[3]} << 8 | bytes[4]))};
        flight.Edit<ServerHello>(0, [&](ServerHello& hello) {
          hello.extensions = {{ExtensionType::kSupportedVersions, version},
                              {ExtensionType::kKeyShare, body}};
        });
        return flight.Records();
      });
      ASSERT_TRUE(two.client->failure());
      EXPECT_EQ(two.client->failure()->reason, Reason::kKeyShareNotOffered) << Name(group);
    }
  }
}

TEST_F(Hybrid, IsExplained) {
  Two two;
  two.client_kit.profile.groups = {NamedGroup::kSecp256r1, kX25519MlKem768};
  two.Run();
  ASSERT_EQ(two.group(), NamedGroup::kSecp256r1);
  std::string why;
  for (const Explanation& e :
       Explain(two.server_kit.profile, {}, HellosOf(*two.server)[0], *two.server->established())) {
    if (e.what == "group") why = e.why;
  }
  EXPECT_EQ(why,
            "the first of the profile's that the client offers; before it X25519MLKEM768 (without "
            "a key share), SecP256r1MLKEM768 (not offered), x25519 (not offered)");
}

}  // namespace
}  // namespace handfast::tls::test
