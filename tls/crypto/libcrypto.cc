#include "tls/crypto/libcrypto.h"

#include <openssl/err.h>

namespace handfast::tls {

// Clearing touches all 16 entries even of an empty queue; looking first is free.
ClearErrorsOnReturn::~ClearErrorsOnReturn() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

Reason Refused(Reason reason) {
  ERR_clear_error();
  return reason;
}

}  // namespace handfast::tls
