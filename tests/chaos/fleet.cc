#include "tests/chaos/fleet.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <utility>

#include "tests/support/patience.h"

namespace handfast::chaos {
namespace {

using test::kPatience;

constexpr char kServiceName[] = "handfastd.test";
constexpr const char* kPrincipals[] = {
    "spiffe://example.test/edge", "spiffe://example.test/sibling", "spiffe://example.test/foreign"};

constexpr char kRest[] = R"(profiles:
- {name: durable, base: intermediate, release_keys: true, durable: true,
   handshake_deadline_ms: 30000}
- {name: durable-mutual, base: intermediate, release_keys: true, durable: true,
   handshake_deadline_ms: 30000, client_auth: required, trust_bundle: peers}
- {name: durable-outbound, base: intermediate, release_keys: true, durable: true,
   handshake_deadline_ms: 30000, server_trust_bundle: peers}
- {name: fleeting, base: intermediate, release_keys: true, handshake_deadline_ms: 30000}
)";

}  // namespace

Fleet::Fleet(std::vector<std::string> redis_settings)
    : web_(ca_.Issue({.dns = {"example.test"}})),
      redis_(std::make_unique<test::RedisServer>(std::move(redis_settings))) {
  for (size_t i = 0; i < callers_.size(); ++i) {
    callers_[i] = hop_ca_.Issue({.uris = {kPrincipals[i]}, .server = false, .client = true});
  }
  const tls::test::Leaf service = hop_ca_.Issue({.dns = {kServiceName}});
  test::WriteFile(files_.File("service.pem"), service.chain_pem);
  test::WriteFile(files_.File("service.key"), service.key_pem);
  test::WriteFile(files_.File("hop.pem"), hop_ca_.pem());
  test::WriteFile(files_.File("peers.pem"), ca_.pem());
  test::WriteFile(files_.File("store.key"), std::string(64, '7') + "\n");
  for (auto& replica : replicas_) {
    replica = std::make_unique<test::Handfastd>();
    replica->Configure(Document(replica->socket()));
  }
}

std::string Fleet::Document(const std::string& socket) const {
  const auto principal = [](const std::string& name, const std::string& tenant,
                            const std::string& role) {
    return "- {name: \"" + name + "\", tenant: " + tenant + ", roles: [" + role + "]" +
           (role == "caller" ? ", release_keys: true" : "") + "}\n";
  };
  return "listeners:\n- tcp: {address: \"127.0.0.1:0\", certificate_file: " +
         files_.File("service.pem") + ", key_file: " + files_.File("service.key") +
         ", client_ca_file: " + files_.File("hop.pem") + "}\n- unix: {path: " + socket +
         "}\nprincipals:\n" + principal("unix:" + socket, "default", "operator") +
         principal(kPrincipals[0], "default", "caller") +
         principal(kPrincipals[1], "default", "caller") +
         principal(kPrincipals[2], "foreign", "caller") +
         "trust_bundles:\n- {name: peers, file: " + files_.File("peers.pem") + "}\n" + kRest +
         "store: {redis: {address: \"" + redis_->address() +
         "\", key_file: " + files_.File("store.key") + "}}\n";
}

bool Fleet::StartOne(size_t number) {
  test::Handfastd& replica = *replicas_[number];
  if (!replica.Start()) {
    std::fprintf(stderr, "replica %zu: %s\n", number, replica.output().c_str());
    return false;
  }
  const std::lock_guard lock(mutex_);
  addresses_[number] = replica.address();
  up_[number] = true;
  changed_.notify_all();
  return true;
}

bool Fleet::Start() {
  for (size_t i = 0; i < kReplicas; ++i) {
    if (!StartOne(i)) return false;
    if (!replicas_[i]->Import("web", web_.key_pem, web_.chain_pem, /*is_default=*/true)) {
      return false;
    }
  }
  return true;
}

void Fleet::Kill(size_t number) {
  {
    const std::lock_guard lock(mutex_);
    up_[number] = false;
  }
  replicas_[number]->Kill();
}

bool Fleet::Restart(size_t number) { return StartOne(number); }

void Fleet::KillRedis() {
  {
    const std::lock_guard lock(mutex_);
    redis_up_ = false;
  }
  redis_->Kill();
}

void Fleet::RestartRedis() {
  redis_->Start();
  const std::lock_guard lock(mutex_);
  redis_up_ = true;
  changed_.notify_all();
}

std::string Fleet::address(size_t number) const {
  const std::lock_guard lock(mutex_);
  return addresses_.at(number);
}

std::shared_ptr<grpc::Channel> Fleet::Channel(size_t number, As caller) const {
  const tls::test::Leaf& leaf = callers_.at(static_cast<size_t>(caller));
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = hop_ca_.pem();
  options.pem_private_key = leaf.key_pem;
  options.pem_cert_chain = leaf.chain_pem;
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride(kServiceName);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address(number), grpc::SslCredentials(options), arguments);
}

bool Fleet::AwaitService() const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [this] {
    return redis_up_ && std::any_of(up_.begin(), up_.end(), [](bool up) { return up; });
  });
}

}  // namespace handfast::chaos
