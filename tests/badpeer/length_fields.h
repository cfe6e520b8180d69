// Where a handshake message has its lengths, those inside its extensions and its header included.
#ifndef HANDFAST_TESTS_BADPEER_LENGTH_FIELDS_H_
#define HANDFAST_TESTS_BADPEER_LENGTH_FIELDS_H_

#include <vector>

#include "tests/tls/wire/length_probe.h"
#include "tls/base/bytes.h"
#include "tls/base/registry.h"

namespace handfast::tls::badpeer {

// The length of the body in a message's header.
inline constexpr test::LengthField kHeaderLength{1, 3};

// Offsets from the start of the message; kHeaderLength comes first. Ends the process where the
// message is of a type that it does not know, or does not parse.
std::vector<test::LengthField> LengthFieldsIn(const Bytes& message, ProtocolVersion version);

}  // namespace handfast::tls::badpeer

#endif  // HANDFAST_TESTS_BADPEER_LENGTH_FIELDS_H_
