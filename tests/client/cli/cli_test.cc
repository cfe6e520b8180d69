// The command line as a shell sees it: output, errors, exit codes.

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <ctime>
#include <future>

#include <gtest/gtest.h>

#include "tests/support/authority.h"
#include "tests/support/files.h"
#include "tests/support/handfastd.h"
#include "tests/support/patience.h"
#include "tests/support/process.h"
#include "tests/support/tls_client.h"
#include "tests/tls/crypto/test_revocation.h"

namespace handfast::test {
namespace {

struct Outcome {
  int code = -1;
  std::string output;
  std::string errors;
};

// Listens in the service's place until the first caller has come, and leaves it alone: it has tried
// then, and found no service. False: nobody came.
bool SeeOneCaller(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  pollfd caller{.fd = listener, .events = POLLIN, .revents = 0};
  const bool came = bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                    listen(listener, 1) == 0 &&
                    poll(&caller, 1, static_cast<int>(kPatience.count())) == 1;
  unlink(path.c_str());
  // It takes the caller, who is not accepted, with it.
  close(listener);
  return came;
}

class CliTest : public testing::Test {
 protected:
  // `command` as in a shell, without the program's name.
  Outcome Handfast(const std::string& command, const std::string& input = "") {
    const std::string script =
        Runfile("client/cli/handfast") + " " + command + " 2>" + folder_.File("errors");
    Process process({FindProgram("sh"), "-c", script},
                    {"HANDFAST_STATE_DIR=" + service_.state_folder(), "HANDFAST_ENDPOINT="});
    if (!input.empty()) (void)process.Write(input);
    process.CloseInput();
    Outcome outcome;
    outcome.code = process.WaitForExit(kPatience).value_or(-1);
    outcome.output = process.output();
    outcome.errors = ReadFile(folder_.File("errors"));
    return outcome;
  }

  void StartService() { ASSERT_TRUE(service_.Start()) << service_.output(); }

  TempFolder folder_;
  Handfastd service_;
};

// ---- Without a service.

TEST_F(CliTest, HelpNamesTheCommandsAndExitCodes) {
  const Outcome help = Handfast("--help");
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(help.errors, "");
  for (const char* word : {"keys", "credentials", "handshake", "health", "config", "completion",
                           "Exit codes: 0 done, 1 failed", "never from the command line"}) {
    EXPECT_NE(help.output.find(word), std::string::npos) << word;
  }
}

TEST_F(CliTest, MistakesAreUsageErrorsThatSayWhatToDo) {
  const Outcome none = Handfast("");
  EXPECT_EQ(none.code, 2);
  EXPECT_EQ(none.errors,
            "handfast: A subcommand is required\n"
            "  Run handfast --help, or a command with --help.\n");
  EXPECT_EQ(Handfast("keys explode").code, 2);
  EXPECT_EQ(Handfast("keys create --type rsa-1024").code, 2);
  EXPECT_EQ(Handfast("keys import").code, 2);
  const Outcome endpoint = Handfast("--endpoint host:443 keys list");
  EXPECT_EQ(endpoint.code, 2);
  EXPECT_EQ(endpoint.errors,
            "handfast: the endpoint host:443 needs a client certificate: give --tls-cert, "
            "--tls-key and --tls-ca (or HANDFAST_TLS_CERT, HANDFAST_TLS_KEY, HANDFAST_TLS_CA)\n");
}

TEST_F(CliTest, AnAbsentServiceIsUnreachable) {
  const Outcome list = Handfast("keys list");
  EXPECT_EQ(list.code, 3);
  EXPECT_EQ(list.output, "");
  EXPECT_NE(list.errors.find("handfast: UNAVAILABLE"), std::string::npos) << list.errors;
  EXPECT_NE(list.errors.find("Is handfastd running"), std::string::npos);
  EXPECT_EQ(Handfast("health").code, 3);
}

TEST_F(CliTest, KeysAreNotReadFromFilesThatEverybodyReads) {
  WriteFile(folder_.File("open.key"), "secret", 0644);
  const Outcome import = Handfast("keys import --key-file " + folder_.File("open.key"));
  EXPECT_EQ(import.code, 2);
  EXPECT_NE(import.errors.find("chmod 600"), std::string::npos) << import.errors;
  EXPECT_EQ(import.errors.find("secret"), std::string::npos);
}

TEST_F(CliTest, CompletionKnowsTheCommands) {
  const Outcome script = Handfast("completion bash");
  EXPECT_EQ(script.code, 0);
  WriteFile(folder_.File("script"), script.output);
  Process bash({FindProgram("bash"), "-c",
                "source " + folder_.File("script") +
                    "; COMP_WORDS=(handfast -o json keys cr) COMP_CWORD=4; _handfast; "
                    "echo \"${COMPREPLY[@]}\"; COMP_WORDS=(handfast keys create --t) COMP_CWORD=3; "
                    "_handfast; echo \"${COMPREPLY[@]}\""});
  bash.CloseInput();
  EXPECT_EQ(bash.WaitForExit(kPatience), 0);
  EXPECT_EQ(bash.output(), "create\n--type\n");
  EXPECT_EQ(Handfast("completion zsh").output.rfind("#compdef handfast\n", 0), 0u);
}

TEST_F(CliTest, ConfigValidateAsksTheService) {
  WriteFile(folder_.File("bad.yaml"), "listners: []\n");
  const std::string judge = " --handfastd " + Runfile("server/handfastd");
  const Outcome bad = Handfast("config validate " + folder_.File("bad.yaml") + judge);
  EXPECT_EQ(bad.code, 2);
  EXPECT_NE(bad.errors.find("bad.yaml:1"), std::string::npos) << bad.errors;
  EXPECT_EQ(Handfast("config validate /no/such.yaml").code, 2);
  EXPECT_NE(Handfast("config validate " + folder_.File("bad.yaml") + " --handfastd /no/such")
                .errors.find("--handfastd PATH"),
            std::string::npos);
}

TEST_F(CliTest, ConfigValidatePraisesAGoodFile) {
  WriteFile(folder_.File("good.yaml"),
            "listeners:\n  - unix: {path: " + folder_.File("a.sock") +
                "}\nprincipals:\n  - name: unix:" + folder_.File("a.sock") +
                "\n    tenant: acme\n    roles: [caller]\n");
  const Outcome good = Handfast("config validate " + folder_.File("good.yaml") + " --handfastd " +
                                Runfile("server/handfastd"));
  EXPECT_EQ(good.code, 0) << good.errors;
  EXPECT_EQ(good.errors, "");
  EXPECT_NE(good.output.find(folder_.File("good.yaml") + ": valid\n"), std::string::npos)
      << good.output;
}

// ---- With a service.

TEST_F(CliTest, WaitsForAServiceThatIsJustStarting) {
  auto create = std::async(std::launch::async, [this] { return Handfast("keys create --id web"); });
  ASSERT_TRUE(SeeOneCaller(service_.state_folder() + "/handfast.sock"));
  StartService();
  const Outcome created = create.get();
  EXPECT_EQ(created.code, 0) << created.errors;
  EXPECT_NE(created.output.find("tenants/default/keys/web"), std::string::npos) << created.output;
}

TEST_F(CliTest, HealthTellsAndExitsAccordingly) {
  StartService();
  const Outcome health = Handfast("health");
  EXPECT_EQ(health.code, 0) << health.errors;
  EXPECT_EQ(health.output, service_.endpoint() + ": serving\n");
  EXPECT_EQ(Handfast("-o json health").output, "{\"serving\": true}\n");
  EXPECT_EQ(Handfast("health --service no.such.Service").code, 5);
}

TEST_F(CliTest, AKeyBornInsideBecomesACredential) {
  StartService();
  Authority authority;
  const Outcome created = Handfast("keys create --id web");
  ASSERT_EQ(created.code, 0) << created.errors;
  EXPECT_NE(created.output.find("name:     tenants/default/keys/web\ntype:     ecdsa-p256\n"),
            std::string::npos)
      << created.output;
  EXPECT_EQ(Handfast("keys create --id web").code, 6) << "exists";
  EXPECT_EQ(Handfast("keys get nothing").code, 5);
  EXPECT_EQ(Handfast("--tenant other keys list").code, 5) << "looks like unknown";
  EXPECT_NE(Handfast("-o json keys get web").output.find("\"type\": \"KEY_TYPE_ECDSA_P256\""),
            std::string::npos);
  const Outcome request =
      Handfast("credentials create --id web --key web --dns web.test --csr-only");
  ASSERT_EQ(request.code, 0) << request.errors;
  EXPECT_EQ(request.output.rfind("-----BEGIN CERTIFICATE REQUEST-----\n", 0), 0u);
  EXPECT_EQ(Handfast("credentials activate web").code, 6) << "no chain yet";
  const std::string chain = authority.Sign(request.output, "DNS:web.test");
  ASSERT_NE(chain, "");
  const Outcome set = Handfast("credentials set-chain web --chain-file -", chain);
  EXPECT_EQ(set.code, 0) << set.errors;
  const Outcome activated = Handfast("credentials activate web");
  EXPECT_EQ(activated.code, 0) << activated.errors;
  EXPECT_NE(activated.output.find("state:     active\nnames:     web.test\n"), std::string::npos)
      << activated.output;
  EXPECT_EQ(Handfast("credentials get web --chain-only").output, chain);
  EXPECT_NE(Handfast("credentials list").output.find("tenants/default/credentials/web"),
            std::string::npos);
}

TEST_F(CliTest, ImportsFromStandardInputAndNeverPrintsTheKey) {
  StartService();
  Authority authority;
  const Issued issued = authority.Issue("www.test", "DNS:www.test");
  const Outcome import = Handfast(
      "keys import --id www --key-file - --default --chain-file " + issued.chain_file, issued.key);
  EXPECT_EQ(import.code, 0) << import.errors;
  EXPECT_NE(import.output.find("credential: tenants/default/credentials/www (active)"),
            std::string::npos)
      << import.output;
  for (const char* command : {"-o json keys list", "-o json credentials list", "keys get www"}) {
    const Outcome outcome = Handfast(command);
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.output.find("PRIVATE"), std::string::npos);
  }
  const Outcome wrong = Handfast("keys import --id bad --key-file -", "not a key\n");
  EXPECT_EQ(wrong.code, 2);
  EXPECT_NE(wrong.errors.find("private_key_pem"), std::string::npos) << wrong.errors;
}

TEST_F(CliTest, StaplesAnOcspResponse) {
  StartService();
  const tls::test::TestCa root = tls::test::TestCa::Create("root");
  const tls::test::TestCa issuing = root.Intermediate("issuing");
  const tls::test::Leaf leaf = issuing.Issue({.dns = {"ocsp.test"}});
  const tls::test::TestCa stranger = tls::test::TestCa::Create("stranger");
  WriteFile(folder_.File("chain.pem"), leaf.chain_pem);
  const Outcome import = Handfast(
      "keys import --id ocsp --key-file - --chain-file " + folder_.File("chain.pem"), leaf.key_pem);
  ASSERT_EQ(import.code, 0) << import.errors;
  EXPECT_EQ(Handfast("credentials get ocsp").output.find("stapled"), std::string::npos);
  const auto set = [&](const tls::Bytes& der) {
    WriteFile(folder_.File("ocsp.der"), tls::AsText(der));
    return Handfast("credentials set-ocsp ocsp --ocsp-file " + folder_.File("ocsp.der"));
  };
  // The service runs by the real clock.
  const int64_t now = std::time(nullptr);
  const tls::test::OcspOptions times = {.this_update_unix_s = now - 60,
                                        .next_update_unix_s = now + 3600};
  const Outcome wrong = set(MakeOcsp(stranger, leaf.chain[0], times));
  EXPECT_EQ(wrong.code, 2);
  EXPECT_NE(wrong.errors.find("ocsp_response"), std::string::npos) << wrong.errors;
  const Outcome empty = set({});
  EXPECT_EQ(empty.code, 2);
  EXPECT_NE(empty.errors.find("is empty"), std::string::npos) << empty.errors;
  const Outcome good = set(MakeOcsp(issuing, leaf.chain[0], times));
  EXPECT_EQ(good.code, 0) << good.errors;
  EXPECT_NE(good.output.find("stapled until: 20"), std::string::npos) << good.output;
  EXPECT_EQ(Handfast("credentials set-ocsp ocsp --ocsp-file /nonexistent").code, 2);
  EXPECT_EQ(Handfast("credentials set-ocsp ocsp").code, 2) << "no file";
}

TEST_F(CliTest, LadderServesAPageAndDrawsTheHandshake) {
  StartService();
  Authority authority;
  const Issued issued = authority.Issue("www.test", "DNS:www.test");
  ASSERT_TRUE(service_.Import("www", issued.key, issued.chain, /*is_default=*/true));
  for (const int version : {0x0304, 0x0303}) {
    Process ladder({Runfile("client/cli/handfast"), "--endpoint", service_.endpoint(), "handshake",
                    "ladder", "--listen", "127.0.0.1:0", "--once"});
    ASSERT_TRUE(ladder.WaitForOutput("listening on 127.0.0.1:", kPatience));
    ASSERT_TRUE(ladder.WaitForOutput(";", kPatience));
    const std::string output = ladder.output();
    TlsClientOptions options;
    options.ca_file = authority.file();
    options.version = version;
    TlsClient client(std::stoi(output.substr(output.find("127.0.0.1:") + 10)), options);
    ASSERT_TRUE(client.ok()) << client.error() << ladder.output();
    ASSERT_TRUE(client.Write("GET / HTTP/1.1\r\n\r\n"));
    EXPECT_NE(client.ReadAll().find("Handfast performed this handshake"), std::string::npos);
    EXPECT_TRUE(client.ended_cleanly());
    client.CloseWrite();
    client.Drop();
    EXPECT_EQ(ladder.WaitForExit(kPatience), 0) << ladder.output();
    const std::string drawn = ladder.output();
    for (const char* rung : {"ClientHello", "ServerHello", "Certificate", "Finished *",
                             "certificate  CN=www.test", "= established: TLSv1."}) {
      EXPECT_NE(drawn.find(rung), std::string::npos) << rung << "\n" << drawn;
    }
  }
}

}  // namespace
}  // namespace handfast::test
