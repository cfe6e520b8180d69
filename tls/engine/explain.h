// Why a server's handshake came out as it did: for people, and off the path of the handshake. It
// reads what was decided and looks in the ClientHello and the profile for the reason.
#ifndef HANDFAST_TLS_ENGINE_EXPLAIN_H_
#define HANDFAST_TLS_ENGINE_EXPLAIN_H_

#include <string>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/engine/established.h"
#include "tls/engine/profile.h"

namespace handfast::tls {

struct Explanation {
  std::string what;   // "version", "cipher_suite", "group", "signature_scheme", "alpn", "session"
  std::string value;  // as it was chosen: "TLS_AES_128_GCM_SHA256"
  std::string why;    // a sentence
};

// One for each value that was chosen, in the order of the handshake. `client_hello`: the whole
// message, the last one where there were two. `alpn`: the caller's protocols. Empty where the hello
// does not parse.
std::vector<Explanation> Explain(const Profile& profile, const std::vector<std::string>& alpn,
                                 ByteView client_hello, const Established& established);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_EXPLAIN_H_
