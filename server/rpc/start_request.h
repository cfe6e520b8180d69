// What a caller may ask of a handshake, and the limits on it.
#ifndef HANDFAST_SERVER_RPC_START_REQUEST_H_
#define HANDFAST_SERVER_RPC_START_REQUEST_H_

#include "absl/status/statusor.h"

#include "handfast/v1/handshake.pb.h"
#include "server/handshakes/handshake.h"
#include "server/handshakes/profile_interface.h"

namespace handfast::rpc {

// As the contract says.
inline constexpr int kMaxAlpnProtocols = 16;
inline constexpr size_t kMaxAlpnProtocolBytes = 255;  // RFC 7301 §3.1
inline constexpr size_t kMaxPeerAddressBytes = 64;
// A record is 16 KiB and a handshake message 64 KiB at most; more at once is of no use.
inline constexpr size_t kMaxFromPeerBytes = size_t{64} * 1024;
// Longer than any name in a configuration.
inline constexpr size_t kMaxNameBytes = 256;

// Owner, listener and tag are left to the stream. INVALID_ARGUMENT with all the faults; NOT_FOUND
// where there is no such profile, or the credential is not of `tenant`.
absl::StatusOr<handshakes::Start> ReadStart(const v1::Start& start, const std::string& tenant,
                                            const handshakes::ProfileSource& profiles);

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_START_REQUEST_H_
