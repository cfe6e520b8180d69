#include "tests/testdata/golden.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string_view>

#include <gtest/gtest.h>

namespace handfast::test {
namespace {

constexpr char kFolder[] = "tests/testdata/";

void Rewrite(const std::string& name, const std::string& text) {
  // Set by `bazel run`; a test in its sandbox cannot reach the tree.
  const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  const std::string path =
      (workspace != nullptr ? std::string(workspace) + "/" : "") + kFolder + name;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  if (!out) ADD_FAILURE() << "cannot write " << path;
}

}  // namespace

bool RewriteWanted() {
  const char* wanted = std::getenv("HANDFAST_REWRITE");
  if (wanted != nullptr && std::string_view(wanted) == "1") return true;
  // gtest's main takes the arguments away.
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  for (std::string argument; std::getline(in, argument, '\0');) {
    if (argument == "--rewrite") return true;
  }
  return false;
}

std::optional<std::string> ReadGolden(const std::string& name) {
  std::ifstream in(kFolder + name, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

namespace {

// Enough to find the place.
std::string Shown(const std::string& line) {
  constexpr size_t kMost = 200;
  return line.size() <= kMost ? line : line.substr(0, kMost) + "...";
}

}  // namespace

std::string FirstDifference(const std::string& expected, const std::string& actual) {
  std::istringstream a(expected);
  std::istringstream b(actual);
  for (int line = 1;; ++line) {
    std::string want;
    std::string got;
    const bool more_a = static_cast<bool>(std::getline(a, want));
    const bool more_b = static_cast<bool>(std::getline(b, got));
    if (!more_a && !more_b) return expected == actual ? "" : "the last newline";
    if (more_a == more_b && want == got) continue;
    return "line " + std::to_string(line) + "\n  file: " + (more_a ? Shown(want) : "(end)") +
           "\n  test: " + (more_b ? Shown(got) : "(end)");
  }
}

void ExpectGolden(const std::string& name, const std::string& text) {
  if (RewriteWanted()) return Rewrite(name, text);
  const std::optional<std::string> expected = ReadGolden(name);
  if (!expected) {
    ADD_FAILURE() << kFolder << name << " is missing; run with --rewrite to make it";
    return;
  }
  EXPECT_EQ(FirstDifference(*expected, text), "")
      << kFolder << name << " differs; run with --rewrite to accept";
}

}  // namespace handfast::test
