// The foreign stacks through the real programs: the client speaks TLS to handfast-edge, the edge
// relays the handshake to handfastd, which alone has the key, and plain bytes reach a backend.
#include <sys/socket.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/client/edge/edge_fixture.h"
#include "tests/interop/cell.h"
#include "tests/interop/clients.h"
#include "tests/interop/pki.h"
#include "tests/support/files.h"
#include "tests/support/handfastd.h"
#include "tests/support/net.h"

namespace handfast::tls::test {
namespace {

using handfast::test::Edge;
using handfast::test::Handfastd;

// The embedded configuration's listener and principal, and a profile that asks for certificates.
std::string Document(const std::string& state_folder) {
  const std::string socket = state_folder + "/handfast.sock";
  return "listeners: [{unix: {path: \"" + socket + "\"}}]\n" +                 //
         "principals:\n  - name: \"unix:" + socket + "\"\n" +                  //
         "    tenant: default\n    roles: [caller, operator]\n" +              //
         "    release_keys: true\n" +                                          //
         "trust_bundles: [{name: clients, file: \"" + RootFile() + "\"}]\n" +  //
         "profiles:\n" +                                                       //
         "  - {name: open, base: intermediate, release_keys: true}\n" +        //
         "  - {name: asks, base: intermediate, release_keys: true,\n" +        //
         "     client_auth: optional, trust_bundle: clients}\n" +              //
         "  - {name: demands, base: intermediate, release_keys: true,\n" +     //
         "     client_auth: required, trust_bundle: clients}\n";
}

std::string ProfileFor(Auth auth) {
  switch (auth) {
    case Auth::kNone:
      return "open";
    case Auth::kOptionalWith:
    case Auth::kOptionalWithout:
      return "asks";
    case Auth::kRequiredWith:
    case Auth::kRequiredWithout:
      return "demands";
  }
  return "";
}

void Answer(int fd) {
  std::string request;
  char chunk[4096];
  for (ssize_t n; (n = recv(fd, chunk, sizeof chunk, 0)) > 0;) {
    request.append(chunk, static_cast<size_t>(n));
    const std::optional<std::string> answer = AnswerTo(request);
    if (!answer) continue;
    (void)handfast::test::SendAll(fd, *answer);
    return;
  }
}

// One service, one backend, and an edge for each profile, for all cases.
class World {
 public:
  // With trouble() where something does not come up.
  static World& Get() {
    static World world;
    return world;
  }

  const std::string& trouble() const { return trouble_; }
  const Edge& edge(Auth auth) const { return *edges_.at(ProfileFor(auth)); }
  int backend_connections() const { return backend_.connections(); }
  double Handshakes(const std::string& label) const {
    return Handfastd::Sum(service_.Metrics(), "handfast_handshakes_total", label);
  }

 private:
  World()
      : config_(WriteFile("handfast.yaml", "")), service_({"--config", config_}), backend_(Answer) {
    WriteFile("handfast.yaml", Document(service_.state_folder()));
    const Leaf& leaf = ServerLeaf(KeyType::kEcdsaP256);
    if (!service_.Start() || !service_.Import("interop", leaf.key_pem, leaf.chain_pem, true)) {
      trouble_ = service_.output();
      return;
    }
    for (Auth auth : kAuths) {
      const std::string profile = ProfileFor(auth);
      auto& edge = edges_[profile];
      if (edge != nullptr) continue;
      edge = std::make_unique<Edge>(
          service_.endpoint(),
          std::vector<std::string>{"--backend", backend_.address(), "--profile", profile});
      if (!edge->serving()) trouble_ = edge->process().output();
    }
  }

  std::string config_;
  Handfastd service_;
  handfast::test::Server backend_;
  std::map<std::string, std::unique_ptr<Edge>> edges_;
  std::string trouble_;
};

class EdgeInteropTest : public testing::TestWithParam<Cell> {};

TEST_P(EdgeInteropTest, ClientReachesTheBackend) {
  const Cell& cell = GetParam();
  const std::string package = MissingPackage(cell.stack);
  if (!package.empty()) GTEST_SKIP() << package << " is not installed";
  World& world = World::Get();
  ASSERT_EQ(world.trouble(), "");
  Errand errand{.stack = cell.stack, .version = cell.version};
  if (Shows(cell.auth)) errand.certificate = cell.key;

  const bool refused = cell.auth == Auth::kRequiredWithout;
  const std::string label = refused ? "reason=\"no_client_certificate\"" : "result=\"success\"";
  const double before = world.Handshakes(label);
  const double all_before = world.Handshakes("");
  const int backend_before = world.backend_connections();
  const Outcome outcome = RunClient(errand, static_cast<uint16_t>(world.edge(cell.auth).port()));
  SCOPED_TRACE(outcome.ToText());
  ASSERT_TRUE(outcome.exit_code.has_value());
  EXPECT_EQ(world.Handshakes(label), before + 1);
  EXPECT_EQ(world.Handshakes(""), all_before + 1);
  EXPECT_EQ(world.backend_connections(), backend_before + (refused ? 0 : 1));
  EXPECT_EQ(outcome.client_content(cell.stack), !refused);
  EXPECT_EQ(*outcome.exit_code == 0, !refused);
}

// OpenSSL's client, twice: the second process has nothing but the file that the first one left.
class EdgeResumptionTest : public testing::TestWithParam<ProtocolVersion> {};

TEST_P(EdgeResumptionTest, OpensslResumes) {
  World& world = World::Get();
  ASSERT_EQ(world.trouble(), "");
  for (const Auth auth : {Auth::kNone, Auth::kRequiredWith}) {
    Errand errand{.stack = Stack::kOpenssl, .version = GetParam()};
    if (Shows(auth)) errand.certificate = KeyType::kEcdsaP256;
    const auto port = static_cast<uint16_t>(world.edge(auth).port());
    errand.keep_session = WriteFile("edge.session", "");
    const double before = world.Handshakes("resumed=\"yes\"");
    const Outcome first = RunClient(errand, port);
    ASSERT_EQ(first.exit_code, 0) << first.ToText();
    EXPECT_EQ(world.Handshakes("resumed=\"yes\""), before) << "the control";
    errand.offer_session = std::exchange(errand.keep_session, "");
    const Outcome second = RunClient(errand, port);
    EXPECT_EQ(second.exit_code, 0) << second.ToText();
    EXPECT_TRUE(second.client_content(Stack::kOpenssl)) << second.ToText();
    EXPECT_NE(second.output.find("Reused, TLSv1."), std::string::npos) << second.ToText();
    EXPECT_EQ(world.Handshakes("resumed=\"yes\""), before + 1);
    // At another profile's edge it is worth nothing, and does no harm.
    const Auth other = auth == Auth::kNone ? Auth::kOptionalWithout : Auth::kOptionalWith;
    const Outcome elsewhere = RunClient(errand, static_cast<uint16_t>(world.edge(other).port()));
    EXPECT_EQ(elsewhere.exit_code, 0) << elsewhere.ToText();
    EXPECT_EQ(elsewhere.output.find("Reused, TLSv1."), std::string::npos) << elsewhere.ToText();
  }
}

INSTANTIATE_TEST_SUITE_P(Both, EdgeResumptionTest,
                         testing::Values(ProtocolVersion::kTls13, ProtocolVersion::kTls12),
                         [](const auto& info) {
                           return info.param == ProtocolVersion::kTls13 ? "Tls13" : "Tls12";
                         });

// Every stack and version; key types are the matrix's business, and the service's choice here.
std::vector<Cell> Cells() {
  std::vector<Cell> cells = AllCells(Role::kServer);
  std::erase_if(cells, [](const Cell& cell) {
    // Each starts a Java machine.
    if (cell.stack == Stack::kJsse && cell.auth != Auth::kRequiredWith) return true;
    // See Accommodate.
    if (cell.stack == Stack::kWolfssl && cell.version == ProtocolVersion::kTls12) return true;
    return Lacking(cell) != nullptr || cell.key != KeyType::kEcdsaP256 || cell.way != Way::kFull;
  });
  return cells;
}

INSTANTIATE_TEST_SUITE_P(All, EdgeInteropTest, testing::ValuesIn(Cells()),
                         [](const auto& info) { return Name(info.param); });

}  // namespace
}  // namespace handfast::tls::test
