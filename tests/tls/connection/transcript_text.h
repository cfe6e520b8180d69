// A recorded handshake as text that people read: one block an input, with the states around it,
// the question that was asked or the answer that was given, and every message by its name.
#ifndef HANDFAST_TESTS_TLS_CONNECTION_TRANSCRIPT_TEXT_H_
#define HANDFAST_TESTS_TLS_CONNECTION_TRANSCRIPT_TEXT_H_

#include <string>

#include "tests/tls/connection/scenario.h"

namespace handfast::tls::test {

// `title` stands on the first line. The recording must have been made with `trace`.
std::string ToText(const std::string& title, const Recording& recording);

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CONNECTION_TRANSCRIPT_TEXT_H_
