// What may be wrong with the block that a client encrypts under static RSA: 00 02, padding that has
// no zero, 00, and the 48 bytes of the premaster secret, which begin with the version (RFC 8017
// §7.2.1, RFC 5246 §7.4.7.1). The classes of Bleichenbacher's oracle and of its successors (T1).
#ifndef HANDFAST_TESTS_TLS_CONNECTION_MALFORMED_BLOCK_H_
#define HANDFAST_TESTS_TLS_CONNECTION_MALFORMED_BLOCK_H_

#include <algorithm>

#include "tls/base/bytes.h"

namespace handfast::tls::test {

struct MalformedBlock {
  const char* what;
  void (*spoil)(Bytes& block);
};

// The last one is of the right form, and says another secret than the client goes on with.
inline constexpr MalformedBlock kMalformedBlocks[] = {
    {"the first byte", [](Bytes& b) { b[0] = 1; }},
    {"block type 0", [](Bytes& b) { b[1] = 0; }},
    {"block type 1", [](Bytes& b) { b[1] = 1; }},
    {"a zero at the start of padding", [](Bytes& b) { b[2] = 0; }},
    {"a zero as the eighth byte of padding", [](Bytes& b) { b[9] = 0; }},
    {"no separator", [](Bytes& b) { b[b.size() - 49] = 1; }},
    {"47 bytes",
     [](Bytes& b) {
       b[b.size() - 49] = 1;
       b[b.size() - 48] = 0;
     }},
    {"49 bytes", [](Bytes& b) { b[b.size() - 50] = 0; }},
    {"an empty secret",
     [](Bytes& b) {
       std::fill(b.begin() + 2, b.end(), 0x5c);
       b.back() = 0;
     }},
    {"another major version", [](Bytes& b) { b[b.size() - 48] = 2; }},
    {"another minor version", [](Bytes& b) { b[b.size() - 47] = 1; }},
    {"nearly nothing",
     [](Bytes& b) {
       std::fill(b.begin(), b.end(), 0);
       b.back() = 2;
     }},
    {"another secret", [](Bytes& b) { b.back() ^= 1; }},
};

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CONNECTION_MALFORMED_BLOCK_H_
