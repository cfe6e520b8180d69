// The crypto floor: what the cryptography of a handshake costs in libcrypto when nothing else is
// done, every algorithm fetched and every context that can be kept made beforehand. A server works
// twice, on the client's hello and on its last flight, and finds the caches full of other work both
// times; so a handshake has two halves here.
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

  // One TLS 1.3 server: a random, an X25519 pair, the shared secret, a signature over 130 bytes,
  // the key schedule as HMACs, the transcript's hash, its flight sealed; then the client's
  // Finished, and two tickets.
  void Hello13();
  void Finished13();
  // The same where a session is resumed: its ticket is opened and its binder checked, nothing is
  // signed, and one ticket is sealed.
  void ResumedHello13();
  void ResumedFinished13();
  // One TLS 1.2 server: the pair and the signature; then all else, and one ticket.
  void Hello12();
  void Finished12();
  // The abbreviated handshake of TLS 1.2: one ticket is opened; a random, the key block and the
  // server's Finished from the master secret, the transcript's hash; then the client's Finished.
  void ResumedHello12();
  void ResumedFinished12();

 private:
  size_t FlightSize() const;
  void Random();
  void Generate();
  void Derive();
  void Signature();
  void Hmacs(int count);
  void Transcript();
  void SealFlight();
  void OpenFinished();
  void OpenTicket();
  // With an HMAC for the nonce of each, and their records.
  void SealTickets(int count);
  void Ticket(EVP_CIPHER_CTX* context);

  EVP_MD* sha256_;
  EVP_CIPHER* aes_;
  EVP_CIPHER* aes256_;
  EVP_PKEY* key_;
  EVP_PKEY* peer_;
  EVP_PKEY* pair_ = nullptr;  // from Generate to Derive
  bool rsa_;
  EVP_MD_CTX* signer_;
  EVP_CIPHER_CTX* cipher_;
  EVP_PKEY_CTX* generator_;
};

}  // namespace handfast::bench

#endif  // HANDFAST_TESTS_BENCH_FLOOR_H_
