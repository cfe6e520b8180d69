#include "server/rpc/identity.h"

#include <mutex>
#include <utility>
#include <vector>

#include <grpc/grpc_security_constants.h>

#include "server/access/error_details_interface.h"
#include "tls/crypto/pem.h"
#include "tls/crypto/x509.h"

namespace handfast::rpc {
namespace {

// Set by our own processor alone: metadata cannot reach an AuthContext.
constexpr char kSocketPrincipal[] = "handfast_socket_principal";

constexpr std::string_view kSpiffe = "spiffe://";

absl::Status Unauthenticated(std::string_view message) {
  return access::WithReason(
      absl::UnauthenticatedError(absl::string_view(message.data(), message.size())), "NO_IDENTITY");
}

class SocketMark final : public grpc::AuthMetadataProcessor {
 public:
  explicit SocketMark(std::string principal) : principal_(std::move(principal)) {}

  bool IsBlocking() const override { return false; }

  grpc::Status Process(const InputMetadata&, grpc::AuthContext* context, OutputMetadata*,
                       OutputMetadata*) override {
    // The context belongs to the connection, this is called for each of its calls: without the
    // check it would grow for ever, and without the lock two first calls would race.
    std::lock_guard lock(mutex_);
    if (context->FindPropertyValues(kSocketPrincipal).empty()) {
      context->AddProperty(kSocketPrincipal, principal_);
    }
    return grpc::Status::OK;
  }

 private:
  const std::string principal_;
  std::mutex mutex_;
};

}  // namespace

absl::StatusOr<std::string> PrincipalOf(const grpc::AuthContext& context) {
  const std::vector<grpc::string_ref> sockets = context.FindPropertyValues(kSocketPrincipal);
  const std::vector<grpc::string_ref> certificates =
      context.FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (sockets.size() == 1 && certificates.empty()) {
    return std::string(sockets[0].data(), sockets[0].size());
  }
  if (sockets.empty() && certificates.size() == 1) {
    return PrincipalOfCertificate({certificates[0].data(), certificates[0].size()});
  }
  return Unauthenticated("the caller showed no identity");
}

absl::StatusOr<std::string> PrincipalOfCertificate(std::string_view pem) {
  const tls::Result<std::vector<tls::Bytes>> chain = tls::CertificatesFromPem(pem);
  if (!chain.ok() || chain->size() != 1) {
    return Unauthenticated("the client certificate cannot be read");
  }
  const tls::Result<tls::CertificateInfo> certificate = tls::ReadCertificate(chain->front());
  if (!certificate.ok()) return Unauthenticated("the client certificate cannot be read");
  if (certificate->uris.size() != 1) {
    return Unauthenticated("the client certificate must have exactly one URI SAN");
  }
  // Any other scheme could spell the principal of a Unix socket.
  if (!certificate->uris[0].starts_with(kSpiffe)) {
    return Unauthenticated("the client certificate's URI SAN must be a SPIFFE ID");
  }
  return certificate->uris[0];
}

std::shared_ptr<grpc::AuthMetadataProcessor> MarkAs(std::string principal) {
  return std::make_shared<SocketMark>(std::move(principal));
}

}  // namespace handfast::rpc
