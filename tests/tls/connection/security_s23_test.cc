// S23, memory failure: libcrypto's Nth allocation fails, for every N that a handshake of ours
// makes, once or from there on. No handshake crashes, none is left without an end, and none that
// had to fail ends well; leaks are for the sanitizer to see.
#include <cstdlib>

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include "tests/tls/connection/client_fixture.h"

namespace handfast::tls::test {
namespace {

// ---- Allocations

struct Allocations {
  bool counted = false;
  uint64_t made = 0;
  uint64_t fail_at = 0;  // 0: none
  bool onwards = false;  // and all behind it
  uint64_t failed = 0;
};
Allocations g_allocations;

bool Fails() {
  Allocations& all = g_allocations;
  if (!all.counted) return false;
  ++all.made;
  const bool fails =
      all.fail_at != 0 && (all.onwards ? all.made >= all.fail_at : all.made == all.fail_at);
  all.failed += fails;
  return fails;
}
void* Allocate(size_t size, const char*, int) {
  return size == 0 || Fails() ? nullptr : std::malloc(size);
}
void* Reallocate(void* old, size_t size, const char*, int) {
  if (size != 0) return Fails() ? nullptr : std::realloc(old, size);
  std::free(old);
  return nullptr;
}
void Free(void* old, const char*, int) { std::free(old); }

// libcrypto takes them before its first allocation alone.
bool g_hooked = false;
[[gnu::constructor(101)]] void Hook() {
  g_hooked = CRYPTO_set_mem_functions(Allocate, Reallocate, Free) == 1;
}

// Counts, and fails, what is allocated while it lives.
class Armed {
 public:
  explicit Armed(bool armed) { g_allocations.counted = armed; }
  ~Armed() { g_allocations.counted = false; }
  Armed(const Armed&) = delete;
  Armed& operator=(const Armed&) = delete;
};

// ---- Handshakes

struct Case {
  const char* name;
  KeyType key = KeyType::kEcdsaP256;
  ProtocolVersion version = ProtocolVersion::kTls13;
  CipherSuite suite{};  // none: the profile's
  NamedGroup group{};   // likewise
  bool client_auth = false;
  bool resumed = false;
  // The client trusts another authority: it must never be satisfied.
  bool untrusted = false;
};

const Case kCases[] = {
    {.name = "tls13_ecdsa"},
    {.name = "tls13_rsa", .key = KeyType::kRsa2048},
    {.name = "tls13_ed25519_p256", .key = KeyType::kEd25519, .group = NamedGroup::kSecp256r1},
    {.name = "tls13_ffdhe", .group = NamedGroup::kFfdhe2048},
    {.name = "tls13_client_auth", .client_auth = true},
    {.name = "tls13_resumed", .resumed = true},
    {.name = "tls13_untrusted", .untrusted = true},
    {.name = "tls12_ecdsa", .version = ProtocolVersion::kTls12},
    {.name = "tls12_rsa_client_auth",
     .key = KeyType::kRsa2048,
     .version = ProtocolVersion::kTls12,
     .client_auth = true},
    {.name = "tls12_chacha20",
     .version = ProtocolVersion::kTls12,
     .suite = CipherSuite::kEcdheEcdsaChaCha20Poly1305Sha256},
    {.name = "tls12_cbc",
     .version = ProtocolVersion::kTls12,
     .suite = CipherSuite::kEcdheEcdsaAes128CbcSha256},
    {.name = "tls12_dhe",
     .key = KeyType::kRsa2048,
     .version = ProtocolVersion::kTls12,
     .suite = CipherSuite::kDheRsaAes128GcmSha256,
     .group = NamedGroup::kFfdhe2048},
    {.name = "tls12_static_rsa",
     .key = KeyType::kRsa2048,
     .version = ProtocolVersion::kTls12,
     .suite = CipherSuite::kRsaAes128GcmSha256},
    {.name = "tls12_resumed", .version = ProtocolVersion::kTls12, .resumed = true},
    {.name = "tls12_untrusted", .version = ProtocolVersion::kTls12, .untrusted = true},
};

Leaf Issued(KeyType key) {
  return Ca().Issue(
      {.type = key,
       .dns = {"example.test"},
       .client = true,
       .key_usage = key == KeyType::kRsa2048 ? "digitalSignature,keyEncipherment" : ""});
}

enum class Side { kServer, kClient };

struct Attempt {
  bool established = false;
  std::optional<HandshakeFailure> failure = std::nullopt;
  uint64_t made = 0;
  uint64_t failed = 0;
};

// What must hold of every attempt; empty: it does.
std::string Fault(const Attempt& attempt, bool may_be_established) {
  if (attempt.established == attempt.failure.has_value()) return "it has no end, or two";
  if (attempt.established && !may_be_established) return "it is satisfied";
  if (attempt.failed == 0 && may_be_established && !attempt.established) return "it fails unasked";
  return "";
}

class Pair {
 public:
  explicit Pair(const Case& tested) : case_(tested) {
    const Leaf leaf = Issued(tested.key);
    server_kit_ = ServerKit::For(leaf, ProfileOf(tested));
    std::vector<TicketKey> keys(1);
    keys[0].key = *AeadKey::From(Bytes(32, 1));
    server_kit_.ticket_keys = std::make_shared<const TicketKeys>(std::move(keys));
    if (tested.client_auth) server_kit_.profile.client_auth = ClientAuth::kRequired;
    server_kit_.clients = std::make_shared<const TrustBundle>(Ca().Bundle());
    client_kit_ = ClientKit();
    client_kit_.profile = ProfileOf(tested);
    if (tested.client_auth) GiveIdentity(client_kit_, Issued(KeyType::kEcdsaP256));
    if (tested.untrusted) {
      client_kit_.clients = std::make_shared<const TrustBundle>(TestCa::Create("another").Bundle());
    }
  }

  // One handshake in which that allocation of one side fails.
  Attempt Run(Side side, uint64_t fail_at, bool onwards) {
    std::optional<Session> session;
    if (case_.resumed) session = SessionOfAFullHandshake();
    g_allocations = {.fail_at = fail_at, .onwards = onwards};
    return Handshake(side, std::move(session));
  }
  // The last one.
  bool resumed() const { return resumed_; }

 private:
  static Profile ProfileOf(const Case& tested) {
    Profile profile = LegacyProfile();
    profile.versions = {tested.version};
    if (tested.suite != CipherSuite{}) profile.cipher_suites = {tested.suite};
    if (tested.group != NamedGroup{}) profile.groups = {tested.group};
    return profile;
  }

  Attempt Handshake(Side side, std::optional<Session> session) {
    const bool on_server = side == Side::kServer;
    Bytes to_server, to_client;
    {
      const Armed armed(on_server);
      server_.emplace(server_kit_);
    }
    {
      const Armed armed(!on_server);
      const ConnectionOptions options{.server_name = "example.test"};
      if (session) {
        client_.emplace(client_kit_, options, *std::move(session));
      } else {
        client_.emplace(client_kit_, options);
      }
      to_server = client_->Begin();
    }
    while (!to_server.empty()) {
      {
        const Armed armed(on_server);
        to_client = server_->Receive(to_server);
      }
      const Armed armed(!on_server);
      to_server = client_->Receive(to_client);
    }
    // One that waits for a peer that fell silent ends with it.
    ServerDriver& tested = on_server ? *server_ : *client_;
    if (!tested.established() && !tested.failure()) {
      const Armed armed(true);
      tested.Give(PeerClosed{});
    }
    resumed_ = tested.established() && tested.established()->resumed;
    return {.established = tested.established() != nullptr && !tested.failure(),
            .failure = tested.failure(),
            .made = g_allocations.made,
            .failed = g_allocations.failed};
  }

  Session SessionOfAFullHandshake() {
    g_allocations = {};
    Handshake(Side::kClient, std::nullopt);
    if (case_.version == ProtocolVersion::kTls12) {
      return *TakeSession(client_->connection());
    }
    return *ReadNewSessionTicket(client_->connection(), client_->new_session_tickets().front(),
                                 kNow);
  }

  const Case& case_;
  ServerKit server_kit_;
  ServerKit client_kit_;
  bool resumed_ = false;
  std::optional<ServerDriver> server_, client_;
};

bool IsRsa(const Case& tested) { return tested.key == KeyType::kRsa2048; }

// Where libcrypto found no memory as it renewed an RSA key's blinding, signatures come out wrong
// until it makes another, every 32 uses.
Attempt RunUntilHealed(Pair& pair, Side side) {
  constexpr int kUsesOfABlinding = 32;
  Attempt attempt;
  for (int i = 0; i < kUsesOfABlinding && !attempt.established; ++i) {
    attempt = pair.Run(side, 0, false);
  }
  return attempt;
}

class S23_MemoryFailure : public testing::TestWithParam<Case> {};

TEST_P(S23_MemoryFailure, EndsInAnError) {
  ASSERT_TRUE(g_hooked);
  const Case& tested = GetParam();
  Pair pair(tested);
  for (const Side side : {Side::kServer, Side::kClient}) {
    // A server does not know that it is not trusted.
    if (tested.untrusted && side == Side::kServer) continue;
    pair.Run(side, 0, false);  // what is made once for the process is made here
    const Attempt whole = pair.Run(side, 0, false);
    ASSERT_EQ(Fault(whole, !tested.untrusted), "");
    ASSERT_EQ(whole.established, !tested.untrusted);
    ASSERT_EQ(pair.resumed(), tested.resumed);
    ASSERT_GT(whole.made, 0u);
    uint64_t refused = 0;
    for (const bool onwards : {false, true}) {
      for (uint64_t at = 1; at <= whole.made; ++at) {
        Attempt attempt = pair.Run(side, at, onwards);
        if (IsRsa(tested) && attempt.failed == 0 && !attempt.established) {
          attempt = RunUntilHealed(pair, side);
        }
        ASSERT_EQ(Fault(attempt, !tested.untrusted), "")
            << "allocation " << at << " of " << whole.made << (onwards ? " and on" : "");
        refused += attempt.failed > 0 && attempt.failure.has_value();
      }
    }
    // The control: allocations did fail, and a handshake cannot do without most of them.
    EXPECT_GT(refused, whole.made) << "of " << 2 * whole.made;
  }
}

INSTANTIATE_TEST_SUITE_P(All, S23_MemoryFailure, testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

// The control: what a careless connection would have come to is found.
TEST(S23_Control, FindsWhatWentWrong) {
  const HandshakeFailure failure;
  EXPECT_NE(Fault({.established = false, .failed = 1}, true), "");
  EXPECT_NE(Fault({.established = true, .failure = failure, .failed = 1}, true), "");
  EXPECT_NE(Fault({.established = true, .failed = 1}, false), "");
  EXPECT_NE(Fault({.established = false, .failure = failure, .failed = 0}, true), "");
}

}  // namespace
}  // namespace handfast::tls::test
