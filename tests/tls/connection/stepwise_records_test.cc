// Stepwise connections and records: messages that share them and are cut by them, records that are
// no message, what is held, and AES-CBC.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/tls/connection/client_fixture.h"
#include "tests/tls/connection/libssl_client.h"
#include "tests/tls/connection/libssl_server.h"
#include "tests/tls/connection/plain_flight.h"
#include "tests/tls/connection/scenario.h"
#include "tests/tls/connection/stepwise_walker.h"
#include "tls/record/record_layer.h"

namespace handfast::tls::test {
namespace {

using enum ProtocolVersion;
using Names = std::vector<std::string>;

// As tls/connection/limits.h has them.
constexpr int kMaxCompatibilityChangeCipherSpecs = 2;
constexpr size_t kMaxSkippedEarlyData = size_t{64} << 10;

// ---- Messages and records at odds.

// Neighbours of one kind are joined, and cut into records of `size`.
void Reshape(Flight& flight, size_t size) {
  Flight reshaped;
  for (size_t i = 0; i < flight.size();) {
    const FlightRecord& first = flight[i];
    Bytes joined;
    for (; i < flight.size() && flight[i].type == first.type &&
           flight[i].encrypted == first.encrypted;
         ++i) {
      Append(joined, flight[i].content);
    }
    for (ByteView rest(joined); !rest.empty();) {
      const ByteView some = rest.first(std::min(size, rest.size()));
      reshaped.push_back({first.type, Copy(some), first.encrypted});
      rest = rest.subspan(some.size());
    }
  }
  flight = std::move(reshaped);
}

Names SecondFlight(ProtocolVersion version) {
  return version == kTls13 ? Names{"certificate", "certificate_verify", "finished"}
                           : Names{"certificate", "client_key_exchange", "certificate_verify",
                                   "change_cipher_spec", "finished"};
}

TEST(StepwiseRecords, TakeOneMessageHoweverItLiesInThem) {
  for (const char* name : {"tls13_client_auth", "tls12_client_auth"}) {
    const Scenario& scenario = FindScenario(name);
    for (const size_t size : {size_t{1}, size_t{7}, size_t{100}, SIZE_MAX}) {
      ClientScript script = ScriptFor(scenario);
      script.edit_flight = [&](Flight& flight) { Reshape(flight, size); };
      const Recording recording = Record(KitFor(scenario), std::move(script));
      ASSERT_TRUE(recording.established()) << name << size;
      const Bytes all = recording.AllFromClient();
      Names expected = {"client_hello"};
      for (const std::string& next : SecondFlight(scenario.version)) expected.push_back(next);
      for (const bool amnesia : {false, true}) {
        // All at once, and byte by byte.
        StepwiseWalker walker(KitFor(scenario));
        walker.amnesia = amnesia;
        walker.Hold(all);
        EXPECT_EQ(TakeAll(walker), expected) << name << size;
        EXPECT_TRUE(walker.connection().established());
        EXPECT_EQ(walker.connection().consumed(), all.size());
      }
      StepwiseWalker trickled(KitFor(scenario));
      Names names;
      for (const uint8_t byte : all) {
        trickled.Hold({&byte, 1});
        for (const std::string& taken : TakeAll(trickled)) names.push_back(taken);
      }
      EXPECT_EQ(names, expected) << name << size;
    }
  }
}

// Where they share a record, the rest of it is held as messages.
TEST(StepwiseRecords, HoldWhatWasCutOutOfARecord) {
  const Scenario& scenario = FindScenario("tls13_client_auth");
  ClientScript script = ScriptFor(scenario);
  script.edit_flight = [](Flight& flight) { Reshape(flight, SIZE_MAX); };
  const Recording recording = Record(KitFor(scenario), std::move(script));
  StepwiseWalker walker(KitFor(scenario));
  walker.Hold(recording.AllFromClient());
  EXPECT_EQ(HeldBytes(walker.connection()), recording.AllFromClient().size());
  EXPECT_EQ(walker.Take().first(), "client_hello");
  EXPECT_EQ(walker.Take().first(), "certificate");
  EXPECT_EQ(walker.connection().consumed(), recording.AllFromClient().size());
  const size_t held = HeldBytes(walker.connection());
  EXPECT_GT(held, 0u);
  EXPECT_EQ(walker.Peek(), "certificate_verify");
  EXPECT_EQ(walker.Take().first(), "certificate_verify");
  EXPECT_LT(HeldBytes(walker.connection()), held);
  EXPECT_EQ(walker.Take().first(), "finished");
  EXPECT_EQ(HeldBytes(walker.connection()), 0u);
}

TEST(StepwiseRecords, HoldWhatFollowsTheHandshake) {
  for (const Scenario& scenario : Scenarios()) {
    Bytes all = Record(scenario).AllFromClient();
    const size_t end = all.size();
    Append(all, AsBytes("the caller's"));
    StepwiseWalker walker(KitFor(scenario));
    walker.Hold(all);
    TakeAll(walker);
    ASSERT_TRUE(walker.connection().established());
    EXPECT_EQ(walker.connection().consumed(), end);
    walker.Saved();
    walker.Hold(AsBytes(", and more"));
    EXPECT_EQ(HeldBytes(walker.connection()), 22u);
    EXPECT_EQ(AsText(TakeHeldBytes(walker.connection())), "the caller's, and more");
    EXPECT_EQ(HeldBytes(walker.connection()), 0u);
  }
}

TEST(StepwiseRecords, APlainConnectionHoldsNothing) {
  StepwiseWalker walker(FixedKit(), {});
  walker.Hold(Record(FindScenario("tls13_full")).AllFromClient());
  EXPECT_EQ(HeldBytes(walker.connection()), 0u);
  EXPECT_EQ(walker.Take().messages.size(), 0u);
  EXPECT_EQ(walker.connection().state_name(), "WaitClientHello");
}

// ---- Records that are passed over.

TEST(StepwiseRecords, EarlyDataIsPassedOver) {
  for (const char* name : {"tls13_full", "tls13_retry"}) {
    const Scenario& scenario = FindScenario(name);
    ClientScript script = ScriptFor(scenario);
    script.hello.SetHex(ExtensionType::kEarlyData, "");
    script.edit_second_hello = [](HelloFields& hello) { hello.Remove(ExtensionType::kEarlyData); };
    const Recording recording = Record(KitFor(scenario), std::move(script));
    ASSERT_TRUE(recording.established()) << name << recording.client_error;
    const Bytes hello = recording.events.front().bytes;
    const Bytes rest = Copy(ByteView(recording.AllFromClient()).subspan(hello.size()));
    const Bytes early = PlainRecord(ContentType::kApplicationData, Bytes(300, 0x55));
    StepwiseWalker walker(KitFor(scenario));
    EXPECT_EQ(walker.Take(hello).first(), "client_hello");
    walker.Hold(early);
    EXPECT_EQ(CheckedTake(walker).messages.size(), 0u);
    EXPECT_EQ(HeldBytes(walker.connection()), 0u) << "it is no longer held";
    walker.Hold(early);
    const std::string next = scenario.retry ? "client_hello" : "finished";
    EXPECT_EQ(walker.Peek(rest), next);
    walker.Hold(rest);
    EXPECT_EQ(TakeAll(walker).front(), next);
    EXPECT_TRUE(walker.connection().established());
    // The allowance, and more than it: to be seen beforehand.
    Bytes much;
    while (much.size() <= kMaxSkippedEarlyData) Append(much, early);
    StepwiseWalker refused(KitFor(scenario));
    refused.Take(hello);
    EXPECT_FALSE(refused.Look(ByteView(much).first(much.size() - early.size())).ends);
    EXPECT_TRUE(refused.Look(much).ends);
    refused.Hold(much);
    EXPECT_EQ(CheckedTake(refused).failure->reason, Reason::kTooMuchEarlyData);
  }
}

// A TLS 1.2 client of ours after its hello, and the server's first flight.
struct Waiting12 {
  Waiting12() : client(ClientKit12(), {.server_name = "example.test", .stepwise = true}) {
    ServerKit kit = FixedKit();
    kit.profile.versions = {kTls12};
    StepwiseWalker server(kit);
    flight = server.Take(client.Give(Begin{}).to_peer).slices;
  }
  static ServerKit ClientKit12() {
    ServerKit kit;
    kit.as_client = true;
    kit.profile = Tls12Only();
    kit.clients = FixedKit(ClientAuth::kRequired).clients;
    return kit;
  }
  StepwiseWalker client;
  std::vector<Bytes> flight;  // a message each, in its record
};

const Bytes& HelloRequest() {
  static const Bytes record = PlainRecord(ContentType::kHandshake, Bytes{0, 0, 0, 0});
  return record;
}
const Bytes& Warning() {
  // unrecognized_name, as servers do send it.
  static const Bytes record = PlainRecord(ContentType::kAlert, Bytes{1, 112});
  return record;
}

// Neither is a message that a step waits for, and both let it come through.
TEST(StepwiseRecords, HelloRequestsAndWarningsArePassedOver) {
  for (const Bytes& record : {HelloRequest(), Warning()}) {
    Waiting12 to;
    EXPECT_EQ(to.client.Take(to.flight[0]).first(), "server_hello");
    to.client.Hold(record);
    const Taken alone = CheckedTake(to.client);
    ASSERT_EQ(alone.messages.size(), 1u);
    EXPECT_FALSE(NameOf(alone.messages[0])) << "it is shown, and is no step";
    EXPECT_EQ(to.client.Peek(record), "");
    for (size_t i = 1; i < to.flight.size(); ++i) {
      if (i <= 2) to.client.Hold(record);
      const std::string name = to.client.Peek(to.flight[i]);
      EXPECT_NE(name, "") << i;
      to.client.Hold(to.flight[i]);
      EXPECT_EQ(CheckedTake(to.client).first(), name);
    }
    EXPECT_FALSE(to.client.connection().failed());
  }
}

TEST(StepwiseRecords, TooManyOfThemShowAsTheEnd) {
  for (const Bytes& record : {HelloRequest(), Warning()}) {
    Waiting12 to;
    to.client.Take(to.flight[0]);
    Bytes most;
    for (int i = 0; i < kMaxWarnings; ++i) Append(most, record);
    EXPECT_FALSE(to.client.Look(most).ends);
    Bytes more = most;
    Append(more, record);
    Append(more, to.flight[1]);
    EXPECT_TRUE(to.client.Look(more).ends);
    to.client.Hold(more);
    EXPECT_EQ(CheckedTake(to.client).failure->reason, Reason::kTooManyWarnings);
  }
}

// A record full of them, many times over, is looked at in no time.
TEST(StepwiseRecords, AFloodOfHelloRequestsIsNotReadToItsEnd) {
  Waiting12 to;
  to.client.Take(to.flight[0]);
  const Bytes record = PlainRecord(ContentType::kHandshake, Bytes(size_t{1} << 14, 0));
  Bytes flood;
  for (int i = 0; i < 8; ++i) Append(flood, record);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(to.client.Look(flood).ends);
}

TEST(StepwiseRecords, AFatalAlertShowsAsTheEnd) {
  for (const Bytes& body : {Bytes{2, 40}, Bytes{1, 0}}) {
    Waiting12 to;
    to.client.Take(to.flight[0]);
    to.client.Hold(PlainRecord(ContentType::kAlert, body));
    EXPECT_TRUE(to.client.Look().ends);
    EXPECT_TRUE(CheckedTake(to.client).failure);
  }
}

TEST(StepwiseRecords, TheMeaninglessChangeCipherSpecGoesWithAMessage) {
  const Scenario& scenario = FindScenario("tls13_full");
  const Recording recording = Record(scenario);
  const Bytes hello = recording.events.front().bytes;
  // Without the one that the client sends.
  const Bytes rest = RecordsOf(recording.AllFromClient()).back();
  const Bytes change = PlainRecord(ContentType::kChangeCipherSpec, Bytes{1});
  StepwiseWalker walker(KitFor(scenario));
  EXPECT_TRUE(walker.Look(change).ends) << "before the first ClientHello";
  walker.Take(hello);
  Bytes flight;
  for (int i = 0; i < kMaxCompatibilityChangeCipherSpecs; ++i) Append(flight, change);
  Bytes more = flight;
  Append(more, change);
  Append(more, rest);
  EXPECT_TRUE(walker.Look(more).ends);
  EXPECT_EQ(walker.Peek(flight), "");
  Append(flight, rest);
  EXPECT_EQ(walker.Peek(flight), "finished");
  walker.Hold(flight);
  const Taken taken = CheckedTake(walker);
  ASSERT_EQ(taken.messages.size(), 3u);
  EXPECT_FALSE(NameOf(taken.messages[0]));
  EXPECT_TRUE(taken.established);
}

// TLS 1.2: nothing else may come before it, and what does is seen to be something else.
TEST(StepwiseRecords, FinishedBeforeChangeCipherSpec) {
  const Scenario& scenario = FindScenario("tls12_full");
  const std::vector<Bytes> records = RecordsOf(Record(scenario).AllFromClient());
  ASSERT_EQ(records.size(), 4u);
  StepwiseWalker walker(KitFor(scenario));
  EXPECT_EQ(walker.Take(records[0]).first(), "client_hello");
  EXPECT_EQ(walker.Take(records[1]).first(), "client_key_exchange");
  EXPECT_EQ(Expected(walker.connection()), std::vector{kChangeCipherSpecName});
  EXPECT_EQ(walker.Peek(records[2]), "change_cipher_spec");
  EXPECT_NE(walker.Peek(records[3]), "finished");
  const Taken taken = walker.Take(records[3]);
  ASSERT_TRUE(taken.failure);
  EXPECT_EQ(taken.failure->alert, static_cast<uint8_t>(Alert::kUnexpectedMessage));
}

// A bad record fails as ever, with its alert.
TEST(StepwiseRecords, ABadRecordFailsWithItsAlert) {
  for (const char* name : {"tls13_full", "tls12_full"}) {
    Bytes all = Record(FindScenario(name)).AllFromClient();
    all.back() ^= 1;
    StepwiseWalker walker(KitFor(FindScenario(name)));
    walker.Hold(all);
    TakeAll(walker);
    EXPECT_TRUE(walker.connection().failed());
    StepwiseWalker again(KitFor(FindScenario(name)));
    const std::vector<Bytes> records = RecordsOf(all);
    for (size_t i = 0; i + 1 < records.size(); ++i) again.Take(records[i]);
    EXPECT_TRUE(again.Look(records.back()).ends);
    const Taken taken = again.Take(records.back());
    ASSERT_TRUE(taken.failure);
    EXPECT_EQ(taken.failure->reason, Reason::kBadRecordMac);
    EXPECT_EQ(taken.failure->alert, static_cast<uint8_t>(Alert::kBadRecordMac));
    EXPECT_FALSE(taken.to_peer.empty());
  }
}

// ---- AES-CBC, with libssl, and both ways to protect it.

class StepwiseCbc : public testing::TestWithParam<uint64_t> {};

TEST_P(StepwiseCbc, ShowsAtEverySplitAsAServer) {
  const Leaf leaf = Ca().Issue({.type = KeyType::kEcdsaP256, .dns = {"example.test"}});
  StepwiseWalker walker(ServerKit::For(leaf, LegacyProfile()));
  LibsslClient client({.version = TLS1_2_VERSION,
                       .cipher_list = "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0",
                       .ssl_options = GetParam()});
  Bytes to_client;
  ExpectSameAtEverySplit(walker, client.Receive({}), &to_client);
  const Bytes flight = client.Receive(to_client);
  to_client.clear();
  EXPECT_EQ(ExpectSameAtEverySplit(walker, flight, &to_client),
            (Names{"client_key_exchange", "change_cipher_spec", "finished"}));
  client.Receive(to_client);
  EXPECT_TRUE(client.done()) << client.error();
  EXPECT_TRUE(walker.connection().established());
}

TEST_P(StepwiseCbc, ShowsAtEverySplitAsAClient) {
  const Leaf leaf = Ca().Issue({.type = KeyType::kEcdsaP256, .dns = {"example.test"}});
  LibsslContext context(LibsslServerContext(leaf));
  SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context.get(), "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0");
  SSL_CTX_set_options(context.get(), GetParam());
  LibsslServer server(context.get());
  StepwiseWalker walker(Client12Kit(Tls12Only(LegacyProfile())),
                        {.server_name = "example.test", .stepwise = true});
  Bytes to_server = walker.Give(Begin{}).to_peer;
  Names names;
  while (!to_server.empty()) {
    const Bytes flight = server.Receive(to_server);
    to_server.clear();
    for (const std::string& name : ExpectSameAtEverySplit(walker, flight, &to_server)) {
      names.push_back(name);
    }
  }
  ASSERT_GE(names.size(), 6u);
  EXPECT_EQ(names.back(), "finished");
  EXPECT_TRUE(server.done());
  EXPECT_TRUE(walker.connection().established());
}

INSTANTIATE_TEST_SUITE_P(MacAndEncrypt, StepwiseCbc,
                         testing::Values(uint64_t{0}, uint64_t{SSL_OP_NO_ENCRYPT_THEN_MAC}));

}  // namespace
}  // namespace handfast::tls::test
