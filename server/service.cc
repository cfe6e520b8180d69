#include "server/service.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

#include "server/access/admission.h"
#include "server/access/policy.h"
#include "server/access/work_queue.h"
#include "server/connections/connections.h"
#include "server/custody/custody.h"
#include "server/handshakes/durable.h"
#include "server/handshakes/handshakes.h"
#include "server/handshakes/reaper.h"
#include "server/observe/admin_server.h"
#include "server/observe/metrics.h"
#include "server/profiles.h"
#include "server/rpc/rpc_server.h"
#include "server/sessions/sessions.h"
#include "server/store/memory_store.h"
#include "server/store/redis_store.h"
#include "server/store/secret_file.h"
#include "server/trust/peer_trust.h"
#include "tls/crypto/random.h"

namespace handfast {
namespace {

// One in four processors polls: moving a message costs a third of working on it.
constexpr int kWorkersPerPoller = 4;

// The pollers do what little waits themselves: waking another thread costs 10 us of CPU, a piece of
// work 130 us.
constexpr size_t kWakeWorkersAt = 8;

// Of those connections whose keys stay here. Each holds its keys in memory, about 2 KiB.
constexpr size_t kMaxKeptConnections = 10'000;

const handshakes::SystemClock kClock;

std::chrono::steady_clock::time_point Now() { return std::chrono::steady_clock::now(); }

int PollersOf(const config::Limits& limits) {
  return std::max(1, limits.worker_threads / kWorkersPerPoller);
}

// The pollers work too, so they are taken off the workers.
access::WorkQueueOptions WorkOptions(const config::Limits& limits) {
  access::WorkQueueOptions options;
  options.threads = {std::max(1, limits.worker_threads - PollersOf(limits)), limits.rsa_threads};
  options.wake_at = {kWakeWorkersAt, 1};
  return options;
}

// Writes to one database wait for each other anyway.
access::WorkQueueOptions BlockingOptions() {
  access::WorkQueueOptions options;
  options.threads = {1, 0};
  return options;
}

access::AdmissionOptions AdmissionFrom(const config::Limits& limits) {
  return {.max_live = limits.live_handshakes,
          .max_live_per_tenant = limits.live_handshakes_per_tenant,
          .rate_per_tenant = static_cast<double>(limits.handshake_rate_per_tenant),
          .burst_per_tenant = static_cast<double>(limits.handshake_burst_per_tenant)};
}

absl::StatusOr<access::Policy> PolicyFrom(const config::Config& config) {
  std::vector<access::Principal> principals;
  for (const config::Principal& principal : config.principals) {
    principals.push_back({.name = principal.name,
                          .tenant = principal.tenant,
                          .caller = principal.caller,
                          .operator_role = principal.operator_role,
                          .release_keys = principal.release_keys});
  }
  return access::Policy::Create(std::move(principals));
}

absl::StatusOr<trust::PeerTrust> TrustFrom(const config::Config& config) {
  std::map<std::string, trust::BundleFiles> bundles;
  for (const config::TrustBundle& bundle : config.trust_bundles) {
    bundles[bundle.name] = {bundle.file, bundle.crl_file, bundle.crl_check};
  }
  return trust::PeerTrust::Load(bundles);
}

rpc::RpcOptions RpcFrom(const config::Config& config) {
  rpc::RpcOptions options;
  for (const config::TcpListener& listener : config.tcp_listeners) {
    options.tcp.push_back({.host = listener.host,
                           .port = listener.port,
                           .certificate_file = listener.certificate_file,
                           .key_file = listener.key_file,
                           .client_ca_file = listener.client_ca_file});
  }
  for (const config::UnixListener& listener : config.unix_listeners) {
    options.unix_sockets.push_back({.path = listener.path,
                                    .mode = listener.mode,
                                    .allowed_uids = listener.allowed_uids,
                                    .principal = listener.principal()});
  }
  options.max_connections = static_cast<size_t>(config.limits.connections);
  options.pollers = PollersOf(config.limits);
  return options;
}

// What a call about a durable handshake costs beside its cryptography is waiting.
access::WorkQueueOptions DurableOptions(const config::Limits& limits) {
  access::WorkQueueOptions options;
  options.threads = {2 * limits.worker_threads, 0};
  return options;
}

// An entry takes some 8 KiB.
constexpr size_t kStoreBytesPerEntry = 4096;

absl::StatusOr<std::unique_ptr<store::Store>> StoreFrom(const config::Store& config,
                                                        const config::Limits& limits,
                                                        const handshakes::Clock& clock) {
  if (!config.redis) {
    return std::make_unique<store::MemoryStore>(
        clock, store::MemoryStore::Limits{.entries = config.memory_bytes / kStoreBytesPerEntry,
                                          .bytes = config.memory_bytes});
  }
  const config::Redis& redis = *config.redis;
  absl::StatusOr<tls::AeadKey> key = store::ReadKeyFile(redis.key_file);
  if (!key.ok()) return key.status();
  store::RedisOptions options;
  options.unix_socket = redis.unix_socket;
  options.host = redis.host;
  options.port = redis.port;
  options.database = redis.database;
  options.connections = 2 * static_cast<size_t>(limits.worker_threads);
  if (!redis.password_file.empty()) {
    absl::StatusOr<tls::Secret<512>> password = store::ReadPasswordFile(redis.password_file);
    if (!password.ok()) return password.status();
    options.password = *std::move(password);
  }
  return std::make_unique<store::RedisStore>(std::move(options), redis.space, *std::move(key),
                                             clock, tls::SystemRandomness());
}

// Without a Redis sessions are kept apart from handshakes, so that peers who come back for none
// take no room from those that are live.
constexpr store::MemoryStore::Limits kSessionLimits = {.entries = 100'000,
                                                       .bytes = size_t{64} << 20};

// Whether the store answers: there is no such handshake.
absl::Status CheckStore(store::Store& store) {
  const absl::Status status = store.Get({.tenant = "readyz", .handle = "readyz"}).status();
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

}  // namespace

// In the order in which one stands on another; destroyed from the bottom.
struct Service::State {
  explicit State(const config::Config& config, access::Policy policy_in, trust::PeerTrust trust_in,
                 std::unique_ptr<custody::Custody> custody_in,
                 std::unique_ptr<store::Store> store_in)
      : policy(std::move(policy_in)),
        trust(std::move(trust_in)),
        custody(std::move(custody_in)),
        store(std::move(store_in)),
        metrics(kVersion, Sources()),
        admission(AdmissionFrom(config.limits), Now,
                  [this](std::string_view reason) { metrics.Refused(reason); }),
        work(
            WorkOptions(config.limits), Now,
            [this](const access::WorkObservation& done) {
              metrics.WorkDone(access::Name(done.lane), done.waited_s, done.ran_s);
            },
            [this](std::string_view reason) { metrics.Refused(reason); }),
        blocking(BlockingOptions(), Now, nullptr,
                 [this](std::string_view reason) { metrics.Refused(reason); }),
        durable_work(DurableOptions(config.limits), Now, nullptr,
                     [this](std::string_view reason) { metrics.Refused(reason); }),
        whereabouts(*store, durable_work),
        connections(kClock,
                    {.released = static_cast<size_t>(config.limits.established_connections),
                     .kept = kMaxKeptConnections},
                    // A store in memory is no other replica's.
                    config.store.redis ? &whereabouts : nullptr),
        profiles(config, trust),
        saved(kClock, *store),
        session_store(kClock, kSessionLimits),
        sessions(kClock, config.store.redis ? *store : session_store, durable_work,
                 tls::SystemRandomness()),
        services{.clock = kClock,
                 .randomness = tls::SystemRandomness(),
                 .credentials = *custody,
                 .trust = trust,
                 .admission = admission,
                 .work = work,
                 .connections = connections,
                 .metrics = metrics,
                 .saved = saved,
                 .sessions = sessions},
        handshakes(services),
        durable(services, saved),
        drain(config.drain) {}

  observe::MetricSources Sources() {
    return {.served_not_after =
                [this] {
                  std::vector<int64_t> times;
                  for (const auto& served : custody->Served()) {
                    times.push_back(served.not_after_unix_s);
                  }
                  return times;
                },
            .ticket_keys_rotated = [this] { return sessions.ticket_keys_rotated_unix_s(); },
            .queue_length =
                [this](std::string_view lane) {
                  const bool rsa = lane == access::Name(access::Lane::kRsa);
                  return static_cast<double>(
                      work.waiting(rsa ? access::Lane::kRsa : access::Lane::kGeneral));
                }};
  }

  absl::Status StartServing(const config::Config& config);
  absl::Status StartAdmin(const config::Admin& options);

  const access::Policy policy;
  const trust::PeerTrust trust;
  const std::unique_ptr<custody::Custody> custody;
  const std::unique_ptr<store::Store> store;
  observe::Metrics metrics;
  access::Admission admission;
  access::WorkQueue work;
  access::WorkQueue blocking;
  access::WorkQueue durable_work;
  connections::Whereabouts whereabouts;
  connections::Connections connections;
  const Profiles profiles;
  handshakes::SavedHandshakes saved;
  store::MemoryStore session_store;
  sessions::Sessions sessions;
  const handshakes::Services services;
  handshakes::Handshakes handshakes;
  handshakes::DurableHandshakes durable;
  const std::chrono::seconds drain;
  std::atomic<bool> ready{false};
  std::unique_ptr<rpc::RpcServer> server;
  std::unique_ptr<handshakes::Reaper> reaper;
  std::unique_ptr<observe::AdminServer> admin;
  std::string admin_host;
};

absl::Status Service::State::StartServing(const config::Config& config) {
  // The first handshake gets tickets, where the store is there.
  sessions.Refresh();
  auto started = rpc::RpcServer::Start(
      RpcFrom(config), {.policy = policy,
                        .profiles = profiles,
                        .handshakes = handshakes,
                        .clock = kClock,
                        .connections = connections,
                        .custody = *custody,
                        .work = work,
                        .blocking = blocking,
                        .saved = saved,
                        .durable = durable,
                        .durable_work = durable_work,
                        .metrics = metrics,
                        .whereabouts = config.store.redis ? &whereabouts : nullptr});
  if (!started.ok()) return started.status();
  server = *std::move(started);
  whereabouts.SetAddress(config.advertised_address.empty() ? server->addresses().front()
                                                           : config.advertised_address);
  reaper = std::make_unique<handshakes::Reaper>(handshakes, [this] {
    server->DrainOldStreams();
    connections.EndOld();
    store->Sweep();
    session_store.Sweep();
    sessions.Tick();
  });
  if (config.admin) {
    if (absl::Status status = StartAdmin(*config.admin); !status.ok()) return status;
  }
  ready = true;
  server->SetServing(true);
  return absl::OkStatus();
}

absl::Status Service::State::StartAdmin(const config::Admin& options) {
  admin_host = options.host;
  auto started = observe::AdminServer::Start(
      {.host = options.host, .port = options.port},
      {.metrics = [this] { return metrics.Text(); },
       .live = [this] { return ready ? server->CheckLive() : absl::OkStatus(); },
       .ready =
           [this] {
             if (!ready) return absl::UnavailableError("the service is draining");
             if (absl::Status checked = CheckStore(*store); !checked.ok()) return checked;
             return custody->Check();
           }});
  if (!started.ok()) return started.status();
  admin = *std::move(started);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Service>> Service::Start(const config::Config& config) {
  absl::StatusOr<access::Policy> policy = PolicyFrom(config);
  if (!policy.ok()) return policy.status();
  absl::StatusOr<trust::PeerTrust> trust = TrustFrom(config);
  if (!trust.ok()) return trust.status();
  absl::StatusOr<std::unique_ptr<custody::Custody>> custody = custody::Custody::Open(
      {.database_path = config.custody.database_file, .kek_path = config.custody.kek_file},
      tls::SystemRandomness(), [] { return handshakes::SystemClock().UnixSeconds(); });
  if (!custody.ok()) return custody.status();
  auto store = StoreFrom(config.store, config.limits, kClock);
  if (!store.ok()) return store.status();
  auto state = std::make_unique<State>(config, *std::move(policy), *std::move(trust),
                                       *std::move(custody), *std::move(store));
  std::unique_ptr<Service> service(new Service(std::move(state)));
  if (absl::Status started = service->state_->StartServing(config); !started.ok()) return started;
  return service;
}

Service::Service(std::unique_ptr<State> state) : state_(std::move(state)) {}

Service::~Service() {
  state_->ready = false;
  state_->admin.reset();
  state_->reaper.reset();
  // What is left in the queues must not answer into a server that has gone.
  state_->durable_work.Shutdown();
  state_->blocking.Shutdown();
  state_->work.Shutdown();
  // A step that waited for its turn there is answered before the server waits for its calls.
  state_->handshakes.AbandonAll();
}

std::vector<std::string> Service::addresses() const { return state_->server->addresses(); }

std::string Service::admin_address() const {
  if (!state_->admin) return "";
  const bool is_v6 = state_->admin_host.find(':') != std::string::npos;
  return is_v6 ? absl::StrCat("[", state_->admin_host, "]:", state_->admin->port())
               : absl::StrCat(state_->admin_host, ":", state_->admin->port());
}

void Service::Drain() {
  state_->ready = false;
  state_->server->Drain(state_->drain);
}

}  // namespace handfast
