#include "tls/crypto/libcrypto.h"

#include <openssl/err.h>

namespace handfast::tls {

ClearErrorsOnReturn::~ClearErrorsOnReturn() { ERR_clear_error(); }

}  // namespace handfast::tls
