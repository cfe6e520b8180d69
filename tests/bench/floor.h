// The crypto floor: what the cryptography of a handshake costs in libcrypto when nothing else is
// done, every algorithm fetched and every context that can be kept made beforehand.
#ifndef HANDFAST_TESTS_BENCH_FLOOR_H_
#define HANDFAST_TESTS_BENCH_FLOOR_H_

#include <memory>

#include <openssl/evp.h>

#include "tls/base/bytes.h"
#include "tls/crypto/sign.h"

namespace handfast::bench {

class Floor {
 public:
  // `key_pkcs8` is the server's key; `rsa` says which scheme: PSS or ECDSA, both with SHA-256.
  Floor(tls::ByteView key_pkcs8, bool rsa);
  ~Floor();

  // One TLS 1.3 server: randomness, an X25519 pair, the shared secret, a signature over 130 bytes,
  // the key schedule as HMACs, the transcript's hash, the records that are sealed and opened, and
  // two tickets.
  void Handshake13();
  // The same where a session is resumed: one ticket is opened, its binder checked, nothing signed,
  // and one ticket sealed.
  void Resumed13();
  // One TLS 1.2 server, whose parts cost the same, and one ticket.
  void Handshake12();
  // The abbreviated handshake of TLS 1.2: one ticket is opened; randomness, the key block and both
  // Finished from the master secret, the transcript's hash, and the two records.
  void Resumed12();

 private:
  void KeyExchange();
  void Signature();
  void Schedule();
  void Transcript();
  void Records();
  void Random(int draws);
  // `hmacs` of the key schedule besides, and `tickets` passes over one under AES-256-GCM.
  void Tickets(int hmacs, int tickets);
  void Hmacs(int count);

  EVP_MD* sha256_;
  EVP_CIPHER* aes_;
  EVP_CIPHER* aes256_;
  EVP_PKEY* key_;
  EVP_PKEY* peer_;
  bool rsa_;
  EVP_MD_CTX* signer_;
  EVP_CIPHER_CTX* cipher_;
  EVP_PKEY_CTX* generator_;
};

}  // namespace handfast::bench

#endif  // HANDFAST_TESTS_BENCH_FLOOR_H_
