// However the client's bytes are cut, joined or early, and whatever is forgotten in between, the
// server says the same bytes (RFC 8446 §5.1: records and messages may be fragmented at will).
#include <gtest/gtest.h>

#include "tests/tls/connection/scenario.h"

namespace handfast::tls::test {
namespace {

class SplitTest : public testing::TestWithParam<Scenario> {
 protected:
  void SetUp() override {
    recording_ = Record(GetParam());
    ASSERT_TRUE(recording_.established()) << recording_.client_error;
    ASSERT_TRUE(recording_.client_done);
  }

  void ExpectSame(const Replayer& server, size_t where) {
    ASSERT_NE(server.established(), nullptr) << where;
    ASSERT_EQ(ToHex(server.to_client()), ToHex(recording_.to_client)) << where;
  }

  Recording recording_;
};

TEST_P(SplitTest, ByteByByte) {
  for (bool amnesia : {false, true}) {
    Replayer server(GetParam(), recording_);
    server.amnesia = amnesia;
    const Bytes all = recording_.AllFromClient();
    for (uint8_t byte : all) server.Receive({&byte, 1});
    ExpectSame(server, 0);
    EXPECT_EQ(server.connection().consumed(), all.size());
  }
}

// Everything at once, although the client could not know its second flight yet.
TEST_P(SplitTest, AllCoalesced) {
  Replayer server(GetParam(), recording_);
  server.Receive(recording_.AllFromClient());
  ExpectSame(server, 0);
}

// Within the hello, and then within what follows it; there each run goes on from one saved state.
TEST_P(SplitTest, InTwoAtEveryPosition) {
  if (GetParam().name == "tls13_retry_client_auth") return;  // its parts are cut in the others
  const Bytes all = recording_.AllFromClient();
  const size_t hello = recording_.events.front().bytes.size();
  // The hellos of the others are cut in the full handshakes.
  if (GetParam().client_auth == ClientAuth::kNone) {
    for (size_t at = 1; at < hello; ++at) {
      Replayer server(GetParam(), recording_);
      server.Receive(ByteView(all).first(at));
      server.Receive(ByteView(all).subspan(at));
      ExpectSame(server, at);
    }
  }
  Replayer first(GetParam(), recording_);
  first.Receive(ByteView(all).first(hello));
  const Bytes said = first.to_client();
  const Bytes saved = *Save(first.Take());
  for (size_t at = hello; at < all.size(); ++at) {
    Replayer server(GetParam(), recording_);
    server.Set(*Load(saved));
    server.Receive(ByteView(all).subspan(hello, at - hello));
    server.Receive(ByteView(all).subspan(at));
    ASSERT_NE(server.established(), nullptr) << at;
    ASSERT_EQ(ToHex(said) + ToHex(server.to_client()), ToHex(recording_.to_client)) << at;
  }
}

// Bytes that come while a question is open are kept for later.
TEST_P(SplitTest, EarlyBytesWaitForTheAnswer) {
  const Bytes all = recording_.AllFromClient();
  const size_t hello = recording_.events.front().bytes.size();
  for (bool amnesia : {false, true}) {
    Replayer server(GetParam(), recording_);
    server.amnesia = amnesia;
    server.Give(FromPeer{ByteView(all).first(hello)});
    ASSERT_TRUE(server.connection().question().has_value());
    for (size_t at = hello; at < all.size(); ++at) server.Give(FromPeer{{&all[at], 1}});
    EXPECT_EQ(server.connection().consumed(), hello);
    EXPECT_TRUE(server.to_client().empty());
    server.AnswerAll();
    ExpectSame(server, 0);
  }
}

// Bytes behind the handshake's end are the caller's.
TEST_P(SplitTest, BytesBehindTheEndAreNotConsumed) {
  Bytes all = recording_.AllFromClient();
  const size_t end = all.size();
  all.insert(all.end(), 100, 0x17);
  Replayer server(GetParam(), recording_);
  server.Receive(all);
  ExpectSame(server, 0);
  EXPECT_EQ(server.connection().consumed(), end);
}

// The negative control: one bit of any byte of the client's, and the outcome is not the same.
TEST_P(SplitTest, EveryAlteredByteIsNoticed) {
  const Bytes all = recording_.AllFromClient();
  const size_t stride = GetParam().client_auth == ClientAuth::kNone ? 1 : 11;
  for (size_t at = 0; at < all.size(); at += stride) {
    Bytes altered = all;
    altered[at] ^= 0x01;
    Replayer server(GetParam(), recording_);
    server.Receive(altered);
    // The version of a record's header is ignored (RFC 8446 §5.1) where no key covers it.
    const bool same = server.established() && server.to_client() == recording_.to_client;
    if (same) {
      EXPECT_TRUE(all[at] == 0x01 || all[at] == 0x03) << at;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, SplitTest, testing::ValuesIn(Scenarios()),
                         ScenarioName<testing::TestParamInfo<Scenario>>);

}  // namespace
}  // namespace handfast::tls::test
