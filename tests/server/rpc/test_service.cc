#include "tests/server/rpc/test_service.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_credentials_options.h>

#include "server/observe/log.h"
#include "tls/crypto/random.h"

namespace handfast::rpc::test {
namespace {

constexpr As kSockets[] = {As::kEdge, As::kSibling, As::kOperator, As::kForeign, As::kStranger};

// Short: a socket's path has 107 bytes.
std::string MakeFolder() {
  char name[] = "/tmp/hf.XXXXXX";
  return mkdtemp(name);
}

void Require(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "the test's service cannot start: %s\n",
               static_cast<std::string>(status.message()).c_str());
  std::abort();
}

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

access::WorkQueueOptions Threads(int count) {
  access::WorkQueueOptions options;
  options.threads = {count, 0};
  return options;
}

}  // namespace

TestService::TestService(TestOptions options)
    : folder_(MakeFolder()),
      names_folder_(options.replica_of != nullptr ? options.replica_of->names_folder_ : folder_),
      ca_(options.replica_of != nullptr ? options.replica_of->ca_
                                        : tls::test::TestCa::Create("Test CA")),
      server_ca_(options.replica_of != nullptr ? options.replica_of->server_ca_
                                               : tls::test::TestCa::Create("Servers' CA")),
      caller_ca_(tls::test::TestCa::Create("Callers' CA")) {
  observe::SetLogLevel(observe::Level::kError);
  WriteFile(folder_ + "/ca.pem", ca_.pem());
  WriteFile(folder_ + "/servers.pem", server_ca_.pem());
  auto trust = trust::PeerTrust::Load({{"clients", {.file = folder_ + "/ca.pem"}},
                                       {"servers", {.file = folder_ + "/servers.pem"}}});
  Require(trust.status());
  trust_ = std::make_unique<trust::PeerTrust>(*std::move(trust));
  AddProfiles();
  OpenCustody(options);
  const auto real_clock = [] { return std::chrono::steady_clock::now(); };
  policy_ = std::make_unique<access::Policy>(MakePolicy());
  access::AdmissionOptions admission;
  admission.max_live = options.max_live;
  admission.max_live_per_tenant = options.max_live;
  admission_ = std::make_unique<access::Admission>(
      admission, real_clock, [this](std::string_view reason) { metrics.Refused(reason); });
  work_ = std::make_unique<access::WorkQueue>(options.work, real_clock);
  blocking_ = std::make_unique<access::WorkQueue>(Threads(1), real_clock);
  durable_work_ = std::make_unique<access::WorkQueue>(Threads(4), real_clock);
  if (options.store != nullptr) {
    whereabouts_ = std::make_unique<connections::Whereabouts>(*options.store, *durable_work_);
    whereabouts_->SetAddress("unix:" + SocketPath(As::kEdge));
  }
  connections_ =
      std::make_unique<connections::Connections>(clock, options.connections, whereabouts_.get());
  own_store_ = std::make_unique<store::MemoryStore>(
      clock, store::MemoryStore::Limits{.entries = 1000, .bytes = size_t{64} << 20});
  saved_ = std::make_unique<handshakes::SavedHandshakes>(
      clock, options.store != nullptr ? *options.store : *own_store_);
  own_session_store_ = std::make_unique<store::MemoryStore>(
      clock, store::MemoryStore::Limits{.entries = 1000, .bytes = size_t{64} << 20});
  sessions_ = std::make_unique<sessions::Sessions>(
      clock, options.session_store != nullptr ? *options.session_store : *own_session_store_,
      *durable_work_, tls::SystemRandomness());
  sessions_->Refresh();
  services_ = std::make_unique<handshakes::Services>(handshakes::Services{
      .clock = clock,
      .randomness = tls::SystemRandomness(),
      .credentials = *custody_,
      .trust = *trust_,
      .admission = *admission_,
      .work = *work_,
      .connections = *connections_,
      .metrics = metrics,
      .saved = *saved_,
      .sessions =
          options.sessions ? static_cast<sessions::SessionsInterface&>(*sessions_) : no_sessions_});
  handshakes_ = std::make_unique<handshakes::Handshakes>(*services_);
  durable_ = std::make_unique<handshakes::DurableHandshakes>(*services_, *saved_);
  auto server = RpcServer::Start(MakeRpcOptions(options), {.policy = *policy_,
                                                           .profiles = *this,
                                                           .handshakes = *handshakes_,
                                                           .clock = clock,
                                                           .connections = *connections_,
                                                           .custody = *custody_,
                                                           .work = *work_,
                                                           .blocking = *blocking_,
                                                           .saved = *saved_,
                                                           .durable = *durable_,
                                                           .durable_work = *durable_work_,
                                                           .metrics = metrics,
                                                           .whereabouts = whereabouts_.get()});
  Require(server.status());
  server_ = *std::move(server);
  if (options.tcp) tcp_address_ = server_->addresses().front();
  server_->SetServing(true);
}

TestService::~TestService() {
  server_->Drain(std::chrono::milliseconds(0));
  durable_work_->Shutdown();
  blocking_->Shutdown();
  work_->Shutdown();
  server_.reset();
  handshakes_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void TestService::AddProfiles() {
  const auto add = [this](const char* name, tls::Profile tls, auto change) {
    auto profile = std::make_shared<handshakes::Profile>();
    profile->tls = std::move(tls);
    profile->tls.name = name;
    profile->release_keys = true;
    profile->deadline = std::chrono::seconds(10);
    change(*profile);
    profiles_[name] = std::move(profile);
  };
  add("intermediate", tls::IntermediateProfile(), [](auto&) {});
  add("modern", tls::ModernProfile(), [](auto&) {});
  add("sealed", tls::IntermediateProfile(), [](auto& profile) { profile.release_keys = false; });
  add("short", tls::IntermediateProfile(),
      [](auto& profile) { profile.deadline = std::chrono::milliseconds(100); });
  const auto mutual = [this](auto& profile) {
    profile.tls.client_auth = tls::ClientAuth::kRequired;
    profile.tls.certificate_authorities = trust_->Subjects("clients");
    profile.trust_bundle = "clients";
  };
  add("mutual", tls::IntermediateProfile(), mutual);
  add("legacy", tls::LegacyProfile(), mutual);
  add("outbound", tls::IntermediateProfile(), [&](auto& profile) {
    mutual(profile);
    profile.server_trust_bundle = "servers";
  });
  const auto durable = [](auto& profile) { profile.durable = true; };
  add("durable", tls::IntermediateProfile(), durable);
  add("durable-mutual", tls::IntermediateProfile(), [&](auto& profile) {
    mutual(profile);
    durable(profile);
  });
  add("durable-outbound", tls::IntermediateProfile(), [&](auto& profile) {
    mutual(profile);
    profile.server_trust_bundle = "servers";
    durable(profile);
  });
  add("stapled", tls::IntermediateProfile(), [&](auto& profile) {
    profile.server_trust_bundle = "servers";
    profile.require_ocsp_staple = true;
  });
}

std::shared_ptr<const handshakes::Profile> TestService::Find(std::string_view name) const {
  const auto found = profiles_.find(name.empty() ? "intermediate" : name);
  return found == profiles_.end() ? nullptr : found->second;
}

tls::test::Leaf TestService::LeafFor(const std::string& tenant, const TestOptions& options) {
  tls::test::LeafOptions leaf_options;
  leaf_options.type = options.key_type;
  leaf_options.dns = {"example.test"};
  const tls::test::Leaf leaf = options.replica_of != nullptr
                                   ? options.replica_of->leaves_.at(tenant)
                                   : ca_.Issue(leaf_options);
  leaves_.emplace(tenant, leaf);
  return leaf;
}

void TestService::OpenCustody(const TestOptions& options) {
  auto custody = custody::Custody::Open(
      {.database_path = folder_ + "/custody.db", .kek_path = folder_ + "/custody.kek"},
      tls::SystemRandomness(), [] { return tls::test::kNow; });
  Require(custody.status());
  custody_ = *std::move(custody);
  for (const char* tenant : {"acme", "other"}) {
    const tls::test::Leaf leaf = LeafFor(tenant, options);
    Require(custody_
                ->ImportKey({.tenant = tenant,
                             .key_id = "web",
                             .private_key_pem = leaf.key_pem,
                             .certificate_chain_pem = leaf.chain_pem,
                             .default_credential = true,
                             .request_id = ""})
                .status());
  }
}

access::Policy TestService::MakePolicy() const {
  const auto socket = [this](As caller) { return Principal(caller); };
  auto policy = access::Policy::Create({
      {socket(As::kEdge), "acme", true, true, true},
      {socket(As::kSibling), "acme", true, false, false},
      {socket(As::kOperator), "acme", false, true, false},
      {socket(As::kForeign), "other", true, true, true},
      {kSpiffe, "acme", true, false, true},
  });
  Require(policy.status());
  return *std::move(policy);
}

RpcOptions TestService::MakeRpcOptions(const TestOptions& options) const {
  RpcOptions rpc;
  rpc.max_connections = options.max_connections;
  rpc.limits = options.limits;
  for (As caller : kSockets) {
    const std::string path = SocketPath(caller);
    rpc.unix_sockets.push_back(
        {.path = path, .mode = 0600, .allowed_uids = {getuid()}, .principal = Principal(caller)});
  }
  if (!options.tcp) return rpc;
  tls::test::LeafOptions leaf_options;
  leaf_options.dns = {"localhost"};
  const tls::test::Leaf leaf = ca_.Issue(leaf_options);
  WriteFile(folder_ + "/server.pem", leaf.chain_pem);
  WriteFile(folder_ + "/server.key", leaf.key_pem);
  WriteFile(folder_ + "/callers.pem", caller_ca_.pem());
  rpc.tcp.push_back({.host = "127.0.0.1",
                     .port = 0,
                     .certificate_file = folder_ + "/server.pem",
                     .key_file = folder_ + "/server.key",
                     .client_ca_file = folder_ + "/callers.pem"});
  return rpc;
}

std::string TestService::Principal(As caller) const {
  return "unix:" + names_folder_ + "/" + std::to_string(static_cast<int>(caller)) + ".sock";
}

std::string TestService::SocketPath(As caller) const {
  return folder_ + "/" + std::to_string(static_cast<int>(caller)) + ".sock";
}

std::shared_ptr<grpc::Channel> TestService::Channel(As caller) const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A window that stays as it is, so that a caller who does not read is one.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  return grpc::CreateCustomChannel("unix:" + SocketPath(caller),
                                   grpc::experimental::LocalCredentials(UDS), arguments);
}

std::shared_ptr<grpc::Channel> TestService::TlsChannel(const tls::test::Leaf* certificate) const {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ca_.pem();
  if (certificate != nullptr) {
    options.pem_cert_chain = certificate->chain_pem;
    options.pem_private_key = certificate->key_pem;
  }
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetSslTargetNameOverride("localhost");
  return grpc::CreateCustomChannel(tcp_address_, grpc::SslCredentials(options), arguments);
}

}  // namespace handfast::rpc::test
