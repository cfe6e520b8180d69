#include "tests/support/process.h"

#include <csignal>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace handfast::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Process Shell(const std::string& script, const std::vector<std::string>& environment = {}) {
  return Process({FindProgram("sh"), "-c", script}, environment);
}

TEST(ProcessTest, GivesInputOutputAndExitCode) {
  Process process = Shell("read line; echo \"got $line\"; echo to-stderr >&2; exit 3");
  EXPECT_TRUE(process.Write("a word\n"));
  EXPECT_EQ(process.WaitForExit(seconds(10)), 3);
  EXPECT_EQ(process.output(), "got a word\nto-stderr\n");
  EXPECT_EQ(process.WaitForExit(seconds(0)), 3);
  EXPECT_FALSE(process.Write("nobody reads"));
}

TEST(ProcessTest, WaitsForALineOfOneThatStaysUp) {
  Process process = Shell("echo ready; read line; echo bye");
  EXPECT_TRUE(process.WaitForOutput("ready\n", seconds(10)));
  EXPECT_EQ(process.WaitForExit(milliseconds(1)), std::nullopt);
  process.CloseInput();
  EXPECT_EQ(process.WaitForExit(seconds(10)), 0);
  EXPECT_FALSE(process.WaitForOutput("never printed", seconds(10)));
}

TEST(ProcessTest, TakesMoreOutputThanAPipeHolds) {
  Process process = Shell("head -c 300000 /dev/zero");
  EXPECT_EQ(process.WaitForExit(seconds(10)), 0);
  EXPECT_EQ(process.output().size(), 300000u);
}

TEST(ProcessTest, ChangesTheEnvironment) {
  Process process = Shell("echo \"$HANDFAST_A|$HANDFAST_B\"", {"HANDFAST_A=1", "HANDFAST_B="});
  EXPECT_EQ(process.WaitForExit(seconds(10)), 0);
  EXPECT_EQ(process.output(), "1|\n");
}

TEST(ProcessTest, IsSignalledByPid) {
  Process process = Shell("echo ready; exec sleep 1000");
  ASSERT_TRUE(process.WaitForOutput("ready", seconds(10)));
  process.Signal(SIGTERM);
  EXPECT_EQ(process.WaitForExit(seconds(10)), 128 + SIGTERM);
}

TEST(ProcessTest, HasStoppedWhenItIsToldTo) {
  Process process = Shell("echo ready; exec sleep 1000");
  ASSERT_TRUE(process.WaitForOutput("ready", seconds(10)));
  for (int i = 0; i < 20; ++i) {
    process.Signal(SIGSTOP);
    std::ifstream file("/proc/" + std::to_string(process.pid()) + "/stat");
    const std::string stat{std::istreambuf_iterator<char>(file), {}};
    EXPECT_NE(stat.find(") T "), std::string::npos) << stat;
    process.Signal(SIGCONT);
  }
  process.Signal(SIGKILL);
  EXPECT_EQ(process.WaitForExit(seconds(10)), 128 + SIGKILL);
  process.Signal(SIGSTOP);
}

// The program that the shell left behind holds the streams; the object does not wait for it.
TEST(ProcessTest, EndsWithItsObject) {
  pid_t pid = 0;
  {
    Process process = Shell("sleep 5 & echo ready; exec sleep 1000");
    ASSERT_TRUE(process.WaitForOutput("ready", seconds(10)));
    pid = process.pid();
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(ProcessTest, ProgramsAreFoundOrNot) {
  EXPECT_EQ(FindProgram("no-such-program"), "");
  EXPECT_EQ(FindProgram("sh").back(), 'h');
}

}  // namespace
}  // namespace handfast::test
