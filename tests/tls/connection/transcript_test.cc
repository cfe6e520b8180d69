// Golden transcripts: whole handshakes as text, compared with tests/testdata/transcripts. They are
// documentation too. To accept a change: see tests/testdata/README.md.
#include <gtest/gtest.h>

#include "tests/testdata/golden.h"
#include "tests/tls/connection/transcript_text.h"

namespace handfast::tls::test {
namespace {

using handfast::test::ExpectGolden;

Recording Traced(const Scenario& scenario, ClientScript script) {
  return Record(KitFor(scenario), std::move(script), {.alpn = {"http/1.1"}, .trace = true});
}

void ExpectTranscript(const std::string& name, const std::string& title,
                      const Recording& recording) {
  ExpectGolden("transcripts/" + name + ".txt", ToText(title, recording));
}

void ExpectWhole(const std::string& scenario_name, const std::string& title) {
  const Scenario& scenario = FindScenario(scenario_name);
  const Recording recording = Traced(scenario, ScriptFor(scenario));
  EXPECT_TRUE(recording.established()) << recording.client_error;
  EXPECT_TRUE(recording.client_done);
  ExpectTranscript(scenario_name, title, recording);
}

TEST(Transcript, Tls13Full) {
  ExpectWhole("tls13_full", "TLS 1.3, full handshake (RFC 8446 §2, figure 1).");
}
TEST(Transcript, Tls13Retry) {
  ExpectWhole("tls13_retry", "TLS 1.3 with a HelloRetryRequest (RFC 8446 §2.1, figure 2).");
}
TEST(Transcript, Tls13ClientAuth) {
  ExpectWhole("tls13_client_auth", "TLS 1.3 with a client certificate (RFC 8446 §4.3.2, §4.4).");
}
TEST(Transcript, Tls12Full) {
  ExpectWhole("tls12_full", "TLS 1.2, full handshake (RFC 5246 §7.3, figure 1).");
}
TEST(Transcript, Tls12ClientAuth) {
  ExpectWhole("tls12_client_auth", "TLS 1.2 with a client certificate (RFC 5246 §7.4.4).");
}

TEST(Transcript, Tls13BadFinished) {
  const Scenario& scenario = FindScenario("tls13_full");
  ClientScript script = ScriptFor(scenario);
  script.edit_flight = [](Flight& flight) { flight.back().content.back() ^= 1; };
  const Recording recording = Traced(scenario, std::move(script));
  EXPECT_FALSE(recording.established());
  ExpectTranscript("tls13_bad_finished",
                   "TLS 1.3, a client's Finished with a wrong bit (RFC 8446 §4.4.4).", recording);
}

TEST(Transcript, Tls12TooOld) {
  const Scenario& scenario = FindScenario("tls12_full");
  ClientScript script = ScriptFor(scenario);
  script.hello.legacy_version = 0x0302;
  const Recording recording = Traced(scenario, std::move(script));
  EXPECT_FALSE(recording.established());
  ExpectTranscript("tls11_refused", "A TLS 1.1 client (RFC 8996 §5).", recording);
}

// The negative control of the comparison.
TEST(Golden, FirstDifferenceIsFound) {
  using handfast::test::FirstDifference;
  EXPECT_EQ(FirstDifference("a\nb\n", "a\nb\n"), "");
  EXPECT_NE(FirstDifference("a\nb\n", "a\nc\n").find("line 2"), std::string::npos);
  EXPECT_NE(FirstDifference("a\n", "a\nb\n"), "");
  EXPECT_NE(FirstDifference("a\nb\n", "a\n"), "");
  EXPECT_NE(FirstDifference("a\n", "a"), "");
}

}  // namespace
}  // namespace handfast::tls::test
