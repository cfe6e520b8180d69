// The only way to the bytes of a Secret. Include it where bytes must enter a cryptographic
// operation, a sealed saved form, or a key release under policy; nowhere else.
#ifndef HANDFAST_TLS_BASE_SECRET_ACCESS_H_
#define HANDFAST_TLS_BASE_SECRET_ACCESS_H_

#include "tls/base/secret.h"

namespace handfast::tls {

struct SecretAccess {
  template <size_t N>
  static ByteView Open(const Secret<N>& secret) {
    return secret.Expose(typename Secret<N>::Passkey{});
  }
  template <size_t N>
  static std::span<uint8_t> Fill(Secret<N>& secret, size_t size) {
    return secret.Fill(typename Secret<N>::Passkey{}, size);
  }
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_BASE_SECRET_ACCESS_H_
