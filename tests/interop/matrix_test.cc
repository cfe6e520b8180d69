// The matrix of our server role: every client x version x key type x column, a program at a time
// against the engine, and the outcome of all beside matrix.txt.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "tests/interop/cell.h"
#include "tests/interop/clients.h"
#include "tests/interop/pki.h"

namespace handfast::tls::test {
namespace {

constexpr char kGolden[] = "tests/interop/matrix.txt";
constexpr char kProtocol[] = "http/1.1";

bool Is13(const Cell& cell) { return cell.version == ProtocolVersion::kTls13; }

ServerKit KitFor(const Cell& cell) {
  // The one profile has TLS 1.3 alone, the other both: the client decides.
  ServerKit kit =
      ServerKit::For(ServerLeaf(cell.key), Is13(cell) ? ModernProfile() : IntermediateProfile());
  Accommodate(cell.stack, kit.profile);
  kit.clients = std::make_shared<TrustBundle>(Root().Bundle());
  if (cell.way == Way::kResumed) {
    std::vector<TicketKey> keys(1);
    keys[0].key = *AeadKey::From(Bytes(32, 0x5e));
    kit.ticket_keys = std::make_shared<const TicketKeys>(std::move(keys));
  }
  if (cell.auth == Auth::kNone) return kit;
  kit.profile.client_auth = MayLeaveOut(cell.auth) ? ClientAuth::kOptional : ClientAuth::kRequired;
  kit.profile.certificate_authorities = kit.clients->subjects();
  return kit;
}

// `first` is the connection before a resumed one; of all others, nothing.
Resumption RunCell(const Cell& cell) {
  Errand errand{.stack = cell.stack, .version = cell.version};
  if (Shows(cell.auth)) errand.certificate = cell.key;
  // Its share is for a group that the profile has not. JSSE would bring one for X25519 as well.
  if (cell.way == Way::kRetry) errand.groups = {NamedGroup::kSecp384r1, NamedGroup::kSecp256r1};
  ServeOptions options;
  if (cell.way == Way::kAlpn) {
    errand.alpn = kProtocol;
    options.connection.alpn = {"something-else/1", kProtocol};
  }
  if (cell.way == Way::kResumed) return RunClientTwice(errand, KitFor(cell), options);
  return {{}, RunClient(errand, KitFor(cell), options)};
}

// Each cell runs once, for its own case or for the golden file, whichever asks first.
const Resumption& OutcomeOf(const Cell& cell) {
  static std::map<std::string, Resumption> outcomes;
  const std::string name = Name(cell);
  auto found = outcomes.find(name);
  if (found == outcomes.end()) found = outcomes.emplace(name, RunCell(cell)).first;
  return found->second;
}

// The handshake went the way that the column names, as our side sees it.
bool WentItsWay(const Cell& cell, const Resumption& outcome) {
  const Served& server = outcome.second.server;
  const Established& established = *server.established;
  if (server.client_hellos != (cell.way == Way::kRetry ? 2 : 1)) return false;
  if (established.alpn != (cell.way == Way::kAlpn ? kProtocol : "")) return false;
  const bool resumed = cell.way == Way::kResumed;
  if (established.resumed != resumed || server.certificate_sent == resumed) return false;
  if (!resumed) return true;
  const Served& first = outcome.first;
  return first.established != nullptr && !first.established->resumed && first.certificate_sent &&
         outcome.client_says_so(cell.stack);
}

// The table's word for what happened: "ok" and "refused" where both sides agree on it.
std::string Word(const Cell& cell) {
  if (!MissingPackage(cell.stack).empty()) return "absent";
  const Resumption& outcome = OutcomeOf(cell);
  const Outcome& last = outcome.second;
  if (last.established()) {
    return last.client_content(cell.stack) && WentItsWay(cell, outcome) ? "ok" : "BROKEN";
  }
  const bool for_lack_of_certificate =
      last.server.failure && last.server.failure->reason == Reason::kNoClientCertificate;
  if (for_lack_of_certificate && last.exit_code.value_or(0) != 0) return "refused";
  return "FAILED";
}

bool IsTls13(CipherSuite suite) { return (static_cast<uint16_t>(suite) & 0xff00) == 0x1300; }

void ExpectRefused(const Cell& cell, const Outcome& outcome) {
  ASSERT_TRUE(outcome.server.failure.has_value());
  EXPECT_EQ(outcome.server.failure->reason, Reason::kNoClientCertificate);
  // RFC 8446 §4.4.2.4: certificate_required; RFC 5246 §7.4.6: handshake_failure.
  EXPECT_EQ(outcome.server.failure->alert, Is13(cell) ? 116 : 40);
  EXPECT_NE(outcome.exit_code, 0);
}

void ExpectSignedAs(const Cell& cell, const Established& established) {
  if (established.resumed) return;
  const auto schemes = SchemesOf(cell.key);
  EXPECT_NE(std::find(schemes.begin(), schemes.end(), established.signature_scheme), schemes.end());
}

void ExpectPeer(const Cell& cell, const Established& established) {
  if (!Shows(cell.auth)) {
    EXPECT_TRUE(established.peer_chain.empty());
    return;
  }
  ASSERT_FALSE(established.peer_chain.empty());
  EXPECT_EQ(established.peer_chain.front(), ClientLeaf(cell.key).chain.front());
}

class MatrixTest : public testing::TestWithParam<Cell> {};

TEST_P(MatrixTest, BothSidesAgree) {
  const Cell& cell = GetParam();
  const std::string package = MissingPackage(cell.stack);
  if (!package.empty()) GTEST_SKIP() << package << " is not installed";
  const Resumption& resumption = OutcomeOf(cell);
  const Outcome& outcome = resumption.second;
  SCOPED_TRACE(resumption.ToText());
  EXPECT_EQ(resumption.first.trouble, "");
  EXPECT_EQ(outcome.server.trouble, "");
  ASSERT_TRUE(outcome.exit_code.has_value());
  if (cell.auth == Auth::kRequiredWithout) return ExpectRefused(cell, outcome);
  ASSERT_TRUE(outcome.established());
  const Established& established = *outcome.server.established;
  EXPECT_EQ(established.version, cell.version);
  EXPECT_EQ(IsTls13(established.cipher_suite), Is13(cell));
  EXPECT_EQ(established.server_name, kServerName);
  ExpectSignedAs(cell, established);
  ExpectPeer(cell, established);
  EXPECT_TRUE(WentItsWay(cell, resumption));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(outcome.client_content(cell.stack));
}

std::vector<Cell> CellsThat(bool (*wanted)(const Cell&)) {
  std::vector<Cell> cells = AllCells(Role::kServer);
  std::erase_if(cells, [wanted](const Cell& cell) { return !wanted(cell); });
  return cells;
}

std::string NameOfParam(const testing::TestParamInfo<Cell>& info) { return Name(info.param); }

INSTANTIATE_TEST_SUITE_P(All, MatrixTest, testing::ValuesIn(CellsThat([](const Cell& cell) {
                           return Lacking(cell) == nullptr;
                         })),
                         NameOfParam);

// A cell that is said to be lacking fails indeed: a newer stack that fills it shows here.
class LackingTest : public testing::TestWithParam<Cell> {};

TEST_P(LackingTest, DoesNotWorkYet) {
  const Cell& cell = GetParam();
  const std::string package = MissingPackage(cell.stack);
  if (!package.empty()) GTEST_SKIP() << package << " is not installed";
  const Outcome& outcome = OutcomeOf(cell).second;
  SCOPED_TRACE(outcome.ToText());
  ASSERT_TRUE(outcome.server.failure.has_value()) << Lacking(cell)->reason;
  EXPECT_EQ(Describe(outcome.server.failure->reason).label, Describe(Lacking(cell)->failure).label);
  EXPECT_NE(outcome.exit_code, 0);
}

INSTANTIATE_TEST_SUITE_P(All, LackingTest, testing::ValuesIn(CellsThat([](const Cell& cell) {
                           const Lack* lack = Lacking(cell);
                           if (lack == nullptr || !lack->tried) return false;
                           Cell full = cell;
                           full.way = Way::kFull;
                           // Once for a whole row, or for the column that is lacking by itself.
                           return cell.auth == Auth::kNone &&
                                  (cell.way == Way::kFull || Lacking(full) != lack);
                         })),
                         NameOfParam);

// With a parameter, so that gtest puts it behind the cells, which then have run already.
class GoldenTest : public testing::TestWithParam<int> {};

TEST_P(GoldenTest, MatrixIsAsCheckedIn) {
  for (Stack stack : kClients) {
    const std::string package = MissingPackage(stack);
    if (!package.empty()) GTEST_SKIP() << package << " is not installed";
  }
  EXPECT_EQ(CompareMatrix(Render(Role::kServer, Word), kGolden), "");
}

INSTANTIATE_TEST_SUITE_P(All, GoldenTest, testing::Values(0));

}  // namespace
}  // namespace handfast::tls::test
