// The matrix: every stack x version x key type x client authentication, a program at a time
// against the engine, and the outcome of all beside matrix.txt.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/interop/cell.h"
#include "tests/interop/clients.h"
#include "tests/interop/pki.h"

namespace handfast::tls::test {
namespace {

constexpr char kGolden[] = "tests/interop/matrix.txt";

ServerKit KitFor(const Cell& cell) {
  // The one profile has TLS 1.3 alone, the other both: the client decides.
  const bool modern = cell.version == ProtocolVersion::kTls13;
  const Profile profile = modern ? ModernProfile() : IntermediateProfile();
  ServerKit kit = ServerKit::For(ServerLeaf(cell.key), profile);
  kit.clients = std::make_shared<TrustBundle>(Root().Bundle());
  if (cell.auth == Auth::kNone) return kit;
  kit.profile.client_auth = MayLeaveOut(cell.auth) ? ClientAuth::kOptional : ClientAuth::kRequired;
  kit.profile.certificate_authorities = kit.clients->subjects();
  return kit;
}

Outcome RunCell(const Cell& cell) {
  Errand errand{.stack = cell.stack, .version = cell.version};
  if (Shows(cell.auth)) errand.certificate = cell.key;
  return RunClient(errand, KitFor(cell));
}

// Each cell runs once, for its own case or for the golden file, whichever asks first.
const Outcome& OutcomeOf(const Cell& cell) {
  static std::map<std::string, Outcome> outcomes;
  const std::string name = Name(cell);
  auto found = outcomes.find(name);
  if (found == outcomes.end()) found = outcomes.emplace(name, RunCell(cell)).first;
  return found->second;
}

// The table's word for what happened: "ok" and "refused" where both sides agree on it.
std::string Word(const Cell& cell) {
  if (!MissingPackage(cell.stack).empty()) return "absent";
  const Outcome& outcome = OutcomeOf(cell);
  if (outcome.established()) return outcome.client_content(cell.stack) ? "ok" : "BROKEN";
  const bool for_lack_of_certificate =
      outcome.server.failure && outcome.server.failure->reason == Reason::kNoClientCertificate;
  if (for_lack_of_certificate && outcome.exit_code.value_or(0) != 0) return "refused";
  return "FAILED";
}

bool Is13(CipherSuite suite) { return (static_cast<uint16_t>(suite) & 0xff00) == 0x1300; }

class MatrixTest : public testing::TestWithParam<Cell> {};

TEST_P(MatrixTest, BothSidesAgree) {
  const Cell& cell = GetParam();
  const std::string package = MissingPackage(cell.stack);
  if (!package.empty()) GTEST_SKIP() << package << " is not installed";
  const Outcome& outcome = OutcomeOf(cell);
  SCOPED_TRACE(outcome.ToText());
  EXPECT_EQ(outcome.server.trouble, "");
  ASSERT_TRUE(outcome.exit_code.has_value());
  if (cell.auth == Auth::kRequiredWithout) {
    ASSERT_TRUE(outcome.server.failure.has_value());
    EXPECT_EQ(outcome.server.failure->reason, Reason::kNoClientCertificate);
    // RFC 8446 §4.4.2.4: certificate_required; RFC 5246 §7.4.6: handshake_failure.
    EXPECT_EQ(outcome.server.failure->alert, cell.version == ProtocolVersion::kTls13 ? 116 : 40);
    EXPECT_NE(outcome.exit_code, 0);
    return;
  }
  ASSERT_TRUE(outcome.established());
  const Established& established = *outcome.server.established;
  EXPECT_EQ(established.version, cell.version);
  EXPECT_EQ(Is13(established.cipher_suite), cell.version == ProtocolVersion::kTls13);
  const auto schemes = SchemesOf(cell.key);
  EXPECT_NE(std::find(schemes.begin(), schemes.end(), established.signature_scheme), schemes.end());
  EXPECT_EQ(established.server_name, kServerName);
  EXPECT_EQ(outcome.server.client_hellos, 1);
  if (Shows(cell.auth)) {
    ASSERT_FALSE(established.peer_chain.empty());
    EXPECT_EQ(established.peer_chain.front(), ClientLeaf(cell.key).chain.front());
  } else {
    EXPECT_TRUE(established.peer_chain.empty());
  }
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(outcome.client_content(cell.stack));
}

std::vector<Cell> CellsThat(bool (*wanted)(const Cell&)) {
  std::vector<Cell> cells = AllCells();
  std::erase_if(cells, [wanted](const Cell& cell) { return !wanted(cell); });
  return cells;
}

std::string NameOfParam(const testing::TestParamInfo<Cell>& info) { return Name(info.param); }

INSTANTIATE_TEST_SUITE_P(All, MatrixTest, testing::ValuesIn(CellsThat([](const Cell& cell) {
                           return Lacking(cell).empty();
                         })),
                         NameOfParam);

// A cell that is said to be lacking fails indeed: a newer stack that fills it shows here.
class LackingTest : public testing::TestWithParam<Cell> {};

TEST_P(LackingTest, DoesNotWorkYet) {
  const Cell& cell = GetParam();
  const std::string package = MissingPackage(cell.stack);
  if (!package.empty()) GTEST_SKIP() << package << " is not installed";
  const Outcome& outcome = OutcomeOf(cell);
  SCOPED_TRACE(outcome.ToText());
  ASSERT_TRUE(outcome.server.failure.has_value()) << Lacking(cell);
  EXPECT_EQ(Describe(outcome.server.failure->reason).label, Describe(FailureOfLacking(cell)).label);
  EXPECT_NE(outcome.exit_code, 0);
}

INSTANTIATE_TEST_SUITE_P(All, LackingTest, testing::ValuesIn(CellsThat([](const Cell& cell) {
                           return !Lacking(cell).empty() && cell.auth == Auth::kNone;
                         })),
                         NameOfParam);

// Under `bazel run` the source tree is named; else the runfile is a link into it.
std::filesystem::path GoldenToWrite() {
  const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (workspace != nullptr) return std::filesystem::path(workspace) / kGolden;
  return std::filesystem::canonical(kGolden);
}

// With a parameter, so that gtest puts it behind the cells, which then have run already.
class GoldenTest : public testing::TestWithParam<int> {};

TEST_P(GoldenTest, MatrixIsAsCheckedIn) {
  std::set<std::string> missing;
  for (Stack stack : kStacks) {
    const std::string package = MissingPackage(stack);
    if (!package.empty()) missing.insert(package);
  }
  const std::string matrix = Render(Word);
  std::cout << matrix;
  for (const std::string& package : missing) GTEST_SKIP() << package << " is not installed";
  if (std::getenv("HANDFAST_REWRITE") != nullptr) {
    std::ofstream(GoldenToWrite()) << matrix;
    return;
  }
  std::ifstream file(kGolden);
  std::stringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(matrix, golden.str()) << "HANDFAST_REWRITE=1 rewrites " << kGolden;
}

INSTANTIATE_TEST_SUITE_P(All, GoldenTest, testing::Values(0));

}  // namespace
}  // namespace handfast::tls::test
