// The typed key schedules and the signing intents, against RFC 8448 §3 and the RFCs' own formulas.
#include "tls/engine/key_schedule.h"

#include <type_traits>

#include <gtest/gtest.h>

#include "tls/base/secret_access.h"
#include "tls/crypto/prf.h"
#include "tls/engine/intent.h"
#include "tls/engine/key_schedule12.h"
#include "tls/engine/transcript.h"

namespace handfast::tls::test {
namespace {

constexpr auto kSha256 = HashAlgorithm::kSha256;

Bytes Hex(std::string_view digits) { return FromHex(digits).value(); }

template <size_t N>
std::string HexOf(const Secret<N>& secret) {
  return ToHex(SecretAccess::Open(secret));
}

Digest DigestOf(std::string_view hex) {
  const Bytes bytes = Hex(hex);
  Digest digest;
  digest.size = bytes.size();
  std::copy(bytes.begin(), bytes.end(), digest.bytes.begin());
  return digest;
}

// RFC 8448 §3.
constexpr char kShared[] = "8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d";
constexpr char kHelloHash[] = "860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8";
constexpr char kFinishedHash[] = "9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13";

HandshakeSecret Rfc8448Handshake() {
  return ToHandshake(kSha256, *SharedSecret::From(Hex(kShared)));
}

TEST(KeySchedule13, Rfc8448Section3) {
  HandshakeSecret handshake = Rfc8448Handshake();
  EXPECT_EQ(HexOf(handshake.secret),
            "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac");
  const TrafficSecrets traffic = HandshakeTraffic(kSha256, handshake, DigestOf(kHelloHash));
  EXPECT_EQ(HexOf(traffic.client),
            "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21");
  EXPECT_EQ(HexOf(traffic.server),
            "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
  EXPECT_EQ(HexOf(FinishedKey(kSha256, traffic.server)),
            "008d3b66f816ea559f96b537e885c31fc068bf492c652f01f288a1d8cdc19fc8");
  const MainSecret main = ToMain(kSha256, std::move(handshake));
  EXPECT_EQ(HexOf(main.secret), "18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919");
  const TrafficSecrets application = ApplicationTraffic(kSha256, main, DigestOf(kFinishedHash));
  EXPECT_EQ(HexOf(application.client),
            "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5");
  EXPECT_EQ(HexOf(application.server),
            "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643");
}

// RFC 8448 §3 ends with a ticket, and §4 resumes it.
TEST(KeySchedule13, Rfc8448ResumptionAndBinder) {
  const MainSecret main = ToMain(kSha256, Rfc8448Handshake());
  const HashSecret resumption = ResumptionSecret(
      kSha256, main, DigestOf("209145a96ee8e2a122ff810047cc952684658d6049e86429426db87c54ad143d"));
  EXPECT_EQ(HexOf(resumption), "7df235f2031d2a051287d02b0241b0bfdaf86cc856231f2d5aba46c434ec196c");
  const HashSecret psk = TicketPsk(kSha256, resumption, Hex("0000"));
  EXPECT_EQ(HexOf(psk), "4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3");
  EarlySecret early = ToEarly(kSha256, psk);
  EXPECT_EQ(HexOf(early.secret),
            "9b2188e9b2fc6d64d71dc329900e20bb41915000f678aa839cbb797cb7d8332c");
  const Digest truncated_hello =
      DigestOf("63224b2e4573f2d3454ca84b9d009a04f6be9e05711a8396473aefa01e924a14");
  EXPECT_EQ(ToHex(Binder(kSha256, early, truncated_hello).view()),
            "3add4fb2d8fdf822a0ca3cf7678ef5e88dae990141c5924d57bb6fa31b9e5f9d");
  const HandshakeSecret handshake = ToHandshake(
      kSha256, std::move(early),
      *SharedSecret::From(Hex("f44194756ff9ec9d25180635d66ea6824c6ab3bf179977be37f723570e7ccb2e")));
  EXPECT_EQ(HexOf(handshake.secret),
            "005cb112fd8eb4ccc623bb88a07c64b3ede1605363fc7d0df8c7ce4ff0fb4ae6");
  EXPECT_TRUE(early.secret.empty());
}

TEST(KeySchedule13, AStageIsSpent) {
  SharedSecret shared = *SharedSecret::From(Hex(kShared));
  HandshakeSecret handshake = ToHandshake(kSha256, std::move(shared));
  EXPECT_TRUE(shared.empty());
  ToMain(kSha256, std::move(handshake));
  EXPECT_TRUE(handshake.secret.empty());
  // The wrong stage does not compile.
  static_assert(!std::is_convertible_v<HandshakeSecret, MainSecret>);
  static_assert(!std::is_invocable_v<decltype(ToMain), HashAlgorithm, MainSecret&&>);
  static_assert(!std::is_copy_constructible_v<HandshakeSecret>);
}

// RFC 8446 §4.4.1: Hash(message_hash || 00 00 Hash.length || Hash(ClientHello1) || ...).
TEST(Transcript13, AfterRetry) {
  const Bytes hello = Hex("0100000401020304");
  for (HashAlgorithm algorithm : {kSha256, HashAlgorithm::kSha384}) {
    Bytes expected = {254, 0, 0, static_cast<uint8_t>(DigestSize(algorithm))};
    Append(expected, Hash(algorithm, hello).view());
    Append(expected, AsBytes("and so on"));
    Transcript transcript = Transcript::AfterRetry(algorithm, hello);
    transcript.Add(AsBytes("and so on"));
    EXPECT_EQ(ToHex(transcript.Current().view()), ToHex(Hash(algorithm, expected).view()));
  }
}

// RFC 5246 §8.1 and §6.3, RFC 7627 §4, written out.
TEST(KeySchedule12, TheFormulas) {
  const Bytes premaster = Bytes(32, 7);
  HelloRandom client;
  client.fill(0xc1);
  HelloRandom server;
  server.fill(0x51);
  const auto expand = [](HashAlgorithm hash, ByteView secret, std::string_view label, Bytes seed,
                         size_t size) {
    Bytes out(size);
    Prf(hash, secret, label, seed, {}, out);
    return out;
  };
  Bytes client_server = Copy(client);
  Append(client_server, server);
  Bytes server_client = Copy(server);
  Append(server_client, client);
  for (CipherSuite id :
       {CipherSuite::kEcdheRsaAes128GcmSha256, CipherSuite::kEcdheRsaAes256GcmSha384,
        CipherSuite::kEcdheRsaChaCha20Poly1305Sha256}) {
    const SuiteInfo& suite = *FindSuite(id);
    const MasterSecret master =
        PlainMasterSecret(suite.hash, *SharedSecret::From(premaster), client, server);
    const Bytes expected = expand(suite.hash, premaster, "master secret", client_server, 48);
    EXPECT_EQ(HexOf(master.secret), ToHex(expected));
    const Digest session = Hash(suite.hash, AsBytes("session"));
    EXPECT_EQ(
        HexOf(ExtendedMasterSecret(suite.hash, *SharedSecret::From(premaster), session).secret),
        ToHex(expand(suite.hash, premaster, "extended master secret", Copy(session.view()), 48)));

    const bool chacha = suite.aead == AeadAlgorithm::kChaCha20Poly1305;
    const size_t key = AeadKeySize(suite.aead);
    const size_t iv = chacha ? 12 : 4;
    const std::string block =
        ToHex(expand(suite.hash, expected, "key expansion", server_client, 2 * (key + iv)));
    const KeyBlock keys = ExpandKeys(suite, master, client, server);
    EXPECT_EQ(HexOf(keys.client.key) + HexOf(keys.server.key) + HexOf(keys.client.iv) +
                  HexOf(keys.server.iv),
              block);
    const auto verify_data = FinishedVerifyData12(suite.hash, master, "client finished", session);
    EXPECT_EQ(ToHex(verify_data),
              ToHex(expand(suite.hash, expected, "client finished", Copy(session.view()), 12)));
    const auto check = [&](std::string_view label, ByteView body) {
      return CheckFinished12(suite.hash, master, label, session, body);
    };
    EXPECT_TRUE(check("client finished", verify_data).ok());
    EXPECT_EQ(check("server finished", verify_data).reason(), Reason::kFinishedMismatch);
    for (size_t i = 0; i < verify_data.size(); ++i) {
      Bytes wrong = Copy(verify_data);
      wrong[i] ^= 1;
      EXPECT_EQ(check("client finished", wrong).reason(), Reason::kFinishedMismatch);
      wrong.resize(i);
      EXPECT_EQ(check("client finished", wrong).reason(), Reason::kDecodeError);
    }
  }
}

// RFC 5246 §6.3: MAC keys, keys, and no IVs under AES-CBC.
TEST(KeySchedule12, TheKeyBlockOfCbc) {
  HelloRandom client;
  client.fill(0xc1);
  HelloRandom server;
  server.fill(0x51);
  const std::tuple<CipherSuite, size_t, size_t> kSizes[] = {
      {CipherSuite::kEcdheRsaAes128CbcSha, 20, 16},
      {CipherSuite::kDheRsaAes256CbcSha256, 32, 32},
      {CipherSuite::kEcdheRsaAes256CbcSha384, 48, 32}};
  for (const auto& [id, mac, key] : kSizes) {
    const SuiteInfo& suite = *FindSuite(id);
    const MasterSecret master =
        PlainMasterSecret(suite.hash, *SharedSecret::From(Bytes(48, 7)), client, server);
    Bytes seed = Copy(server);
    Append(seed, client);
    Bytes block(2 * (mac + key));
    Prf(suite.hash, SecretAccess::Open(master.secret), "key expansion", seed, {}, block);
    for (bool etm : {false, true}) {
      const KeyBlock keys = ExpandKeys(suite, master, client, server, etm);
      EXPECT_EQ(HexOf(keys.client.mac_key) + HexOf(keys.server.mac_key) + HexOf(keys.client.key) +
                    HexOf(keys.server.key),
                ToHex(block));
      EXPECT_TRUE(keys.client.iv.empty() && keys.server.iv.empty());
      EXPECT_EQ(keys.client.encrypt_then_mac, etm);
    }
  }
  // An AEAD suite has neither.
  const SuiteInfo& suite = *FindSuite(CipherSuite::kEcdheRsaAes128GcmSha256);
  const KeyBlock keys = ExpandKeys(suite, MasterSecret{*HashSecret::From(Bytes(48, 1))}, client,
                                   server, /*encrypt_then_mac=*/true);
  EXPECT_TRUE(keys.client.mac_key.empty());
  EXPECT_FALSE(keys.client.encrypt_then_mac);
}

// ---- What is signed. RFC 8446 §4.4.3: its own example.

TEST(Intent, Tls13ServerCertificateVerify) {
  const std::string expected =
      "20202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
      "202020202020202020202020202020202020"
      "544c5320312e332c2073657276657220436572746966696361746556657269667900010101010101010101010101"
      "01"
      "01010101010101010101010101010101010101";
  EXPECT_EQ(ToHex(ContentToSign(Tls13ServerCertificateVerify{Bytes(32, 1)})), expected);
}

// A client's differs in the context, so that neither side's signature stands for the other's.
TEST(Intent, T16_ClientAndServerDiffer) {
  const Bytes hash(32, 1);
  const Bytes client = ContentToSign(Tls13ClientCertificateVerify{hash});
  const Bytes server = ContentToSign(Tls13ServerCertificateVerify{hash});
  EXPECT_EQ(client.size(), server.size());
  EXPECT_NE(client, server);
  EXPECT_EQ(AsText(ByteView(client).subspan(64, 33)), "TLS 1.3, client CertificateVerify");
}

// RFC 5246 §7.4.3, RFC 8422 §5.4.
TEST(Intent, Tls12ServerKeyExchange) {
  const Intent intent = Tls12ServerKeyExchange{Bytes(32, 0xc1), Bytes(32, 0x51), {3, 0, 29, 1, 9}};
  EXPECT_EQ(ToHex(ContentToSign(intent)),
            ToHex(Bytes(32, 0xc1)) + ToHex(Bytes(32, 0x51)) + "03001d0109");
}

}  // namespace
}  // namespace handfast::tls::test
