// The thin clients of client/examples as real programs, in either role and either version: curl and
// openssl s_server are their peers, handfastd takes the handshakes.

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/authority.h"
#include "tests/support/files.h"
#include "tests/support/handfastd.h"
#include "tests/support/patience.h"
#include "tests/support/process.h"

namespace handfast::test {
namespace {

using Words = std::vector<std::string>;

Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

// How a language's example is started, or why it cannot be.
struct Language {
  Words command;
  Words environment;
  std::string lack;
};

// Not the first python3 in the PATH: Debian's packages belong to this one.
constexpr char kPython[] = "/usr/bin/python3";

// False, with what was printed: the program failed.
bool Succeeds(const Words& command, std::string* output) {
  Process process(command);
  process.CloseInput();
  const bool succeeded = process.WaitForExit(kPatience) == 0;
  *output = process.output();
  return succeeded;
}

// Makes the stubs in `folder`, as client/examples/python/README.md says.
Language Python(const std::string& folder) {
  Language language;
  if (!Succeeds({kPython, "-c", "import cryptography, grpc"}, &language.lack)) {
    language.lack = "install python3-grpcio and python3-cryptography: " + language.lack;
    return language;
  }
  const std::string plugin = FindProgram("grpc_python_plugin");
  if (plugin.empty()) {
    language.lack = "install protobuf-compiler-grpc";
    return language;
  }
  const std::string proto = Runfile("proto");
  if (!Succeeds({FindProgram("protoc"), "-I" + proto, "--python_out=" + folder,
                 "--grpc_python_out=" + folder, "--plugin=protoc-gen-grpc_python=" + plugin,
                 proto + "/handfast/v1/handshake.proto", proto + "/handfast/v1/messages.proto",
                 proto + "/google/rpc/status.proto"},
                &language.lack)) {
    ADD_FAILURE() << "protoc: " << language.lack;
  }
  language.lack.clear();
  language.command = {kPython, Runfile("client/examples/python/thin.py")};
  language.environment = {"PYTHONPATH=" + folder, "PYTHONDONTWRITEBYTECODE=1"};
  return language;
}

Language Node() {
  Language language;
  const char* modules = std::getenv("HANDFAST_NODE_MODULES");
  const std::string node = FindProgram("node");
  if (node.empty()) {
    language.lack = "install nodejs";
  } else if (modules == nullptr || *modules == '\0') {
    language.lack = "HANDFAST_NODE_MODULES is not set: ./dev test runs npm ci for it";
  }
  language.command = {node, Runfile("client/examples/node/thin.js")};
  language.environment = {"NODE_PATH=" + std::string(modules == nullptr ? "" : modules),
                          "HANDFAST_PROTO=" + Runfile("proto")};
  return language;
}

// The port in the first "127.0.0.1:PORT" that a program prints, which it does in one write; 0: it
// never came.
int PortOf(Process& process) {
  const std::string host = "127.0.0.1:";
  if (!process.WaitForOutput(host, kPatience)) return 0;
  const std::string output = process.output();
  return std::stoi(output.substr(output.find(host) + host.size()));
}

class ExamplesTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    language_ = std::string(GetParam()) == "python" ? Python(folder_.path()) : Node();
    if (!language_.lack.empty()) GTEST_SKIP() << language_.lack;
    service_.ConfigureForItsUser(
        "trust_bundles:\n  - name: servers\n    file: " + authority_.file() +
        "\nprofiles:\n"
        "  - {name: both, base: intermediate, release_keys: true,\n"
        "     server_trust_bundle: servers}\n"
        "default_profile: both\n");
    ASSERT_TRUE(service_.Start()) << service_.output();
    www_ = authority_.Issue("www.test", "DNS:www.test");
    ASSERT_TRUE(service_.Import("www", www_.key, www_.chain, /*is_default=*/true));
  }

  std::unique_ptr<Process> Example(const Words& arguments) {
    auto process = std::make_unique<Process>(
        language_.command + Words{service_.endpoint()} + arguments, language_.environment);
    process->CloseInput();
    return process;
  }

  std::unique_ptr<Process> WebServer(const Words& options) {
    return std::make_unique<Process>(Words{FindProgram("openssl"), "s_server", "-accept",
                                           "127.0.0.1:0", "-cert", www_.chain_file, "-key",
                                           www_.key_file, "-www"} +
                                     options);
  }

  // One that serves curl and one that calls openssl agree on `suite`, and their records arrive.
  void MeetsBoth(const Words& curl_options, const Words& openssl_options,
                 const std::string& suite) {
    const auto serve = Example({"serve", "127.0.0.1:0"});
    const std::string at = "www.test:" + std::to_string(PortOf(*serve));
    Process curl(Words{FindProgram("curl"), "--silent", "--show-error", "--cacert",
                       authority_.file(), "--resolve", at + ":127.0.0.1"} +
                 curl_options + Words{"https://" + at + "/"});
    EXPECT_EQ(curl.WaitForExit(kPatience), 0) << curl.output() << serve->output();
    EXPECT_NE(curl.output().find("which holds no private key."), std::string::npos);
    EXPECT_EQ(serve->WaitForExit(kPatience), 0) << serve->output();
    EXPECT_NE(serve->output().find("established: " + suite + "\n"), std::string::npos)
        << serve->output();

    const auto server = WebServer(openssl_options);
    const auto fetch =
        Example({"fetch", "127.0.0.1:" + std::to_string(PortOf(*server)), "www.test", "both"});
    EXPECT_EQ(fetch->WaitForExit(kPatience), 0) << fetch->output();
    EXPECT_NE(fetch->output().find("established: " + suite + "\nHTTP/1.0 200 ok\n"),
              std::string::npos)
        << fetch->output();
    // One RPC for each message, not one for all.
    for (const char* rpc : {"ClientHello", "ServerHello", "Certificate", "Finished"}) {
      EXPECT_NE(serve->output().find(rpc), std::string::npos) << serve->output();
      EXPECT_NE(fetch->output().find(rpc), std::string::npos) << fetch->output();
    }
  }

  TempFolder folder_;
  Authority authority_;
  Handfastd service_;
  Issued www_;
  Language language_;
};

TEST_P(ExamplesTest, EachSuiteOfTls13) {
  for (const std::string suite :
       {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
    MeetsBoth({"--tlsv1.3", "--tls13-ciphers", suite}, {"-tls1_3", "-ciphersuites", suite}, suite);
  }
}

TEST_P(ExamplesTest, BothKindsOfSuiteOfTls12) {
  MeetsBoth({"--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384"},
            {"-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"},
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
  MeetsBoth({"--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-CHACHA20-POLY1305"},
            {"-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"},
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
}

// The service refuses the server, and the example passes its alert on.
TEST_P(ExamplesTest, AServerOfAnotherNameIsRefused) {
  const auto server = WebServer({"-tls1_3"});
  const auto fetch =
      Example({"fetch", "127.0.0.1:" + std::to_string(PortOf(*server)), "other.test", "both"});
  EXPECT_EQ(fetch->WaitForExit(kPatience), 1) << fetch->output();
  EXPECT_NE(fetch->output().find("the handshake failed: name_mismatch\n"), std::string::npos)
      << fetch->output();
  EXPECT_TRUE(server->WaitForOutput("alert bad certificate", kPatience)) << server->output();
}

INSTANTIATE_TEST_SUITE_P(Languages, ExamplesTest, testing::Values("python", "node"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace handfast::test
