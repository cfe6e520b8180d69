// What every file here that calls libcrypto needs: ownership of its objects, and a clean error
// queue. Private to tls/crypto, and free of OpenSSL's headers.
#ifndef HANDFAST_TLS_CRYPTO_LIBCRYPTO_H_
#define HANDFAST_TLS_CRYPTO_LIBCRYPTO_H_

#include <memory>

#include "tls/base/reason.h"

namespace handfast::tls {

template <auto kFree>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};

// Owned<EVP_PKEY, EVP_PKEY_free> frees what it holds.
template <class T, auto kFree>
using Owned = std::unique_ptr<T, FreeWith<kFree>>;

// Empties the thread's error queue on the way out of a public function: what stays there would be
// taken for the failure of the next call, ours or that of whoever else uses libcrypto here.
class ClearErrorsOnReturn {
 public:
  ClearErrorsOnReturn() = default;
  ClearErrorsOnReturn(const ClearErrorsOnReturn&) = delete;
  ~ClearErrorsOnReturn();
};

// The same where looking would cost something, in what each record and each handshake calls:
// `return Refused(reason)` where libcrypto refused. It leaves nothing in the queue where it did
// not.
[[gnu::cold]] Reason Refused(Reason reason);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_LIBCRYPTO_H_
