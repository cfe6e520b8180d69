// The program: how it starts, what it says of itself, and how it stops.

#include "tests/support/handfastd.h"

#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <string>

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "handfast/v1/handshake.grpc.pb.h"
#include "tests/support/files.h"
#include "tests/support/net.h"
#include "tests/support/patience.h"
#include "tests/support/process.h"

namespace handfast::test {
namespace {

// Runs it to its end.
struct Ran {
  int exit_code = -1;
  std::string output;
};
Ran Execute(std::vector<std::string> flags, const std::string& state_folder) {
  flags.insert(flags.begin(), Runfile("server/handfastd"));
  Process process(flags, {"HANDFAST_STATE_DIR=" + state_folder});
  Ran ran;
  ran.exit_code = process.WaitForExit(kPatience).value_or(-1);
  ran.output = process.output();
  return ran;
}

// A handshake that has begun and goes no further: it holds a drain up.
class LiveHandshake {
 public:
  explicit LiveHandshake(const std::string& endpoint)
      : stub_(v1::HandshakeService::NewStub(
            grpc::CreateChannel(endpoint, grpc::InsecureChannelCredentials()))),
        stream_(stub_->Relay(&context_)) {
    v1::RelayRequest request;
    request.set_tag(1);
    request.mutable_start()->set_role(v1::ROLE_SERVER);
    v1::RelayResponse response;
    begun = stream_->Write(request) && stream_->Read(&response);
  }
  ~LiveHandshake() {
    context_.TryCancel();
    (void)stream_->Finish();
  }
  v1::RelayResponse Next() {
    v1::RelayResponse response;
    (void)stream_->Read(&response);
    return response;
  }
  bool begun = false;

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::HandshakeService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::RelayRequest, v1::RelayResponse>> stream_;
};

TEST(Handfastd, SaysItsVersion) {
  const TempFolder state;
  const Ran ran = Execute({"--version"}, state.path());
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.output.rfind("handfastd ", 0), 0u);
}

TEST(Handfastd, NeedsNoConfiguration) {
  const TempFolder folder;
  Handfastd service({"--ready-file", folder.File("ready.json")});
  ASSERT_TRUE(service.Start()) << service.output();
  const std::string ready = ReadFile(folder.File("ready.json"));
  EXPECT_NE(ready.find(service.endpoint()), std::string::npos) << ready;
  EXPECT_NE(ready.find(service.admin()), std::string::npos);
  EXPECT_NE(HttpGet(service.admin(), "/livez").find("ok"), std::string::npos);
  EXPECT_NE(HttpGet(service.admin(), "/readyz").find("ok"), std::string::npos);
  struct stat status {};
  ASSERT_EQ(stat((service.state_folder() + "/handfast.sock").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(service.Stop(), 0);
  // Nothing is left behind that a successor would stumble over.
  EXPECT_NE(stat((service.state_folder() + "/handfast.sock").c_str(), &status), 0);
}

TEST(Handfastd, TakesTheSocketOfOneThatWasKilled) {
  Handfastd service;
  ASSERT_TRUE(service.Start());
  service.Kill();
  EXPECT_TRUE(service.Start()) << service.output();
  EXPECT_EQ(service.Stop(), 0);
}

TEST(Handfastd, DoesNotTakeTheSocketOfOneThatLives) {
  Handfastd service;
  ASSERT_TRUE(service.Start());
  const TempFolder state;
  WriteFile(state.File("two.yaml"), "listeners:\n  - unix: {path: " + service.endpoint().substr(5) +
                                        "}\nprincipals:\n  - name: " + service.endpoint() +
                                        "\n    tenant: acme\n    roles: [caller]\n");
  const Ran second =
      Execute({"--set", "admin.address=off", "--config", state.File("two.yaml")}, state.path());
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_NE(second.output.find("another process answers here"), std::string::npos) << second.output;
  EXPECT_NE(HttpGet(service.admin(), "/livez").find("ok"), std::string::npos);
}

TEST(Handfastd, TellsAMistakeWithFileAndLine) {
  const TempFolder state;
  WriteFile(state.File("bad.yaml"), "log:\n  levle: debug\n");
  for (const char* flag : {"--check-config", "--dump-config"}) {
    const Ran ran = Execute({"--config", state.File("bad.yaml"), flag}, state.path());
    EXPECT_EQ(ran.exit_code, 2);
    EXPECT_NE(ran.output.find("bad.yaml:2"), std::string::npos) << ran.output;
  }
  EXPECT_EQ(Execute({"--config", state.File("missing.yaml")}, state.path()).exit_code, 2);
  EXPECT_EQ(Execute({"--set", "log.level"}, state.path()).exit_code, 2);
  EXPECT_EQ(Execute({"--nonsense"}, state.path()).exit_code, 2);
}

TEST(Handfastd, ChecksAndDumpsWithoutServing) {
  const TempFolder state;
  const Ran checked = Execute({"--check-config"}, state.path());
  EXPECT_EQ(checked.exit_code, 0);
  const Ran dumped = Execute({"--dump-config", "--set", "log.level=debug"}, state.path());
  EXPECT_EQ(dumped.exit_code, 0);
  EXPECT_NE(dumped.output.find("debug"), std::string::npos);
  // What it dumps it takes.
  WriteFile(state.File("dumped.yaml"), dumped.output);
  EXPECT_EQ(
      Execute({"--check-config", "--config", state.File("dumped.yaml")}, state.path()).exit_code,
      0);
}

TEST(Handfastd, DrainsBeforeItStops) {
  const TempFolder state;
  const std::string admin = "127.0.0.1:" + std::to_string(FreePort());
  Process service({Runfile("server/handfastd"), "--set", "admin.address=" + admin},
                  {"HANDFAST_STATE_DIR=" + state.path()});
  ASSERT_TRUE(service.WaitForOutput("\"msg\":\"ready\"", kPatience)) << service.output();
  auto live = std::make_unique<LiveHandshake>("unix:" + state.File("handfast.sock"));
  ASSERT_TRUE(live->begun);
  service.Signal(SIGTERM);
  EXPECT_TRUE(live->Next().has_drain());
  EXPECT_NE(HttpGet(admin, "/readyz").find("draining"), std::string::npos);
  EXPECT_NE(HttpGet(admin, "/livez").find("ok"), std::string::npos);
  live.reset();  // the last one ends: so does the service
  EXPECT_EQ(service.WaitForExit(kPatience), 0) << service.output();
}

TEST(Handfastd, StopsAtOnceWhenToldTwice) {
  Handfastd service({"--set", "drain_seconds=600"});
  ASSERT_TRUE(service.Start());
  LiveHandshake live(service.endpoint());
  ASSERT_TRUE(live.begun);
  kill(service.pid(), SIGTERM);
  ASSERT_TRUE(live.Next().has_drain());
  EXPECT_EQ(service.Stop(), 128 + SIGTERM);
}

TEST(Handfastd, CutsOffWhatTheDrainDidNotEnd) {
  Handfastd service({"--set", "drain_seconds=0"});
  ASSERT_TRUE(service.Start());
  LiveHandshake live(service.endpoint());
  ASSERT_TRUE(live.begun);
  EXPECT_EQ(service.Stop(), 0) << service.output();
}

}  // namespace
}  // namespace handfast::test
