#include "server/rpc/established_view.h"

#include "server/rpc/key_release.h"
#include "server/rpc/printable.h"
#include "server/rpc/resource_names.h"
#include "tls/base/reason.h"
#include "tls/base/registry.h"
#include "tls/crypto/x509.h"

namespace handfast::rpc {
namespace {

v1::ProtocolVersion VersionOf(tls::ProtocolVersion version) {
  switch (version) {
    case tls::ProtocolVersion::kTls12:
      return v1::PROTOCOL_VERSION_TLS12;
    case tls::ProtocolVersion::kTls13:
      return v1::PROTOCOL_VERSION_TLS13;
    default:
      return v1::PROTOCOL_VERSION_UNSPECIFIED;
  }
}

v1::Failure::Origin OriginOf(tls::Origin origin) {
  switch (origin) {
    case tls::Origin::kLocal:
      return v1::Failure::LOCAL;
    case tls::Origin::kPeerAlert:
      return v1::Failure::PEER_ALERT;
    case tls::Origin::kClosed:
      return v1::Failure::CLOSED;
    case tls::Origin::kDeadline:
      return v1::Failure::DEADLINE;
  }
  return v1::Failure::ORIGIN_UNSPECIFIED;
}

void ShowPeer(const std::vector<tls::Bytes>& chain, const std::string& verified_by,
              v1::Peer& into) {
  for (const tls::Bytes& certificate : chain) {
    into.add_chain(certificate.data(), certificate.size());
  }
  into.set_verified_by(verified_by);
  const tls::Result<tls::CertificateInfo> leaf = tls::ReadCertificate(chain.front());
  if (!leaf.ok()) return;  // it was verified, so it was read before
  for (const std::string& uri : leaf->uris) into.add_uris(Printable(uri));
  for (const std::string& name : leaf->dns_names) into.add_dns_names(Printable(name));
  into.set_subject(Printable(leaf->subject));
  into.set_common_name(leaf->common_name);
}

}  // namespace

void Show(const tls::Established& established, const handshakes::Handle& handle,
          const std::string& verified_by, v1::Established& into) {
  into.set_connection(ResourceName(kConnectionsCollection, handle));
  into.set_version(VersionOf(established.version));
  into.set_cipher_suite(Name(established.cipher_suite));
  into.set_cipher_suite_id(static_cast<uint32_t>(established.cipher_suite));
  // Static RSA has neither.
  if (established.group != tls::NamedGroup{}) into.set_group(Name(established.group));
  if (established.signature_scheme != tls::SignatureScheme{}) {
    into.set_signature_scheme(Name(established.signature_scheme));
  }
  into.set_alpn(established.alpn);
  into.set_server_name(established.server_name);
  if (!established.peer_chain.empty()) {
    ShowPeer(established.peer_chain, verified_by, *into.mutable_peer());
  }
  into.set_credential(established.credential);
  into.set_max_fragment(established.max_fragment);
  into.set_resumed(established.resumed);
}

void Show(const handshakes::Done& done, const handshakes::Handle& handle, v1::Established& into) {
  Show(*done.established, handle, done.verified_by, into);
  if (done.keys) Release(*done.keys, into);
  for (const tls::Explanation& explanation : done.explanations) {
    v1::Explanation& shown = *into.add_explanations();
    shown.set_what(explanation.what);
    shown.set_value(explanation.value);
    shown.set_why(explanation.why);
  }
}

void Show(const tls::HandshakeFailure& failure, const std::string& detail, v1::Failure& into) {
  const tls::ReasonInfo& reason = tls::Describe(failure.reason);
  into.set_origin(OriginOf(failure.origin));
  if (failure.alert) {
    into.set_alert(*failure.alert);
    into.set_alert_name(std::string(tls::AlertName(*failure.alert)));
  }
  into.set_reason(std::string(reason.label));
  into.set_rfc(std::string(reason.rfc));
  into.set_detail(detail);
}

}  // namespace handfast::rpc
