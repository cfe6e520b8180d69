#include "client/core/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include "google/rpc/error_details.pb.h"

namespace handfast::client {
namespace {

// A service that restarts is back within a second; waiting longer than that to see it costs
// connections.
constexpr int kFirstReconnectMs = 100;
constexpr int kLongestReconnectMs = 1000;
// One attempt, up to the service's first HTTP/2 frame: TCP, mutual TLS and a busy machine at the
// other end. gRPC calls it the least back-off, though a refused attempt is repeated sooner.
constexpr int kConnectTimeoutMs = 5000;
// A dead TCP path is noticed before a handshake's usual deadline.
constexpr int kKeepaliveMs = 20000;
constexpr int kKeepaliveTimeoutMs = 5000;
// Of a stream that is read all the time: large enough that window updates are rare.
constexpr int kStreamWindow = 1 << 20;
// How often the files of the client certificate are looked at, in seconds.
constexpr unsigned kCertificateRefreshSeconds = 30;

std::shared_ptr<grpc::ChannelCredentials> Credentials(const Endpoint& endpoint) {
  if (endpoint.is_unix()) return grpc::experimental::LocalCredentials(UDS);
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
          endpoint.key_file, endpoint.certificate_file, endpoint.ca_file,
          kCertificateRefreshSeconds));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  return grpc::experimental::TlsCredentials(options);
}

void AddDetail(const google::protobuf::Any& detail, RpcStatus& status) {
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad;
  if (detail.UnpackTo(&info)) {
    status.reason = info.reason();
  } else if (detail.UnpackTo(&bad)) {
    for (const auto& violation : bad.field_violations()) {
      if (!status.details.empty()) status.details += '\n';
      status.details += violation.field() + ": " + violation.description();
    }
  }
}

}  // namespace

std::shared_ptr<grpc::Channel> OpenChannel(const Endpoint& endpoint) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMs);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // The window is given below, so the transport need not ping to guess one.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kStreamWindow);
  // Messages need no trace context of gRPC's own making.
  arguments.SetInt(GRPC_ARG_ENABLE_CENSUS, 0);
  if (!endpoint.is_unix()) {
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  }
  if (!endpoint.server_name.empty()) arguments.SetSslTargetNameOverride(endpoint.server_name);
  return grpc::CreateCustomChannel(endpoint.address, Credentials(endpoint), arguments);
}

RpcStatus FromProto(const google::rpc::Status& status) {
  RpcStatus result;
  result.code = static_cast<RpcCode>(status.code());
  result.message = status.message();
  for (const auto& detail : status.details()) AddDetail(detail, result);
  return result;
}

RpcStatus FromGrpc(const grpc::Status& status) {
  google::rpc::Status proto;
  // Without details, or with ones that do not parse, code and message still stand.
  if (!proto.ParseFromString(status.error_details())) proto.Clear();
  proto.set_code(static_cast<int>(status.error_code()));
  proto.set_message(status.error_message());
  return FromProto(proto);
}

}  // namespace handfast::client
