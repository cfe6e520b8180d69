#include "server/rpc/start_request.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "server/access/error_details_interface.h"
#include "server/custody/names.h"
#include "server/rpc/status.h"
#include "tls/crypto/identity.h"

namespace handfast::rpc {
namespace {

void CheckAlpn(const v1::Start& start, FieldFaults& faults) {
  if (start.alpn_size() > kMaxAlpnProtocols) {
    faults.Add("start.alpn", absl::StrCat("at most ", kMaxAlpnProtocols, " protocols"));
  }
  for (int i = 0; i < start.alpn_size() && i < kMaxAlpnProtocols; ++i) {
    const size_t size = start.alpn(i).size();
    if (size == 0 || size > kMaxAlpnProtocolBytes) {
      faults.Add(absl::StrCat("start.alpn[", i, "]"), "must have 1 to 255 bytes");
    }
  }
}

void CheckRole(const v1::Start& start, FieldFaults& faults) {
  switch (start.role()) {
    case v1::ROLE_SERVER:
      if (!start.server_name().empty()) {
        faults.Add("start.server_name", "must be empty with ROLE_SERVER");
      }
      return;
    case v1::ROLE_CLIENT:
      if (!tls::IsDnsIdentity(start.server_name())) {
        faults.Add("start.server_name",
                   "must be a DNS name in lower case with ROLE_CLIENT, and no address");
      }
      if (!start.from_peer().empty()) {
        faults.Add("start.from_peer", "must be empty with ROLE_CLIENT: the server speaks second");
      }
      if (start.explain()) {
        faults.Add("start.explain", "must be unset with ROLE_CLIENT: the server chooses");
      }
      return;
    default:
      return faults.Add("start.role", "must be ROLE_SERVER or ROLE_CLIENT");
  }
}

absl::Status Check(const v1::Start& start) {
  FieldFaults faults;
  CheckRole(start, faults);
  if (start.profile().size() > kMaxNameBytes) faults.Add("start.profile", "is too long");
  if (!start.credential().empty() && !custody::ParseCredentialName(start.credential())) {
    faults.Add("start.credential", "must be tenants/{t}/credentials/{c}");
  }
  CheckAlpn(start, faults);
  if (start.key_release() != v1::KEY_RELEASE_UNSPECIFIED &&
      start.key_release() != v1::KEY_RELEASE_ON_ESTABLISHED) {
    faults.Add("start.key_release", "is unknown");
  }
  if (start.peer_address().size() > kMaxPeerAddressBytes) {
    faults.Add("start.peer_address", "must have at most 64 bytes");
  }
  if (start.from_peer().size() > kMaxFromPeerBytes) {
    faults.Add("start.from_peer", "must have at most 65536 bytes");
  }
  return faults.ToStatus();
}

}  // namespace

absl::StatusOr<handshakes::Start> ReadStart(const v1::Start& start, const std::string& tenant,
                                            const handshakes::ProfileSource& profiles) {
  if (absl::Status checked = Check(start); !checked.ok()) return checked;
  handshakes::Start read;
  read.role =
      start.role() == v1::ROLE_CLIENT ? handshakes::Role::kClient : handshakes::Role::kServer;
  read.server_name = start.server_name();
  read.profile = profiles.Find(start.profile());
  if (!read.profile) return access::NotFound("profile");
  if (!start.credential().empty()) {
    const auto name = custody::ParseCredentialName(start.credential());
    if (name->tenant != tenant) return access::NotFound("credential");
  }
  read.credential = start.credential();
  read.alpn.assign(start.alpn().begin(), start.alpn().end());
  read.release_keys = start.key_release() == v1::KEY_RELEASE_ON_ESTABLISHED;
  read.deadline = std::chrono::milliseconds(start.deadline_ms());
  read.peer_address = start.peer_address();
  read.trace = start.trace();
  read.explain = start.explain();
  return read;
}

}  // namespace handfast::rpc
