// Records made by hand from the RFC's text, so that a test does not only ask the code about itself.
#ifndef HANDFAST_TESTS_TLS_RECORD_RECORD_MAKER_H_
#define HANDFAST_TESTS_TLS_RECORD_RECORD_MAKER_H_

#include "tls/base/bytes.h"
#include "tls/crypto/traffic_keys.h"

namespace handfast::tls::test {

// Keys that count up, of the right size for the suite; the same in every call. `encrypt_then_mac`
// is for AES-CBC suites.
TrafficKeys KeysFor(CipherSuite suite, uint64_t sequence = 0, bool encrypt_then_mac = false);

// RFC 8446 §5.2 and §5.3: `inner` is the whole TLSInnerPlaintext.
Bytes MakeRecord13(CipherSuite suite, uint64_t sequence, ByteView inner);

// RFC 5246 §6.2.3.3 with RFC 5288 §3 (`explicit_nonce` travels) or RFC 7905 §2 (it is not used).
Bytes MakeRecord12(CipherSuite suite, uint64_t sequence, uint64_t explicit_nonce, uint8_t type,
                   ByteView plaintext);

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_RECORD_RECORD_MAKER_H_
