// The program and its store: what it refuses to start with, and how /readyz follows Redis.

#include <csignal>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/files.h"
#include "tests/support/handfastd.h"
#include "tests/support/net.h"
#include "tests/support/patience.h"
#include "tests/support/process.h"
#include "tests/support/redis_server.h"

namespace handfast::test {
namespace {

const std::string& Digits() {
  static const std::string digits(64, '7');
  return digits;
}

// As it stands in a document, over two lines.
std::string Listening(const std::string& socket) {
  return "listeners: [{unix: {path: " + socket + "}}]\nprincipals: [{name: \"unix:" + socket +
         "\", tenant: default, roles: [caller]}]\n";
}

// What the program says of a store that is configured so, in lines 5 to 7.
struct Store {
  std::string address = "unix:/run/redis.sock";
  std::string key = Digits();
  mode_t key_mode = 0600;
  std::string password = "secret";
  mode_t password_mode = 0600;
};

struct Refused {
  int exit_code = -1;
  std::string output;
};

Refused StartWith(const Store& store, const std::vector<std::string>& flags) {
  const TempFolder state;
  WriteFile(state.File("store.key"), store.key, store.key_mode);
  WriteFile(state.File("redis.password"), store.password, store.password_mode);
  WriteFile(state.File("handfast.yaml"),
            Listening(state.File("handfast.sock")) + "store:\n  redis:\n    address: " +
                store.address + "\n    key_file: " + state.File("store.key") +
                "\n    password_file: " + state.File("redis.password") + "\n");
  std::vector<std::string> command = {Runfile("server/handfastd"), "--config",
                                      state.File("handfast.yaml"), "--set", "admin.address=off"};
  command.insert(command.end(), flags.begin(), flags.end());
  Process process(command, {"HANDFAST_STATE_DIR=" + state.path()});
  Refused refused;
  refused.exit_code = process.WaitForExit(kPatience).value_or(-1);
  refused.output = process.output();
  return refused;
}

TEST(HandfastdStore, IsRefusedWithFileAndLine) {
  const std::string digits63 = Digits().substr(1);
  const struct {
    Store store;
    const char* words;
  } cases[] = {
      {{.address = "redis"}, "handfast.yaml:5: `store.redis.address` must be unix:/path or a host"},
      {{.address = "unix:redis.sock"}, "handfast.yaml:5: `store.redis.address` must name an abs"},
      {{.key = digits63}, "handfast.yaml:6: `store.redis.key_file`"},
      {{.key = digits63}, "must hold 64 hex digits"},
      {{.key_mode = 0640}, "handfast.yaml:6: `store.redis.key_file`"},
      {{.key_mode = 0640}, "can be reached by others: chmod 600 it"},
      {{.password = ""}, "handfast.yaml:7: `store.redis.password_file`"},
      {{.password_mode = 0604}, "handfast.yaml:7: `store.redis.password_file`"},
  };
  for (const auto& wrong : cases) {
    for (const std::vector<std::string>& flags :
         {std::vector<std::string>(), std::vector<std::string>{"--check-config"}}) {
      const Refused refused = StartWith(wrong.store, flags);
      EXPECT_EQ(refused.exit_code, 2) << refused.output;
      EXPECT_NE(refused.output.find(wrong.words), std::string::npos) << wrong.words << "\n"
                                                                     << refused.output;
      EXPECT_EQ(refused.output.find(digits63), std::string::npos) << "the key is a secret";
      EXPECT_EQ(refused.output.find("secret"), std::string::npos) << "so is the password";
    }
  }
  EXPECT_EQ(StartWith({}, {"--check-config"}).exit_code, 0) << "the control: Redis may come later";
}

class HandfastdOnRedis : public testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::IsInstalled()) GTEST_SKIP() << "redis-server is not installed";
    WriteFile(files_.File("store.key"), Digits());
    WriteFile(files_.File("password"), "open sesame\n");
  }
  void Configure(Handfastd& service, const RedisServer& redis) const {
    service.Configure(Listening(service.socket()) + "store: {redis: {address: \"" +
                      redis.address() + "\", key_file: " + files_.File("store.key") +
                      ", password_file: " + files_.File("password") + "}}\n");
  }
  static std::string Readyz(const Handfastd& service) {
    return HttpGet(service.admin(), "/readyz");
  }
  TempFolder files_;
};

TEST_F(HandfastdOnRedis, ReadyzFollowsTheStore) {
  RedisServer redis({"--requirepass", "open sesame"});
  Handfastd service;
  Configure(service, redis);
  ASSERT_TRUE(service.Start()) << service.output();
  EXPECT_EQ(Readyz(service), "ok\n");
  redis.Kill();
  const std::string away = Readyz(service);
  EXPECT_NE(away.find("503"), std::string::npos) << away;
  EXPECT_NE(away.find(redis.address()), std::string::npos) << "says which: " << away;
  EXPECT_EQ(HttpGet(service.admin(), "/livez"), "ok\n") << "it need not be started again";
  redis.Start();
  EXPECT_TRUE(service.WaitForReadyz(true));
  redis.Signal(SIGSTOP);
  EXPECT_TRUE(service.WaitForReadyz(false));
  redis.Signal(SIGCONT);
  EXPECT_TRUE(service.WaitForReadyz(true));
  EXPECT_EQ(service.Stop(), 0);
}

TEST_F(HandfastdOnRedis, ComesUpBeforeItsStore) {
  RedisServer redis({"--requirepass", "open sesame"});
  redis.Kill();
  Handfastd service;
  Configure(service, redis);
  ASSERT_TRUE(service.Start()) << service.output();
  EXPECT_TRUE(service.WaitForReadyz(false));
  redis.Start();
  EXPECT_TRUE(service.WaitForReadyz(true));
}

TEST_F(HandfastdOnRedis, SaysThatItsPasswordIsRefused) {
  RedisServer redis({"--requirepass", "another"});
  Handfastd service;
  Configure(service, redis);
  ASSERT_TRUE(service.Start()) << service.output();
  const std::string refused = Readyz(service);
  EXPECT_NE(refused.find("503"), std::string::npos) << refused;
  EXPECT_NE(refused.find("refused the password"), std::string::npos) << refused;
  EXPECT_EQ(refused.find("sesame"), std::string::npos) << refused;
}

}  // namespace
}  // namespace handfast::test
