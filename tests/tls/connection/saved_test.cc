// The saved form: amnesia between all steps, question open or not; answers that are late, repeated
// or a stranger's; broken forms; and forms that were saved long ago.
#include <gtest/gtest.h>

#include "tests/testdata/golden.h"
#include "tests/tls/connection/scenario.h"
#include "tls/crypto/hash.h"

namespace handfast::tls::test {
namespace {

using handfast::test::ExpectGolden;
using handfast::test::ReadGolden;

constexpr size_t kChecksum = 16;

class SavedTest : public testing::TestWithParam<Scenario> {
 protected:
  void SetUp() override {
    recording_ = Record(GetParam());
    ASSERT_TRUE(recording_.established()) << recording_.client_error;
  }

  // These two go through every state.
  static bool GoesThroughAll() {
    return GetParam().name == "tls13_retry_client_auth" || GetParam().name == "tls12_client_auth";
  }

  // The saved form before each event, and at the end.
  std::vector<Bytes> SavedForms() {
    std::vector<Bytes> forms;
    Replayer server(GetParam(), recording_);
    for (size_t i = 0; i <= recording_.events.size(); ++i) {
      const Result<Bytes> saved = Save(server.Take());
      EXPECT_TRUE(saved.ok());
      forms.push_back(*saved);
      server.Set(*Load(*saved));
      if (i < recording_.events.size()) server.Repeat(recording_.events[i]);
    }
    return forms;
  }

  Recording recording_;
};

TEST_P(SavedTest, AmnesiaBetweenAllSteps) {
  Replayer server(GetParam(), recording_);
  server.amnesia = true;
  for (const Event& event : recording_.events) {
    EXPECT_EQ(server.connection().state_name(), event.state_before);
    server.Repeat(event);
    EXPECT_EQ(server.connection().state_name(), event.state_after);
  }
  ASSERT_NE(server.established(), nullptr);
  EXPECT_EQ(ToHex(server.to_client()), ToHex(recording_.to_client));
}

// The open question is part of the form, and asks the same.
TEST_P(SavedTest, OpenQuestionSurvives) {
  Replayer server(GetParam(), recording_);
  int questions = 0;
  for (const Event& event : recording_.events) {
    server.Repeat(event);
    ASSERT_EQ(server.connection().question().has_value(), event.output.question.has_value());
    if (!event.output.question) continue;
    ++questions;
    server.Set(*Load(*Save(server.Take())));
    ASSERT_TRUE(server.connection().question().has_value());
    const Question& restored = *server.connection().question();
    EXPECT_EQ(QuestionId(restored), QuestionId(*event.output.question));
    EXPECT_EQ(restored.index(), event.output.question->index());
    if (const auto* use = std::get_if<UsePrivateKey>(&restored)) {
      const auto& before = std::get<UsePrivateKey>(*event.output.question);
      EXPECT_EQ(use->credential, before.credential);
      EXPECT_EQ(use->scheme, before.scheme);
      EXPECT_EQ(ContentToSign(use->intent), ContentToSign(before.intent));
    }
    if (const auto* choose = std::get_if<Choose>(&restored)) {
      const auto& before = std::get<Choose>(*event.output.question);
      EXPECT_EQ(choose->server_name, before.server_name);
      EXPECT_EQ(choose->version, before.version);
      EXPECT_EQ(choose->schemes, before.schemes);
      EXPECT_EQ(choose->certificate_schemes, before.certificate_schemes);
    }
    if (const auto* verify = std::get_if<VerifyPeer>(&restored)) {
      EXPECT_EQ(verify->chain, std::get<VerifyPeer>(*event.output.question).chain);
    }
  }
  EXPECT_EQ(questions, GetParam().certificate ? 3 : 2);
}

// An answer of each kind, to each id: only the right one to the open question moves anything.
TEST_P(SavedTest, StrangersAnswersChangeNothing) {
  Replayer server(GetParam(), recording_);
  server.amnesia = true;
  std::vector<Answer> known;
  for (const Event& event : recording_.events) {
    if (!event.from_peer) known.push_back(event.answer);
  }
  for (const Event& event : recording_.events) {
    const std::string state(server.connection().state_name());
    const uint64_t open =
        server.connection().question() ? QuestionId(*server.connection().question()) : 0;
    const size_t said = server.to_client().size();
    std::vector<Answer> strangers = known;
    for (uint64_t id : {open - 1, open, open + 1, open + 2}) {
      strangers.emplace_back(Chosen{id, nullptr, Reason::kNoCredential});
      strangers.emplace_back(PrivateKeyUsed{id, {}, Reason::kPrivateKeyFailed});
      strangers.emplace_back(PeerVerdict{id, Reason::kUnknownCa});
    }
    const auto right_kind = [&](const Answer& answer) {
      return server.connection().question() &&
             server.connection().question()->index() == answer.index() &&
             QuestionId(answer) == open;
    };
    for (const Answer& answer : strangers) {
      if (right_kind(answer)) continue;
      server.Give(answer);
      ASSERT_EQ(server.connection().state_name(), state);
      ASSERT_EQ(server.to_client().size(), said);
    }
    server.Repeat(event);
  }
  ASSERT_NE(server.established(), nullptr);
  EXPECT_EQ(ToHex(server.to_client()), ToHex(recording_.to_client));
  // The negative control: the right answer, which says no, ends it.
  Replayer refused(GetParam(), recording_);
  refused.Repeat(recording_.events.front());
  refused.Give(
      Chosen{QuestionId(*refused.connection().question()), nullptr, Reason::kNoCredential});
  EXPECT_TRUE(refused.failure().has_value());
}

TEST_P(SavedTest, EveryFlippedByteIsRefused) {
  if (!GoesThroughAll()) return;
  for (const Bytes& form : SavedForms()) {
    ASSERT_TRUE(Load(form).ok());
    for (size_t i = 0; i < form.size(); ++i) {
      Bytes broken = form;
      broken[i] ^= 0x10;
      ASSERT_FALSE(Load(broken).ok()) << i << " of " << form.size();
    }
  }
}

TEST_P(SavedTest, EveryTruncationIsRefused) {
  if (!GoesThroughAll()) return;
  for (const Bytes& form : SavedForms()) {
    for (size_t size = 0; size < form.size(); ++size) {
      const Bytes cut(form.begin(), form.begin() + static_cast<std::ptrdiff_t>(size));
      ASSERT_FALSE(Load(cut).ok()) << size << " of " << form.size();
    }
    Bytes longer = form;
    longer.push_back(0);
    ASSERT_FALSE(Load(longer).ok());
  }
}

Bytes WithChecksum(Bytes form) {
  form.resize(form.size() - kChecksum);
  Append(form, Hash(HashAlgorithm::kSha256, form).view().first(kChecksum));
  return form;
}

// Cut and digested again: the fields themselves refuse it.
TEST_P(SavedTest, TruncatedFieldsAreRefused) {
  if (!GoesThroughAll()) return;
  for (const Bytes& form : SavedForms()) {
    for (size_t size = kChecksum + 4; size < form.size(); ++size) {
      const Bytes cut(form.begin(), form.begin() + static_cast<std::ptrdiff_t>(size));
      ASSERT_FALSE(Load(WithChecksum(cut)).ok()) << size << " of " << form.size();
    }
  }
}

// The digest keeps accidents out, not malice (sealing does); still nothing that passes it may
// crash, whatever is done with the connection that comes out.
TEST_P(SavedTest, AlteredFieldsDoNotCrash) {
  if (!GoesThroughAll()) return;
  const std::vector<Bytes> forms = SavedForms();
  int loaded = 0;
  for (size_t i = 0; i < forms.size(); ++i) {
    for (size_t at = 4; at < forms[i].size() - kChecksum; ++at) {
      Bytes altered = forms[i];
      altered[at] ^= at % 2 == 0 ? 0x01 : 0xff;
      Result<Connection> connection = Load(WithChecksum(std::move(altered)));
      if (!connection.ok()) continue;
      ++loaded;
      // Certificates and held bytes make most of a form: a sample is enough to run on with.
      if (at % 16 != i % 16) continue;
      Replayer server(GetParam(), recording_);
      server.Set(*std::move(connection));
      for (size_t next = i; next < recording_.events.size(); ++next) {
        server.Repeat(recording_.events[next]);
      }
      if (server.connection().established()) {
        static_cast<void>(ReleaseKeys(server.Take()).ok());
      }
    }
  }
  EXPECT_GT(loaded, 0);
}

// The forms of today are those of the files, and those of the files go on to the same end.
TEST_P(SavedTest, GoldenForms) {
  if (!GoesThroughAll()) return;
  const std::vector<Bytes> forms = SavedForms();
  for (size_t i = 0; i < forms.size(); ++i) {
    const bool last = i == recording_.events.size();
    const std::string state =
        last ? recording_.events.back().state_after : recording_.events[i].state_before;
    const std::string file =
        "saved/" + GetParam().name + "_" + std::to_string(i) + "_" + state + ".hex";
    ExpectGolden(file, ToHex(forms[i]) + "\n");
    const std::optional<std::string> text = ReadGolden(file);
    if (!text) continue;
    Result<Connection> connection = Load(FromHex(text->substr(0, text->find('\n'))).value());
    ASSERT_TRUE(connection.ok()) << file;
    EXPECT_EQ(connection->state_name(), state);
    Replayer server(GetParam(), recording_);
    server.Set(*std::move(connection));
    for (size_t next = i; next < recording_.events.size(); ++next) {
      server.Repeat(recording_.events[next]);
    }
    EXPECT_TRUE(server.connection().established()) << file;
  }
}

INSTANTIATE_TEST_SUITE_P(All, SavedTest, testing::ValuesIn(Scenarios()),
                         ScenarioName<testing::TestParamInfo<Scenario>>);

TEST(Saved, UnknownVersionIsRefused) {
  Bytes form = *Save(Connection::Server({}));
  EXPECT_TRUE(Load(WithChecksum(form)).ok());
  const uint8_t current = form[3];
  for (int version = 0; version < 256; ++version) {
    form[3] = static_cast<uint8_t>(version);
    EXPECT_EQ(Load(WithChecksum(form)).ok(), version == current) << version;
  }
}

TEST(Saved, AFailureIsNotSaved) {
  const ServerKit kit = FixedKit();
  ServerDriver server(kit);
  server.Receive(AsBytes("GET / HTTP/1.1\r\n\r\n"));
  ASSERT_TRUE(server.connection().failed());
  EXPECT_FALSE(Save(server.Take()).ok());
}

}  // namespace
}  // namespace handfast::tls::test
