// The parts that look at the machine: state folder, environment, files.
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "server/config/load.h"

namespace handfast::config {
namespace {

TEST(StateFolder, IsWhatWasSaid) {
  EXPECT_EQ(DefaultStateFolder({{"HANDFAST_STATE_DIR", "/srv/h"}, {"HOME", "/x"}}), "/srv/h");
}

TEST(StateFolder, OfAUserIsBelowHome) {
  if (geteuid() == 0 || access("/var/lib/handfast", W_OK) == 0) {
    EXPECT_EQ(DefaultStateFolder({{"HOME", "/x"}}), "/var/lib/handfast");
    return;
  }
  EXPECT_EQ(DefaultStateFolder({{"HOME", "/x"}}), "/x/.local/state/handfast");
  EXPECT_EQ(DefaultStateFolder({{"HOME", "/x"}, {"XDG_STATE_HOME", "/y"}}), "/y/handfast");
  EXPECT_EQ(DefaultStateFolder({{"HOME", "/x"}, {"XDG_STATE_HOME", "relative"}}),
            "/x/.local/state/handfast");
}

TEST(Environment, IsOursAlone) {
  setenv("HANDFAST_LOG_LEVEL", "debug", 1);
  setenv("SOME_SECRET_OF_ANOTHER", "x", 1);
  const auto environment = ProcessEnvironment();
  EXPECT_EQ(environment.at("HANDFAST_LOG_LEVEL"), "debug");
  EXPECT_EQ(environment.count("SOME_SECRET_OF_ANOTHER"), 0U);
}

TEST(Files, AreReadOrSaidWhyNot) {
  const std::string path = ::testing::TempDir() + "/handfast.yaml";
  std::ofstream(path) << "log: {}\n";
  EXPECT_EQ(*ReadDocument(path), "log: {}\n");
  EXPECT_TRUE(CheckReadable(path).ok());
  EXPECT_TRUE(absl::IsNotFound(ReadDocument(path + ".not").status()));
  EXPECT_NE(ReadDocument(path + ".not").status().message().find(path + ".not"), std::string::npos);
  EXPECT_FALSE(CheckReadable(::testing::TempDir()).ok()) << "a folder";
  EXPECT_FALSE(CheckReadable("/dev/null").ok()) << "a device";
}

}  // namespace
}  // namespace handfast::config
