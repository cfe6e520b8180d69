// A request's identity: gRPC may send it twice, and the service then acts once.
#ifndef HANDFAST_CLIENT_CLI_REQUEST_ID_H_
#define HANDFAST_CLIENT_CLI_REQUEST_ID_H_

#include <sys/random.h>

#include <string>

#include "tls/base/bytes.h"

namespace handfast::cli {

inline std::string MakeRequestId() {
  uint8_t bytes[16] = {};
  // 16 bytes are never cut short.
  (void)!getrandom(bytes, sizeof bytes, 0);
  return tls::ToHex(bytes);
}

}  // namespace handfast::cli

#endif  // HANDFAST_CLIENT_CLI_REQUEST_ID_H_
