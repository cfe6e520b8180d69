// S12, descriptors run out (CVE-2023-4785): under a limit of 64, 300 idle connections are opened
// and let go; afterwards an RPC must succeed within five seconds. The control is gRPC's own
// listener, which never answers again.
//
// The servers are this program, started again: the limit must not be the test's own.

#include <netinet/in.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/test_service.h"

namespace handfast::rpc::test {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

constexpr rlim_t kDescriptors = 64;
constexpr int kIdle = 300;

// ---- The servers: each tells its port on standard output and lives until its input ends.

struct StockHealth final : Health::Service {
  grpc::Status Check(grpc::ServerContext*, const HealthCheckRequest*,
                     HealthCheckResponse* response) override {
    response->set_status(HealthCheckResponse::SERVING);
    return grpc::Status::OK;
  }
};

void Limit() {
  const rlimit limit{.rlim_cur = kDescriptors, .rlim_max = kDescriptors};
  setrlimit(RLIMIT_NOFILE, &limit);
}

void TellPortAndWait(int port) {
  std::printf("%d\n", port);
  std::fflush(stdout);
  char end = 0;
  while (read(STDIN_FILENO, &end, 1) > 0) {
  }
}

int ServeStock() {
  StockHealth health;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&health);
  auto server = builder.BuildAndStart();
  TellPortAndWait(port);
  _exit(0);
}

int ServeOurs(const std::string& folder) {
  TestService service({.tcp = true});
  tls::test::LeafOptions options;
  options.client = true;
  options.uris = {TestService::kSpiffe};
  const tls::test::Leaf leaf = service.caller_ca().Issue(options);
  std::ofstream(folder + "/ca.pem") << service.ca().pem();
  std::ofstream(folder + "/caller.pem") << leaf.chain_pem;
  std::ofstream(folder + "/caller.key") << leaf.key_pem;
  TellPortAndWait(std::stoi(service.tcp_address().substr(service.tcp_address().find(':') + 1)));
  return 0;
}

// ---- The test.

class Server {
 public:
  Server(const char* kind, const std::string& folder) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    EXPECT_EQ(pipe(in.data()), 0);
    EXPECT_EQ(pipe(out.data()), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    for (int fd : {in[0], in[1], out[0], out[1]}) {
      posix_spawn_file_actions_addclose(&actions, fd);
    }
    std::string self = "/proc/self/exe";
    std::string kind_text = kind;
    std::string folder_text = folder;
    char* const arguments[] = {self.data(), kind_text.data(), folder_text.data(), nullptr};
    EXPECT_EQ(posix_spawn(&pid_, self.c_str(), &actions, nullptr, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    input_ = in[1];
    FILE* told = fdopen(out[0], "r");
    EXPECT_EQ(std::fscanf(told, "%d", &port_), 1);
    std::fclose(told);
  }
  ~Server() {
    close(input_);
    waitpid(pid_, nullptr, 0);
  }
  int port() const { return port_; }

 private:
  pid_t pid_ = 0;
  int input_ = -1;
  int port_ = 0;
};

void OpenAndReleaseIdle(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  std::vector<int> sockets;
  for (int i = 0; i < kIdle; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)!connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    sockets.push_back(fd);
  }
  // Time to accept all it can.
  std::this_thread::sleep_for(std::chrono::seconds(1));
  for (int fd : sockets) close(fd);
}

bool AnswersWithinFiveSeconds(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
  HealthCheckResponse response;
  return Health::NewStub(channel)->Check(&context, HealthCheckRequest(), &response).ok();
}

std::string Read(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(DescriptorExhaustion, IsSurvived) {
  char name[] = "/tmp/hf.XXXXXX";
  const std::string folder = mkdtemp(name);
  const Server server("--ours", folder);
  const std::string address = "127.0.0.1:" + std::to_string(server.port());
  const auto channel = [&] {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = Read(folder + "/ca.pem");
    options.pem_cert_chain = Read(folder + "/caller.pem");
    options.pem_private_key = Read(folder + "/caller.key");
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride("localhost");
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(address, grpc::SslCredentials(options), arguments);
  };
  ASSERT_TRUE(AnswersWithinFiveSeconds(channel()));
  for (int round = 0; round < 2; ++round) {
    OpenAndReleaseIdle(server.port());
    EXPECT_TRUE(AnswersWithinFiveSeconds(channel()));
  }
}

TEST(DescriptorExhaustion, KillsTheStockListener) {
  const Server server("--stock", "");
  const std::string address = "127.0.0.1:" + std::to_string(server.port());
  const auto channel = [&] {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  };
  ASSERT_TRUE(AnswersWithinFiveSeconds(channel()));
  OpenAndReleaseIdle(server.port());
  EXPECT_FALSE(AnswersWithinFiveSeconds(channel()));
}

}  // namespace

int Main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--stock") {
    Limit();
    return ServeStock();
  }
  if (argc == 3 && std::string(argv[1]) == "--ours") {
    Limit();
    return ServeOurs(argv[2]);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

}  // namespace handfast::rpc::test

int main(int argc, char** argv) { return handfast::rpc::test::Main(argc, argv); }
