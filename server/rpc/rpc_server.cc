#include "server/rpc/rpc_server.h"

#include <utility>

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include "server/rpc/connection_service.h"
#include "server/rpc/handshake_service.h"
#include "server/rpc/identity.h"
#include "server/rpc/key_service.h"
#include "server/rpc/record_service.h"
#include "server/rpc/reflection_service.h"

namespace handfast::rpc {
namespace {

// Finds callers that vanished without a word.
constexpr int kKeepaliveTimeMs = 60'000;
constexpr int kKeepaliveTimeoutMs = 20'000;
constexpr int kMaxPingStrikes = 2;
// Before its connection is sent away, which gRPC does up to a tenth of the age early.
constexpr std::chrono::minutes kMaxStreamAge{26};
constexpr std::chrono::seconds kAgeCheckInterval{1};
constexpr int kMaxConnectionAgeGraceMs = 60 * 1000;
// Shorter than the second that a prober commonly waits.
constexpr std::chrono::milliseconds kProbeTimeout{500};
// A renewed certificate is served within this time.
constexpr unsigned kCertificateWatchSeconds = 10;

using ExternalType = grpc::ServerBuilder::experimental_type::ExternalConnectionType;

int Ms(std::chrono::milliseconds duration) { return static_cast<int>(duration.count()); }

void SetLimits(const CallLimits& limits, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(limits.receive_bytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, limits.metadata_bytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits.streams);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, Ms(limits.handshake));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             Ms(limits.least_ping_interval));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kMaxPingStrikes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, Ms(limits.connection_age));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kMaxConnectionAgeGraceMs);
  // It would show who is connected; nobody may call it, so it need not be kept either.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
  // Messages here are random bytes; a compressed one can only be a bomb.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
}

std::shared_ptr<grpc::ServerCredentials> TlsCredentials(const TcpEndpoint& endpoint) {
  namespace ex = grpc::experimental;
  ex::TlsServerCredentialsOptions options(std::make_shared<ex::FileWatcherCertificateProvider>(
      endpoint.key_file, endpoint.certificate_file, endpoint.client_ca_file,
      kCertificateWatchSeconds));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return ex::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ServerCredentials> UnixCredentials(const UnixEndpoint& endpoint) {
  auto credentials = grpc::experimental::LocalServerCredentials(UDS);
  credentials->SetAuthMetadataProcessor(MarkAs(endpoint.principal));
  return credentials;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RpcServer>> RpcServer::Start(const RpcOptions& options,
                                                            const Backends& backends) {
  std::unique_ptr<RpcServer> server(new RpcServer(backends));
  server->cap_ = std::make_unique<ConnectionCap>(options.max_connections);
  if (absl::Status bound = server->Bind(options); !bound.ok()) return bound;
  if (absl::Status built = server->Build(options); !built.ok()) return built;
  return server;
}

RpcServer::RpcServer(const Backends& backends) : backends_(backends) {}

RpcServer::~RpcServer() {
  Drain(std::chrono::milliseconds(0));
  calls_.WaitForNone();
  loop_.reset();
}

absl::Status RpcServer::Bind(const RpcOptions& options) {
  for (const TcpEndpoint& endpoint : options.tcp) {
    absl::StatusOr<BoundSocket> bound = ListenTcp(endpoint.host, endpoint.port);
    if (!bound.ok()) return bound.status();
    bound_.push_back(*std::move(bound));
  }
  for (const UnixEndpoint& endpoint : options.unix_sockets) {
    absl::StatusOr<BoundSocket> bound =
        ListenUnix(endpoint.path, endpoint.mode, endpoint.allowed_uids);
    if (!bound.ok()) return bound.status();
    bound_.push_back(*std::move(bound));
  }
  return absl::OkStatus();
}

void RpcServer::AddServices(grpc::ServerBuilder& builder) {
  const UnaryServices unary{.policy = backends_.policy,
                            .blocking = backends_.blocking,
                            .clock = backends_.clock,
                            .metrics = backends_.metrics,
                            .calls = calls_};
  const RelayBackends relay{.loop = *loop_,
                            .policy = backends_.policy,
                            .profiles = backends_.profiles,
                            .handshakes = backends_.handshakes,
                            .clock = backends_.clock,
                            .metrics = backends_.metrics,
                            .streams = streams_,
                            .calls = calls_,
                            .saved = backends_.saved,
                            .durable = durable_};
  services_.push_back(std::make_unique<HandshakeService>(relay, unary, durable_));
  services_.push_back(std::make_unique<ConnectionService>(backends_.connections, unary));
  const RecordBackends records{.loop = *loop_,
                               .work = backends_.work,
                               .policy = backends_.policy,
                               .connections = backends_.connections,
                               .whereabouts = backends_.whereabouts,
                               .durable_work = backends_.durable_work,
                               .clock = backends_.clock,
                               .metrics = backends_.metrics,
                               .calls = calls_};
  services_.push_back(std::make_unique<RecordService>(records, unary));
  services_.push_back(std::make_unique<KeyService>(backends_.custody, unary));
  std::vector<std::string> names;
  for (const auto& service : services_) names.push_back(service->name());
  auto health = std::make_unique<HealthService>(unary, names);
  health_ = health.get();
  services_.push_back(std::move(health));
  names.push_back(health_->name());
  services_.push_back(std::make_unique<ReflectionService>(unary, names));
  for (const auto& service : services_) builder.RegisterService(&service->grpc_service());
}

absl::Status RpcServer::Build(const RpcOptions& options) {
  grpc::ServerBuilder builder;
  SetLimits(options.limits, builder);
  loop_ = std::make_unique<CompletionLoop>(builder, options.pollers, backends_.work);
  AddServices(builder);
  std::vector<std::unique_ptr<Listener::Acceptor>> acceptors;
  for (const TcpEndpoint& endpoint : options.tcp) {
    acceptors.push_back(builder.experimental().AddExternalConnectionAcceptor(
        ExternalType::FROM_FD, TlsCredentials(endpoint)));
  }
  for (const UnixEndpoint& endpoint : options.unix_sockets) {
    acceptors.push_back(builder.experimental().AddExternalConnectionAcceptor(
        ExternalType::FROM_FD, UnixCredentials(endpoint)));
  }
  server_ = builder.BuildAndStart();
  if (!server_) return absl::InternalError("gRPC could not start its server");
  loop_->Start([this](grpc::ServerCompletionQueue& queue) {
    for (const auto& service : services_) service->Await(queue);
  });
  for (size_t i = 0; i < acceptors.size(); ++i) {
    listeners_.push_back(
        std::make_unique<Listener>(std::move(bound_[i]), std::move(acceptors[i]), *cap_));
  }
  return absl::OkStatus();
}

std::vector<std::string> RpcServer::addresses() const {
  std::vector<std::string> addresses;
  for (const auto& listener : listeners_) addresses.push_back(listener->address());
  return addresses;
}

absl::Status RpcServer::CheckLive() {
  for (auto& listener : listeners_) {
    if (absl::Status live = listener->Probe(kProbeTimeout); !live.ok()) return live;
  }
  return absl::OkStatus();
}

void RpcServer::DrainOldStreams() {
  const handshakes::MonotonicTime now = backends_.clock.Now();
  if (now < next_age_check_) return;
  next_age_check_ = now + kAgeCheckInterval;
  streams_.DrainOlderThan(now - kMaxStreamAge);
}

void RpcServer::Drain(std::chrono::milliseconds within) {
  for (auto& listener : listeners_) listener->Stop();
  if (!server_ || std::exchange(drained_, true)) return;
  health_->SetServing(false);
  health_->EndWatches();
  streams_.DrainAll();
  const auto until = std::chrono::system_clock::now() + within;
  // Their next steps are calls of their own, which a GOAWAY would refuse.
  backends_.handshakes.DrainSteps(within);
  // GOAWAY at once; returns when all calls have ended, or at the deadline cancels them.
  server_->Shutdown(until);
}

}  // namespace handfast::rpc
