// The message in which the peer under a script proves that it has its key: CertificateVerify, or
// the ServerKeyExchange of a TLS 1.2 server.
#ifndef HANDFAST_TESTS_BADPEER_PROOF_H_
#define HANDFAST_TESTS_BADPEER_PROOF_H_

#include <vector>

#include "tests/badpeer/edit_message.h"
#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {

inline bool ProvesInKeyExchange(const Side& side) { return !side.server && !side.tls13(); }

inline Place ProofIn(const Side& side, const std::vector<Flight>& flights) {
  return Find(flights, ProvesInKeyExchange(side) ? HandshakeType::kServerKeyExchange
                                                 : HandshakeType::kCertificateVerify);
}

// The signature is left as it is.
inline Edit SetScheme(const Side& side, Place place, SignatureScheme scheme) {
  const auto set = [scheme](auto& message) { message.algorithm = scheme; };
  return ProvesInKeyExchange(side) ? EditAs<tls12::ServerKeyExchange>(place, "Scheme", set)
                                   : EditAs<CertificateVerify>(place, "Scheme", set);
}

}  // namespace handfast::tls::badpeer

#endif  // HANDFAST_TESTS_BADPEER_PROOF_H_
