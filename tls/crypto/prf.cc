#include "tls/crypto/prf.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "tls/base/secret.h"
#include "tls/crypto/hkdf.h"

namespace handfast::tls {

void Prf(HashAlgorithm algorithm, ByteView secret, std::string_view label, ByteView seed1,
         ByteView seed2, std::span<uint8_t> out) {
  const size_t digest_size = DigestSize(algorithm);
  const Hmac keyed(algorithm, secret);
  const auto update_seed = [&](Hmac& hmac) {
    hmac.Update(AsBytes(label));
    hmac.Update(seed1);
    hmac.Update(seed2);
  };
  std::array<uint8_t, kMaxDigestSize> a;      // A(i) of RFC 5246 §5
  std::array<uint8_t, kMaxDigestSize> block;  // HMAC_hash(secret, A(i) + seed)
  Hmac first = keyed;
  update_seed(first);
  first.Finish(a.data());
  for (size_t done = 0; done < out.size();) {
    Hmac hmac = keyed;
    hmac.Update({a.data(), digest_size});
    update_seed(hmac);
    hmac.Finish(block.data());
    const size_t size = std::min(digest_size, out.size() - done);
    std::memcpy(out.data() + done, block.data(), size);
    done += size;
    if (done < out.size()) {
      Hmac next = keyed;
      next.Update({a.data(), digest_size});
      next.Finish(a.data());
    }
  }
  Wipe(a);
  Wipe(block);
}

}  // namespace handfast::tls
