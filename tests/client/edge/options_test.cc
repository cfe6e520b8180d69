#include "client/edge/options.h"

#include <vector>

#include <gtest/gtest.h>

#include "tests/support/files.h"

namespace handfast::edge {
namespace {

std::variant<Options, Leave> Read(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "handfast-edge");
  std::vector<char*> argv;
  argv.reserve(arguments.size());
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return ReadOptions(static_cast<int>(argv.size()), argv.data());
}

class OptionsTest : public testing::Test {
 protected:
  std::string File(const std::string& yaml) {
    test::WriteFile(folder_.File("edge.yaml"), yaml);
    return folder_.File("edge.yaml");
  }
  // The message, with the folder left out; "fine" where there is none.
  std::string Complaint(const std::vector<std::string>& arguments) {
    const auto read = Read(arguments);
    const auto* leave = std::get_if<Leave>(&read);
    if (leave == nullptr) return "fine";
    EXPECT_EQ(leave->code, 2);
    std::string text = leave->text;
    if (const size_t at = text.find(folder_.path()); at != std::string::npos) {
      text.erase(at, folder_.path().size() + 1);
    }
    return text;
  }
  std::string ComplaintAbout(const std::string& yaml) {
    return Complaint({"--endpoint", "unix:/s", "--listen", "127.0.0.1:1", "--config", File(yaml)});
  }
  test::TempFolder folder_;
};

TEST_F(OptionsTest, FlagsGoBeforeTheFile) {
  const std::string file = File(
      "listen: 127.0.0.1:1\nbackend: 127.0.0.1:2\nidle-timeout: 7\nalpn: [h2, http/1.1]\n"
      "send-proxy-v2: true\nmax-connections: 5\nroutes:\n  a.test: 127.0.0.1:3\n"
      "  '*.b.test': unix:/b\n");
  const auto read = Read({"--endpoint", "unix:/s", "--config", file, "--max-connections", "9"});
  const auto& options = std::get<Options>(read);
  EXPECT_EQ(options.idle_timeout_ms, 7000u);
  EXPECT_EQ(options.max_connections, 9u);
  EXPECT_EQ(options.alpn, (std::vector<std::string>{"h2", "http/1.1"}));
  EXPECT_TRUE(options.send_proxy_v2);
  EXPECT_EQ(ToText(*options.router.Find("A.test")), "127.0.0.1:3");
  EXPECT_EQ(ToText(*options.router.Find("x.b.test")), "unix:/b");
  EXPECT_EQ(ToText(*options.router.Find("x.y.b.test")), "127.0.0.1:2") << "one label only";
  EXPECT_EQ(ToText(*options.router.Find("")), "127.0.0.1:2");
}

TEST_F(OptionsTest, AFileIsReadStrictly) {
  EXPECT_EQ(ComplaintAbout("backend: 127.0.0.1:1\nbakend: x\n"),
            "edge.yaml:2: no such key: bakend (the keys are the flags of handfast-edge --help, and "
            "routes)");
  EXPECT_EQ(ComplaintAbout("backend: 127.0.0.1:1\nbackend: 127.0.0.1:2\n"),
            "edge.yaml:2: backend is there twice");
  EXPECT_EQ(ComplaintAbout("backend: [a, b]\n"),
            "edge.yaml:1: backend has a value of the wrong shape");
  EXPECT_EQ(ComplaintAbout("routes: x\n"), "edge.yaml:1: routes has a value of the wrong shape");
  EXPECT_EQ(ComplaintAbout("- x\n"), "edge.yaml:1: the file must be a map of flags to values");
  EXPECT_EQ(ComplaintAbout("a: [\n").rfind("edge.yaml:", 0), 0u);
  EXPECT_NE(ComplaintAbout("backend: 127.0.0.1:1\nworkers: many\n").find("edge.yaml:2: "),
            std::string::npos);
  EXPECT_EQ(Complaint({"--config", "/no/such.yaml"}), "/no/such.yaml: cannot be read");
}

TEST_F(OptionsTest, SaysWhatIsMissingOrWrong) {
  const std::vector<std::string> common = {"--endpoint", "unix:/s"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), common.begin(), common.end());
    return Complaint(more);
  };
  EXPECT_NE(with({}).find("--listen HOST:PORT"), std::string::npos);
  EXPECT_NE(with({"--listen", "127.0.0.1:1"}).find("there is no backend"), std::string::npos);
  EXPECT_NE(with({"--listen", "nonsense"}).find("is not HOST:PORT"), std::string::npos);
  EXPECT_NE(with({"--listen", "127.0.0.1:1", "--route", "x"}).find("NAME=BACKEND"),
            std::string::npos);
  EXPECT_NE(with({"--listen", "127.0.0.1:1", "--route", "a b=127.0.0.1:1"}).find("no DNS name"),
            std::string::npos);
  EXPECT_NE(
      with({"--listen", "127.0.0.1:1", "--route", "a=127.0.0.1:1", "--route", "A=127.0.0.1:2"})
          .find("there twice"),
      std::string::npos);
  EXPECT_NE(with({"--no-such-flag"}).find("--help"), std::string::npos);
  EXPECT_EQ(std::get<Leave>(Read({"--help"})).code, 0);
}

}  // namespace
}  // namespace handfast::edge
