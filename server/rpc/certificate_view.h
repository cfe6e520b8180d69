// A certificate as messages are shown.
#ifndef HANDFAST_SERVER_RPC_CERTIFICATE_VIEW_H_
#define HANDFAST_SERVER_RPC_CERTIFICATE_VIEW_H_

#include "handfast/v1/messages.pb.h"
#include "tls/base/bytes.h"

namespace handfast::rpc {

// One that does not parse keeps its length alone. `from_peer`: who sent it.
void ShowCertificate(tls::ByteView der, bool from_peer, v1::CertificateEntry& into);

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_CERTIFICATE_VIEW_H_
