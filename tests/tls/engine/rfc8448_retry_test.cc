// RFC 8448 §5, the handshake with a HelloRetryRequest. The trace's request carries a cookie, which
// this server never sends, so the request itself cannot be byte-exact and the trace is entered
// behind it: its transcript is put in place of ours, and from the second ClientHello on every
// message and record must be the trace's. That is the test of message_hash (RFC 8446 §4.4.1).
#include <utility>

#include <gtest/gtest.h>

#include "tests/tls/connection/rfc8448_trace.h"
#include "tls/engine/engine.h"
#include "tls/record/protection.h"

namespace handfast::tls::test {
namespace {

Bytes MessageIn(const Case& trace, const std::string& record) {
  const Bytes bytes = trace.hex(record);
  return Copy(ByteView(bytes).subspan(kRecordHeaderSize));
}

template <class E>
E* EffectOf(Transition& transition) {
  for (Effect& effect : transition.effects) {
    if (E* found = std::get_if<E>(&effect)) return found;
  }
  return nullptr;
}

// The state that waits for the second ClientHello, with our own request behind it.
EngineState UpToRetry(const Case& trace, Randomness& randomness) {
  // The client's only share is X25519: a profile without it asks for P-256, as the trace does.
  Profile profile = ProfileOfTraces();
  profile.groups = {NamedGroup::kSecp256r1};
  const Context context{profile, randomness};
  Transition hello = Step(WaitClientHello{}, MessageIn(trace, "Record_ClientHello_1"), context);
  const uint64_t id = std::get<Choose>(*hello.question).id;
  const Answer chosen =
      Chosen{id, CredentialOf(trace, SignatureScheme::kRsaPssRsaeSha256), Reason::kNoCredential};
  return Step(std::move(hello.next), chosen, context).next;
}

TEST(Rfc8448_Engine, Section5_HelloRetryRequest) {
  HANDFAST_VECTORS_OR_SKIP(path, kTraces, "1 trace, 4 records");
  const std::optional<Case> trace = FindTrace(path, "HelloRetryRequest_Handshake");
  ASSERT_TRUE(trace.has_value());
  FixedRandomness randomness = RandomnessOf(*trace);
  EngineState state = UpToRetry(*trace, randomness);
  auto* waiting = std::get_if<tls13::WaitRetriedClientHello>(&state);
  ASSERT_NE(waiting, nullptr) << StateName(state);
  waiting->transcript =
      Transcript::AfterRetry(HashAlgorithm::kSha256, MessageIn(*trace, "Record_ClientHello_1"));
  waiting->transcript.Add(MessageIn(*trace, "Record_HelloRetryRequest"));

  Profile profile = ProfileOfTraces();
  profile.groups = {NamedGroup::kSecp256r1, NamedGroup::kSecp384r1, NamedGroup::kX25519};
  const Context context{profile, randomness};
  Transition flight = Step(std::move(state), MessageIn(*trace, "Record_ClientHello_2"), context);
  ASSERT_TRUE(flight.question.has_value()) << StateName(flight.next);
  const UsePrivateKey& use = std::get<UsePrivateKey>(*flight.question);
  EXPECT_EQ(ContentToSign(use.intent), trace->hex("Server_MessageToSign"));
  EXPECT_EQ(EffectOf<SendMessages>(flight)->messages, trace->hex("Message_ServerHello"));
  InstallWriteKeys* write = EffectOf<InstallWriteKeys>(flight);
  InstallReadKeys* read = EffectOf<InstallReadKeys>(flight);
  ASSERT_NE(write, nullptr);
  ASSERT_NE(read, nullptr);
  RecordSealer sealer(*RecordKeys::Create(std::move(write->keys), AeadDirection::kSeal));
  RecordOpener opener(*RecordKeys::Create(std::move(read->keys), AeadDirection::kOpen));

  const Answer used =
      PrivateKeyUsed{use.id, trace->hex("Server_MessageSignature"), Reason::kPrivateKeyFailed};
  Transition finished = Step(std::move(flight.next), used, context);
  Bytes record;
  ASSERT_TRUE(sealer
                  .Seal(ContentType::kHandshake, EffectOf<SendMessages>(finished)->messages,
                        kMaxPlaintext, record)
                  .ok());
  EXPECT_EQ(ToHex(record), ToHex(trace->hex("Record_ServerHandshakeMessages")));

  Bytes client_record = trace->hex("Record_ClientFinished");
  const Result<OpenedRecord> opened = opener.Open(client_record);
  ASSERT_TRUE(opened.ok());
  const Transition connected = Step(std::move(finished.next), opened->fragment, context);
  EXPECT_EQ(StateName(connected.next), "Connected");
}

// The negative control: with our own request in the transcript the trace's signature covers
// something else.
TEST(Rfc8448_Engine, Section5_AnotherRequestMakesAnotherTranscript) {
  HANDFAST_VECTORS_OR_SKIP(path, kTraces, "1 trace");
  const std::optional<Case> trace = FindTrace(path, "HelloRetryRequest_Handshake");
  ASSERT_TRUE(trace.has_value());
  FixedRandomness randomness = RandomnessOf(*trace);
  EngineState state = UpToRetry(*trace, randomness);
  Profile profile = ProfileOfTraces();
  const Context context{profile, randomness};
  const Transition flight =
      Step(std::move(state), MessageIn(*trace, "Record_ClientHello_2"), context);
  ASSERT_TRUE(flight.question.has_value());
  EXPECT_NE(ContentToSign(std::get<UsePrivateKey>(*flight.question).intent),
            trace->hex("Server_MessageToSign"));
}

}  // namespace
}  // namespace handfast::tls::test
