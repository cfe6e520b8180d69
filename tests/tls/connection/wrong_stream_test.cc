// Streams that are no TLS, not quite TLS, or end too early; limits on records; and the public
// corpus of server streams.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "tests/tls/connection/wrong_peer.h"
#include "tests/tls/wire/corpus.h"
#include "tests/tls/wire/length_probe.h"

namespace handfast::tls::test {
namespace {

using enum ProtocolVersion;

// Closed, without an alert and without a state.
testing::AssertionResult ClosedSilently(const Outcome& outcome) {
  if (!outcome.failure) return testing::AssertionFailure() << "it waits";
  if (outcome.failure->reason != Reason::kNotTls || outcome.failure->origin != Origin::kClosed ||
      outcome.failure->alert || !outcome.last_record.empty()) {
    return testing::AssertionFailure() << Describe(outcome.failure->reason).label;
  }
  return testing::AssertionSuccess();
}

// ---- T10: RFC 8446 §6: what is no TLS gets no alert.

TEST(T10_NotTls, GetsNoAlert) {
  for (std::string_view text :
       {"GET / HTTP/1.1\r\nHost: example.test\r\n\r\n", "POST / HTTP/1.1\r\n",
        "SSH-2.0-OpenSSH\r\n", "EHLO example.test\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        "\r\n\r\n"}) {
    EXPECT_TRUE(ClosedSilently(Feed(AsBytes(text)))) << text;
  }
  EXPECT_TRUE(ClosedSilently(Feed(Bytes(100, 0xff))));
  EXPECT_TRUE(ClosedSilently(Feed(Bytes(100, 0x00))));
}
// RFC 5246 §E.2: an SSLv2 hello that offers TLS 1.2. DROWN: never parsed.
TEST(T10_NotTls, Sslv2Hello) {
  EXPECT_TRUE(
      ClosedSilently(Feed(FromHex("802e0100020015000000100100800700c0030080060040020080040080"
                                  "00112233445566778899aabbccddeeff")
                              .value())));
  EXPECT_TRUE(ClosedSilently(Feed(FromHex("802b010303001200000010000005000004000035"
                                          "00112233445566778899aabbccddeeff")
                                      .value())));
}
TEST(T10_NotTls, FirstBytesTellApart) {
  for (int first = 0; first < 256; ++first) {
    const uint8_t byte = static_cast<uint8_t>(first);
    const Outcome outcome = Feed({&byte, 1});
    if (first == 22 || first == 21) {
      EXPECT_FALSE(outcome.failure.has_value()) << first;
    } else if (first == 20 || first == 23) {
      // RFC 8446 §5: an unexpected record type.
      EXPECT_TRUE(Refused(outcome, Reason::kUnexpectedMessage, Alert::kUnexpectedMessage));
    } else {
      EXPECT_TRUE(ClosedSilently(outcome)) << first;
    }
  }
}
// RFC 8446 §5.1: the record's version "MUST be ignored for all purposes", §D.5: but for those
// below 0x0300.
TEST(T10_RecordVersion, IsIgnored) {
  for (uint16_t version :
       {0x0000, 0x0002, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304, 0x03ff, 0x7f12, 0xffff}) {
    const Bytes record = PlainRecord(ContentType::kHandshake, HelloFor(kTls13).Message(), version);
    FixedRandomness randomness;
    const ServerKit kit = FixedKit();
    ServerDriver server(kit, {}, randomness);
    server.Give(FromPeer{record});
    EXPECT_EQ(server.connection().state_name(), "AwaitChoice") << version;
  }
}
TEST(T10_Records, UnknownTypeLater) {
  Bytes stream = PlainRecord(ContentType::kHandshake, HelloFor(kTls12).Message());
  Append(stream, FromHex("1803030003010001").value());  // heartbeat
  EXPECT_TRUE(Refused(Feed(stream), Reason::kBadRecordType, Alert::kUnexpectedMessage));
}

// ---- Other first messages and records.

TEST(T13_FirstMessage, EveryOtherType) {
  for (int type = 0; type < 256; ++type) {
    if (type == 1) continue;
    const Bytes message = {static_cast<uint8_t>(type), 0, 0, 0};
    EXPECT_TRUE(Refused(Feed(PlainRecord(ContentType::kHandshake, message)),
                        Reason::kUnexpectedMessage, Alert::kUnexpectedMessage))
        << type;
  }
}
TEST(T13_FirstMessage, AnAlert) {
  const Outcome outcome = Feed(PlainRecord(ContentType::kAlert, Bytes{2, 40}));
  EXPECT_EQ(outcome.failure->reason, Reason::kPeerAlert);
  EXPECT_TRUE(outcome.last_record.empty());
}
// A second ClientHello where none was asked for; in TLS 1.2 a renegotiation in mid-handshake (T4).
TEST(T13_FirstMessage, TwoClientHellos) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const Bytes hello = PlainRecord(ContentType::kHandshake, HelloFor(version).Message());
    Bytes twice = hello;
    Append(twice, hello);
    const Outcome outcome = Feed(twice);
    ASSERT_TRUE(outcome.failure.has_value());
    EXPECT_EQ(outcome.failure->alert, static_cast<uint8_t>(Alert::kUnexpectedMessage));
  }
}
TEST(T12_FirstRecord, ChangeCipherSpecBeforeClientHello) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    Bytes stream = PlainRecord(ContentType::kChangeCipherSpec, Bytes{1});
    Append(stream, PlainRecord(ContentType::kHandshake, HelloFor(version).Message()));
    EXPECT_TRUE(Refused(Feed(stream), Reason::kUnexpectedMessage, Alert::kUnexpectedMessage));
  }
}

// ---- T18, T19: sizes. RFC 8446 §5.1 and §5.2.

TEST(T18_RecordSize, HeaderAboveTheLimit) {
  const auto header = [](uint16_t length) {
    return Feed(Bytes{22, 3, 3, static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)});
  };
  EXPECT_FALSE(header(16640).failure.has_value());
  EXPECT_TRUE(Refused(header(16641), Reason::kRecordOverflow, Alert::kRecordOverflow));
  EXPECT_TRUE(Refused(header(0xffff), Reason::kRecordOverflow, Alert::kRecordOverflow));
}
TEST(T18_RecordSize, PlaintextAboveTheLimit) {
  // The beginning of a ClientHello of 64 KiB - 1.
  Bytes message = {1, 0, 0xff, 0xf0};
  message.resize(16384);
  EXPECT_FALSE(Feed(PlainRecord(ContentType::kHandshake, message)).failure.has_value());
  message.resize(16385);
  EXPECT_TRUE(Refused(Feed(PlainRecord(ContentType::kHandshake, message)), Reason::kRecordOverflow,
                      Alert::kRecordOverflow));
}
TEST(T18_RecordSize, EmptyHandshakeRecord) {
  EXPECT_TRUE(Refused(Feed(PlainRecord(ContentType::kHandshake, {})), Reason::kEmptyHandshakeRecord,
                      Alert::kUnexpectedMessage));
}
TEST(T19_MessageSize, SixtyFourKibibytes) {
  const auto header = [](uint32_t length) {
    return Feed(PlainRecord(ContentType::kHandshake, Bytes{1, static_cast<uint8_t>(length >> 16),
                                                           static_cast<uint8_t>(length >> 8),
                                                           static_cast<uint8_t>(length)}));
  };
  EXPECT_FALSE(header(65536 - 4).failure.has_value());
  EXPECT_TRUE(Refused(header(65536 - 3), Reason::kMessageTooLong, Alert::kIllegalParameter));
  EXPECT_TRUE(Refused(header(0xffffff), Reason::kMessageTooLong, Alert::kIllegalParameter));
}
// A peer that goes on sending while a question is open is held, up to a limit.
TEST(T19_HeldInput, IsBounded) {
  const ServerKit kit = FixedKit();
  FixedRandomness randomness;
  ServerDriver server(kit, {}, randomness);
  server.Give(FromPeer{PlainRecord(ContentType::kHandshake, HelloFor(kTls13).Message())});
  const Bytes chunk(1024, 0x17);
  for (int i = 0; i < 40; ++i) server.Give(FromPeer{chunk});
  EXPECT_FALSE(server.connection().failed());
  server.Give(FromPeer{chunk});
  EXPECT_TRUE(server.connection().failed());
}
// RFC 8449 §4: what we advertised holds for what is protected.
TEST(T18_RecordSizeLimit, OfOurs) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    ServerKit kit = FixedKit(ClientAuth::kRequired);
    kit.profile.record_size_limit = 256;
    ClientScript script = Sound(version);
    script.certificate = &FixedClient();
    if (version == kTls13) {
      // Its Certificate is longer than that.
      EXPECT_TRUE(Refused(Shake(kit, script), Reason::kRecordOverflow, Alert::kRecordOverflow));
    } else {
      // Only Finished is protected.
      EXPECT_TRUE(Succeeded(Shake(kit, script)));
    }
    // The client did not ask, so nothing was promised.
    script.hello.Remove(ExtensionType::kRecordSizeLimit);
    EXPECT_TRUE(Succeeded(Shake(kit, script)));
  }
}
TEST(T18_RecordSizeLimit, OfTheirs) {
  ClientScript script = Sound(kTls13);
  script.hello.SetHex(ExtensionType::kRecordSizeLimit, "0040");
  const ServerKit kit = FixedKit();
  FixedRandomness randomness;
  ServerDriver server(kit, {}, randomness);
  ScriptedClient client(std::move(script));
  int protected_records = 0;
  Bytes to_server = client.Start();
  while (!to_server.empty()) {
    const Bytes to_client = server.Receive(to_server);
    for (const Bytes& record : RecordsOf(to_client)) {
      if (record[0] != 23) continue;
      ++protected_records;
      EXPECT_LE(record.size(), kRecordHeaderSize + 64 + 16);
    }
    to_server = client.Receive(to_client);
  }
  EXPECT_TRUE(client.done()) << client.error();
  EXPECT_GT(protected_records, 8);
}

// ---- T23: the end of the stream at every byte.

class ClosedEarlyTest : public testing::TestWithParam<Scenario> {};

TEST_P(ClosedEarlyTest, AtEveryByte) {
  const Recording recording = Record(GetParam());
  const Bytes all = recording.AllFromClient();
  Replayer server(GetParam(), recording);
  for (size_t at = 0; at < all.size(); ++at) {
    // What was saved stands for the connection as it is after `at` bytes.
    const Bytes saved = *Save(server.Take());
    server.Set(*Load(saved));
    const size_t said = server.to_client().size();
    server.Give(PeerClosed{});
    ASSERT_TRUE(server.failure().has_value()) << at;
    EXPECT_EQ(server.failure()->reason, Reason::kPeerClosed);
    EXPECT_EQ(server.failure()->origin, Origin::kClosed);
    EXPECT_FALSE(server.failure()->alert.has_value());
    EXPECT_EQ(server.to_client().size(), said);
    ASSERT_EQ(server.established(), nullptr) << at;
    server.Set(*Load(saved));
    server.Receive({&all[at], 1});
  }
  // The negative control: after the last byte the handshake is done, and its keys can be had.
  ASSERT_NE(server.established(), nullptr);
  EXPECT_TRUE(ReleaseKeys(server.connection()).ok());
  server.Give(PeerClosed{});
  EXPECT_TRUE(server.connection().established());
}
INSTANTIATE_TEST_SUITE_P(All, ClosedEarlyTest, testing::ValuesIn(Scenarios()),
                         ScenarioName<testing::TestParamInfo<Scenario>>);

// The owner gives up: an alert, and the end. RFC 8446 §6.2.
TEST(GiveUp, TellsThePeer) {
  const ServerKit kit = FixedKit();
  for (Reason reason : {Reason::kDeadlineExceeded, Reason::kHandshakeAborted}) {
    FixedRandomness randomness;
    ServerDriver server(kit, {}, randomness);
    server.Give(FromPeer{PlainRecord(ContentType::kHandshake, HelloFor(kTls13).Message())});
    EXPECT_EQ(ToHex(server.Give(GiveUp{reason})), "15030300020250");
    EXPECT_EQ(server.failure()->reason, reason);
    EXPECT_TRUE(server.Give(GiveUp{reason}).empty());
  }
}

// ---- T11: each length of a ClientHello altered.

TEST(T11_ClientHello, EveryLengthAltered) {
  int mutants = 0;
  int refused = 0;
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const Bytes message = HelloFor(version).Message();
    const ByteView body = ByteView(message).subspan(kHandshakeHeaderSize);
    std::vector<LengthField> fields = LengthFieldsOf(*Parse<ClientHello>(body));
    for (LengthField& field : fields) field.offset += kHandshakeHeaderSize;
    // The first length inside each extension's body, too.
    const size_t outer = fields.size();
    for (size_t i = 4; i < outer; ++i) {
      fields.push_back({fields[i].offset + 2, 1});
      fields.push_back({fields[i].offset + 2, 2});
    }
    for (const LengthField& field : fields) {
      if (field.offset + field.width > message.size()) continue;
      const uint64_t length = LengthAt(message, field);
      for (uint64_t altered : {length - 1, length + 1, uint64_t{0}, ~uint64_t{0}}) {
        const Bytes mutant = WithLength(message, field, altered);
        if (mutant == message) continue;
        ++mutants;
        const Outcome outcome = Feed(PlainRecord(ContentType::kHandshake, mutant));
        EXPECT_FALSE(outcome.established);
        if (!outcome.failure) continue;
        ++refused;
        // Wherever the parse breaks it is a decode_error; what parses may break another rule.
        const uint8_t alert = outcome.failure->alert.value_or(0);
        EXPECT_TRUE(alert == 50 || alert == 47 || alert == 40 || alert == 109 || alert == 70)
            << int{alert};
      }
    }
  }
  EXPECT_GT(mutants, 150);
  EXPECT_GT(refused, mutants / 2);
}
// RFC 8446 §4: the header's own length.
TEST(T11_ClientHello, HeaderLength) {
  Bytes shorter = HelloFor(kTls13).Message();
  --shorter[3];
  EXPECT_TRUE(Refused(Feed(PlainRecord(ContentType::kHandshake, shorter)), Reason::kDecodeError,
                      Alert::kDecodeError));
  Bytes longer = HelloFor(kTls13).Message();
  ++longer[3];
  EXPECT_FALSE(Feed(PlainRecord(ContentType::kHandshake, longer)).failure.has_value());
  longer.push_back(0);
  EXPECT_TRUE(Refused(Feed(PlainRecord(ContentType::kHandshake, longer)), Reason::kDecodeError,
                      Alert::kDecodeError));
}

// ---- T7: FREAK, Logjam, export, NULL, anonymous, RC4, 3DES, static DH.

// The ids, of all 65,536, with which a profile goes on where the client offers nothing else. One
// without suites lists each in its turn.
std::set<uint16_t> Picked(Profile profile, ProtocolVersion version) {
  const bool lists_each = profile.cipher_suites.empty();
  HelloFields hello = HelloFor(version);
  hello.session_id.clear();
  hello.cipher_suites = {static_cast<CipherSuite>(0)};
  // An ECDSA and an RSA key both sign what is offered.
  Bytes record = PlainRecord(ContentType::kHandshake, hello.Message());
  const size_t at = kRecordHeaderSize + kHandshakeHeaderSize + 2 + 32 + 1 + 2;
  std::set<uint16_t> picked;
  for (int id = 0; id < 0x10000; ++id) {
    record[at] = static_cast<uint8_t>(id >> 8);
    record[at + 1] = static_cast<uint8_t>(id);
    if (lists_each) profile.cipher_suites = {static_cast<CipherSuite>(id)};
    FixedRandomness randomness;
    const Stepped stepped =
        Step(Connection::Server({}), FromPeer{record}, Context{profile, randomness});
    if (stepped.output.question) {
      picked.insert(static_cast<uint16_t>(id));
      continue;
    }
    const bool fallback = static_cast<CipherSuite>(id) == CipherSuite::kFallbackScsv;
    EXPECT_EQ(stepped.output.failure->alert.value_or(0),
              fallback && version == ProtocolVersion::kTls12 ? 86 : 40)
        << id;
  }
  return picked;
}

std::set<uint16_t> OfVersion(const std::vector<CipherSuite>& suites, ProtocolVersion version) {
  std::set<uint16_t> ids;
  for (CipherSuite suite : suites) {
    if (FindSuite(suite)->version == version) ids.insert(static_cast<uint16_t>(suite));
  }
  return ids;
}

// A profile that lists any number there is picks those that exist, all named here.
TEST(T7_CipherSuites, NothingElseExists) {
  Profile profile = IntermediateProfile();
  profile.groups.push_back(NamedGroup::kFfdhe2048);
  profile.cipher_suites.clear();
  EXPECT_EQ(Picked(profile, kTls13), (std::set<uint16_t>{0x1301, 0x1302, 0x1303}));
  EXPECT_EQ(
      Picked(profile, kTls12),
      (std::set<uint16_t>{0x002f, 0x0033, 0x0035, 0x0039, 0x003c, 0x003d, 0x0067, 0x006b, 0x009c,
                          0x009d, 0x009e, 0x009f, 0xc009, 0xc00a, 0xc013, 0xc014, 0xc023, 0xc024,
                          0xc027, 0xc028, 0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9, 0xccaa}));
}

// RFC 5246 §A.5, RFC 8446 §D.5.
TEST(T7_CipherSuites, OnlyTheAllowListIsEverPicked) {
  for (const Profile& profile : {IntermediateProfile(), ModernProfile()}) {
    for (ProtocolVersion version : profile.versions) {
      EXPECT_EQ(Picked(profile, version), OfVersion(profile.cipher_suites, version));
    }
  }
}

// ---- The corpus of s2n-tls: any outcome but a crash or a hang.

TEST(T11_Corpus, S2nServerStreams) {
  HANDFAST_VECTORS_OR_SKIP(path, "corpora/s2n_server_streams.jsonl", 493);
  const std::vector<CorpusInput> inputs = ReadCorpus(path);
  EXPECT_EQ(inputs.size(), 493u);
  int asked = 0;
  for (ClientAuth mode : {ClientAuth::kNone, ClientAuth::kOptional}) {
    ServerKit kit = FixedKit(mode);
    kit.profile.require_extended_master_secret = false;
    kit.profile.require_renegotiation_info = false;
    for (const CorpusInput& input : inputs) {
      for (bool whole : {true, false}) {
        FixedRandomness randomness;
        ServerDriver server(kit, {}, randomness);
        if (whole) {
          server.Receive(input.bytes);
        } else {
          for (uint8_t byte : input.bytes) server.Receive({&byte, 1});
        }
        asked += server.connection().state_name() != "WaitClientHello";
        server.Give(PeerClosed{});
        EXPECT_TRUE(server.connection().failed()) << input.name;
      }
    }
  }
  EXPECT_GT(asked, 0);
}

}  // namespace
}  // namespace handfast::tls::test
