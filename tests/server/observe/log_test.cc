// Log lines: their form, what cannot be smuggled into one, and the limit of a call site.
#include "server/observe/log.h"

#include <atomic>
#include <limits>
#include <thread>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "tls/base/bytes.h"
#include "tls/base/secret.h"

namespace handfast::observe {
namespace {

constexpr char kTime[] = "2026-01-01T00:00:00.250Z";

class LogTest : public ::testing::Test {
 protected:
  std::vector<std::string> lines_;
  double now_ = 1767225600.25;
};

class Json : public LogTest {
 protected:
  CapturedLog log_{Format::kJson, [this](std::string_view line) { lines_.emplace_back(line); },
                   [this] { return now_; }};
};

class Text : public LogTest {
 protected:
  CapturedLog log_{Format::kText, [this](std::string_view line) { lines_.emplace_back(line); },
                   [this] { return now_; }};
};

TEST_F(Json, HasItsFieldsInOrder) {
  Log(Level::kInfo, "custody", "key created",
      {{"tenant", "shop"},
       {"count", 3},
       {"left", 5UL},
       {"delta", -2},
       {"duration_s", 0.25},
       {"ok", true}});
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_EQ(lines_[0],
            std::string("{\"time\":\"") + kTime +
                "\",\"level\":\"info\",\"msg\":\"key created\",\"component\":\"custody\","
                "\"tenant\":\"shop\",\"count\":3,\"left\":5,\"delta\":-2,"
                "\"duration_s\":0.25,\"ok\":true}");
}

TEST_F(Json, NumbersThatJsonLacksAreNull) {
  Log(Level::kInfo, "c", "m",
      {{"a", std::numeric_limits<double>::infinity()},
       {"b", std::numeric_limits<double>::quiet_NaN()}});
  EXPECT_NE(lines_[0].find("\"a\":null,\"b\":null"), std::string::npos);
}

// What a peer could send to forge a line, steer a terminal, or break a parser.
struct Hostile {
  std::string in;
  std::string out;
};
const Hostile kHostile[] = {
    {"a\nb", "a\\u000ab"},
    {"a\r\n{\"level\":\"info\"}", "a\\u000d\\u000a{\\\"level\\\":\\\"info\\\"}"},
    {"\"}", "\\\"}"},
    {"back\\slash", "back\\\\slash"},
    {std::string("nul\0byte", 8), "nul\\u0000byte"},
    {"\x1b[31mred", "\\u001b[31mred"},
    {"\x7f", "\\u007f"},
    {"\xc2\x9b"
     "31m",
     "\\u009b31m"},  // CSI of the other control set
    {"\xe2\x80\xae"
     "txt.exe",
     "\\u202etxt.exe"},                                    // right-to-left override
    {"\xe2\x80\xa8", "\\u2028"},                           // line separator
    {"\xff\xfe", "\\ufffd\\ufffd"},                        // no UTF-8
    {"\xc0\x8a", "\\ufffd\\ufffd"},                        // an overlong newline
    {"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"},             // a surrogate
    {"\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},  // beyond Unicode
    {"\xe2\x82", "\\ufffd\\ufffd"},                        // cut short
    {"z\xc3\xbcrich \xe6\x97\xa5 \xf0\x9f\x94\x91", "z\xc3\xbcrich \xe6\x97\xa5 \xf0\x9f\x94\x91"},
};

TEST_F(Json, EscapesWhatPeersSend) {
  for (const Hostile& hostile : kHostile) {
    lines_.clear();
    Log(Level::kInfo, "c", "m", {{"peer", hostile.in}});
    EXPECT_NE(lines_[0].find("\"peer\":\"" + hostile.out + "\"}"), std::string::npos) << lines_[0];
  }
}

TEST_F(Text, EscapesWhatPeersSend) {
  for (const Hostile& hostile : kHostile) {
    lines_.clear();
    Log(Level::kInfo, "c", "m", {{"peer", hostile.in}});
    EXPECT_NE(lines_[0].find(" peer=\"" + hostile.out + "\""), std::string::npos) << lines_[0];
  }
}

TEST_F(Text, QuotesOnlyWhereItMust) {
  Log(Level::kWarning, "rpc", "refused",
      {{"tenant", "shop"},
       {"peer", "192.0.2.1:443"},
       {"detail", "two words"},
       {"none", ""},
       {"n", 1}});
  EXPECT_EQ(lines_[0], std::string(kTime) +
                           " warning rpc: refused tenant=shop peer=192.0.2.1:443"
                           " detail=\"two words\" none=\"\" n=1");
}

TEST_F(Json, LongValuesAreCutAtACharacter) {
  Log(Level::kInfo, "c", "m", {{"v", std::string(kMaxFieldBytes, 'x')}});
  EXPECT_EQ(lines_[0].find("..."), std::string::npos) << "at the limit";
  Log(Level::kInfo, "c", "m", {{"v", std::string(kMaxFieldBytes + 1, 'x')}});
  EXPECT_NE(lines_[1].find(std::string(kMaxFieldBytes, 'x') + "...\""), std::string::npos);
  // Two bytes of three fit: the character is left out whole.
  Log(Level::kInfo, "c", "m", {{"v", std::string(kMaxFieldBytes - 2, 'x') + "\xe6\x97\xa5"}});
  EXPECT_NE(lines_[2].find("x...\""), std::string::npos);
  EXPECT_EQ(lines_[2].find("fffd"), std::string::npos);
}

TEST_F(Json, ALevelBelowIsNotWritten) {
  EXPECT_TRUE(Enabled(Level::kTrace)) << "tests see everything";
}

void Flood(int lines) {
  for (int i = 0; i < lines; ++i) Log(Level::kInfo, "c", "flood");
}

TEST_F(Json, AFloodingCallSiteIsHeldBackAndSaysSo) {
  Flood(static_cast<int>(kLineBurst) + 300);
  EXPECT_EQ(lines_.size(), static_cast<size_t>(kLineBurst));
  Log(Level::kInfo, "c", "another site");
  EXPECT_EQ(lines_.size(), static_cast<size_t>(kLineBurst) + 1) << "others are not touched";
  lines_.clear();
  now_ += 1.5 / kLinesPerSecond;
  Flood(3);
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_NE(lines_[0].find("\"held_back\":300}"), std::string::npos) << lines_[0];
  lines_.clear();
  now_ += 3600;
  Flood(1);
  EXPECT_NE(lines_[0].find("\"held_back\":2}"), std::string::npos) << lines_[0];
  Flood(1);
  EXPECT_EQ(lines_[1].find("held_back"), std::string::npos);
}

TEST_F(Json, ASiteThatPromisesEveryLineKeepsItsPromise) {
  const int lines = static_cast<int>(kLineBurst) + 300;
  for (int i = 0; i < lines; ++i) {
    Log(Level::kInfo, "c", "promised", {}, CallSite::Unlimited());
  }
  EXPECT_EQ(lines_.size(), static_cast<size_t>(lines));
}

// There is no way to log a secret or raw bytes.
static_assert(!std::is_constructible_v<Field, const char*, tls::AeadKey>);
static_assert(!std::is_constructible_v<Field, const char*, const tls::HashSecret&>);
static_assert(!std::is_constructible_v<Field, const char*, tls::Bytes>);
static_assert(!std::is_constructible_v<Field, const char*, tls::ByteView>);

TEST(Log, LevelsAtRunTime) {
  ConfigureLog(Level::kError, Format::kJson);
  EXPECT_FALSE(Enabled(Level::kWarning));
  EXPECT_TRUE(Enabled(Level::kError));
  SetLogLevel(Level::kDebug);
  EXPECT_TRUE(Enabled(Level::kDebug));
  EXPECT_FALSE(Enabled(Level::kTrace));
  SetLogLevel(Level::kInfo);
}

TEST(Log, WholeLinesUnderThreads) {
  std::atomic<int> whole{0};
  CapturedLog log(
      Format::kJson,
      [&](std::string_view line) {
        if (line.starts_with("{\"time\"") && line.ends_with("\"n\":7}")) ++whole;
      },
      [] { return 0.0; });
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 100; ++i) Log(Level::kInfo, "c", "m", {{"n", 7}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(whole.load(), 400);
}

}  // namespace
}  // namespace handfast::observe
