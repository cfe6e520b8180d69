// What every file here that calls libcrypto needs: ownership of its objects, and a clean error
// queue. Private to tls/crypto, and free of OpenSSL's headers.
#ifndef HANDFAST_TLS_CRYPTO_LIBCRYPTO_H_
#define HANDFAST_TLS_CRYPTO_LIBCRYPTO_H_

#include <memory>

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

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_LIBCRYPTO_H_
