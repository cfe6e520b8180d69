// Who calls, as the transport has proved it: exactly one URI SAN of the verified client
// certificate, or the Unix socket that was used. Nothing is taken from metadata.
#ifndef HANDFAST_SERVER_RPC_IDENTITY_H_
#define HANDFAST_SERVER_RPC_IDENTITY_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/auth_metadata_processor.h>

namespace handfast::rpc {

// UNAUTHENTICATED where there is no such identity, or more than one.
absl::StatusOr<std::string> PrincipalOf(const grpc::AuthContext& context);

// The URI SAN of a PEM certificate that the transport has verified; UNAUTHENTICATED where there
// are none, or two.
absl::StatusOr<std::string> PrincipalOfCertificate(std::string_view pem);

// Marks every connection of one Unix socket with the socket's principal.
std::shared_ptr<grpc::AuthMetadataProcessor> MarkAs(std::string principal);

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_IDENTITY_H_
