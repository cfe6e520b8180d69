// A file of revocation lists that changes under the service: when it is read, and what is refused.
#include "server/trust/crl_file.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "server/observe/log.h"
#include "tests/tls/crypto/test_revocation.h"

namespace handfast::trust {
namespace {

using tls::test::kDay;
using tls::test::kNow;
using tls::test::MakeCrl;
using tls::test::TestCa;

class CrlFileTest : public ::testing::Test {
 protected:
  CrlFileTest()
      : log_(
            observe::Format::kJson, [this](std::string_view line) { lines_.emplace_back(line); },
            [] { return 0.0; }) {
    std::string pattern = ::testing::TempDir() + "/crl.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ + "/crls.pem";
  }
  ~CrlFileTest() override { std::filesystem::remove_all(folder_); }

  // As an operator should: a whole file, moved over the old one.
  void Replace(const std::string& text) {
    std::ofstream(folder_ + "/new", std::ios::binary) << text;
    std::filesystem::rename(folder_ + "/new", path_);
  }
  std::unique_ptr<CrlFile> Open() {
    auto file = CrlFile::Open(path_, "clients");
    EXPECT_TRUE(file.ok()) << file.status();
    return *std::move(file);
  }
  int LinesWith(std::string_view words) const {
    int found = 0;
    for (const std::string& line : lines_) found += line.find(words) != std::string::npos ? 1 : 0;
    return found;
  }

  std::vector<std::string> lines_;
  observe::CapturedLog log_;
  std::string folder_;
  std::string path_;
  const TestCa ca_ = TestCa::Create("root");
};

TEST_F(CrlFileTest, IsReadAtFirst) {
  EXPECT_FALSE(CrlFile::Open(path_, "clients").ok());
  Replace(ca_.pem());
  EXPECT_TRUE(absl::IsInvalidArgument(CrlFile::Open(path_, "clients").status()));
  Replace(MakeCrl(ca_));
  const auto file = Open();
  const auto lists = file->Current(kNow);
  ASSERT_NE(lists, nullptr);
  EXPECT_EQ(lists->size(), 1u);
}

TEST_F(CrlFileTest, StaysAsItIsWhileTheFileDoes) {
  Replace(MakeCrl(ca_));
  const auto file = Open();
  const auto lists = file->Current(kNow);
  EXPECT_EQ(file->Current(kNow + 1), lists);
  EXPECT_EQ(file->Current(kNow + 100), lists);
  EXPECT_TRUE(lines_.empty());
}

TEST_F(CrlFileTest, IsReadAnewASecondLater) {
  Replace(MakeCrl(ca_));
  const auto file = Open();
  const auto before = file->Current(kNow);
  Replace(MakeCrl(ca_) + MakeCrl(ca_));
  EXPECT_EQ(file->Current(kNow), before) << "once a second";
  const auto after = file->Current(kNow + 1);
  ASSERT_NE(after, nullptr);
  EXPECT_EQ(after->size(), 2u);
  EXPECT_EQ(before->size(), 1u) << "who has it keeps it";
  EXPECT_EQ(LinesWith("revocation lists read"), 1);
}

TEST_F(CrlFileTest, AClockThatJumpsBackHidesNothing) {
  Replace(MakeCrl(ca_));
  const auto file = Open();
  file->Current(kNow);
  Replace(MakeCrl(ca_) + MakeCrl(ca_));
  EXPECT_EQ(file->Current(kNow - kDay)->size(), 2u);
}

TEST_F(CrlFileTest, WrittenInPlaceIsChangedToo) {
  Replace(MakeCrl(ca_));
  const auto file = Open();
  file->Current(kNow);
  std::ofstream(path_, std::ios::app) << MakeCrl(ca_);
  EXPECT_EQ(file->Current(kNow + 1)->size(), 2u);
}

TEST_F(CrlFileTest, UnreadableIsNoneAndOneLine) {
  Replace(MakeCrl(ca_));
  const auto file = Open();
  ASSERT_NE(file->Current(kNow), nullptr);
  std::filesystem::remove(path_);
  EXPECT_EQ(file->Current(kNow + 1), nullptr);
  EXPECT_EQ(file->Current(kNow + 2), nullptr);
  Replace("half a li");
  EXPECT_EQ(file->Current(kNow + 3), nullptr);
  EXPECT_EQ(LinesWith("cannot be read: peers are refused"), 1);
  EXPECT_EQ(LinesWith(path_), 1);
  Replace(MakeCrl(ca_));
  EXPECT_NE(file->Current(kNow + 4), nullptr);
  EXPECT_EQ(LinesWith("revocation lists read"), 1);
}

TEST_F(CrlFileTest, APipeIsNoFile) {
  Replace(MakeCrl(ca_));
  const auto file = Open();
  std::filesystem::remove(path_);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(file->Current(kNow + 1), nullptr);
}

TEST_F(CrlFileTest, AnExpiredListIsToldOnce) {
  Replace(MakeCrl(ca_));
  const auto file = Open();
  EXPECT_NE(file->Current(kNow + kDay), nullptr);
  EXPECT_EQ(LinesWith("has expired"), 0) << "its last second";
  EXPECT_NE(file->Current(kNow + kDay + 1), nullptr) << "the verdict is path validation's";
  EXPECT_NE(file->Current(kNow + kDay + 2), nullptr);
  EXPECT_EQ(LinesWith("has expired"), 1);
  Replace(MakeCrl(ca_, {.next_update_unix_s = kNow + kDay + 1}));
  file->Current(kNow + kDay + 3);
  EXPECT_EQ(LinesWith("has expired"), 2) << "another list";
}

TEST_F(CrlFileTest, ManyMayAsk) {
  Replace(MakeCrl(ca_));
  const auto file = Open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) EXPECT_NE(file->Current(kNow + i), nullptr);
    });
  }
  for (int i = 0; i < 20; ++i) Replace(MakeCrl(ca_));
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace handfast::trust
