#define OPENSSL_SUPPRESS_DEPRECATED
#include "tests/bench/floor.h"

#include <array>

#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "tests/bench/require.h"

namespace handfast::bench {
namespace {

// RFC 8446 §7.1 without a PSK and §4.4.4: three extracts, of which one is a constant; "derived",
// four traffic secrets, two Finished keys, three record keys and IVs; two Finished values.
constexpr int kHmacs = 2 + 1 + 4 + 2 + 3 * 2 + 2;
// EncryptedExtensions to Finished with a chain of one, and ClientHello to the client's Finished.
constexpr size_t kEcdsaFlight = 600;
constexpr size_t kRsaFlight = 1100;
constexpr size_t kOtherMessages = 450;
constexpr size_t kClientFinished = 37;
constexpr size_t kTicket = 100;

}  // namespace

Floor::Floor(tls::ByteView key_pkcs8, bool rsa)
    : sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
      aes_(EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr)),
      aes256_(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)),
      rsa_(rsa),
      signer_(EVP_MD_CTX_new()),
      cipher_(EVP_CIPHER_CTX_new()),
      generator_(EVP_PKEY_CTX_new_from_name(nullptr, "X25519", nullptr)) {
  const uint8_t* der = key_pkcs8.data();
  key_ = d2i_AutoPrivateKey(nullptr, &der, static_cast<long>(key_pkcs8.size()));
  Require(key_ != nullptr, "a key");
  Require(EVP_PKEY_keygen_init(generator_) == 1, "a generator");
  peer_ = EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519");
  Require(peer_ != nullptr, "a peer");
}

Floor::~Floor() {
  EVP_PKEY_free(pair_);
  EVP_PKEY_CTX_free(generator_);
  EVP_CIPHER_CTX_free(cipher_);
  EVP_MD_CTX_free(signer_);
  EVP_PKEY_free(peer_);
  EVP_PKEY_free(key_);
  EVP_CIPHER_free(aes256_);
  EVP_CIPHER_free(aes_);
  EVP_MD_free(sha256_);
}

size_t Floor::FlightSize() const { return rsa_ ? kRsaFlight : kEcdsaFlight; }

void Floor::Random() {
  uint8_t bytes[40];
  RAND_bytes(bytes, sizeof(bytes));
}

void Floor::Generate() {
  EVP_PKEY_free(pair_);
  pair_ = nullptr;
  Require(EVP_PKEY_generate(generator_, &pair_) == 1, "a pair");
}

void Floor::Derive() {
  EVP_PKEY_CTX* derive = EVP_PKEY_CTX_new_from_pkey(nullptr, pair_, nullptr);
  uint8_t shared[32];
  size_t size = sizeof(shared);
  Require(EVP_PKEY_derive_init(derive) == 1 && EVP_PKEY_derive_set_peer(derive, peer_) == 1 &&
              EVP_PKEY_derive(derive, shared, &size) == 1,
          "a shared secret");
  EVP_PKEY_CTX_free(derive);
  EVP_PKEY_free(pair_);
  pair_ = nullptr;
}

void Floor::Signature() {
  std::array<uint8_t, 130> content{};
  std::array<uint8_t, 512> signature;
  size_t size = signature.size();
  EVP_PKEY_CTX* context = nullptr;
  Require(EVP_DigestSignInit_ex(signer_, &context, "SHA256", nullptr, nullptr, key_, nullptr) == 1,
          "a signer");
  if (rsa_) {
    Require(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1,
            "PSS");
  }
  Require(EVP_DigestSign(signer_, signature.data(), &size, content.data(), content.size()) == 1,
          "a signature");
}

void Floor::Hmacs(int count) {
  uint8_t key[32] = {1};
  uint8_t info[54] = {2};
  unsigned size = 0;
  HMAC_CTX* hmac = HMAC_CTX_new();
  for (int i = 0; i < count; ++i) {
    HMAC_Init_ex(hmac, key, sizeof(key), sha256_, nullptr);
    HMAC_Update(hmac, info, sizeof(info));
    HMAC_Final(hmac, key, &size);
  }
  HMAC_CTX_free(hmac);
}

void Floor::Transcript() {
  uint8_t key[32];
  unsigned size = 0;
  std::array<uint8_t, kRsaFlight + kOtherMessages> transcript{};
  EVP_MD_CTX* hash = EVP_MD_CTX_new();
  EVP_DigestInit_ex2(hash, sha256_, nullptr);
  EVP_DigestUpdate(hash, transcript.data(), FlightSize() + kOtherMessages);
  EVP_DigestFinal_ex(hash, key, &size);
  EVP_MD_CTX_free(hash);
}

void Floor::SealFlight() {
  uint8_t key[16] = {3};
  uint8_t iv[12] = {4};
  std::array<uint8_t, kRsaFlight + 16> record{};
  const int flight = static_cast<int>(FlightSize());
  int size = 0;
  EVP_EncryptInit_ex2(cipher_, aes_, key, iv, nullptr);
  EVP_EncryptUpdate(cipher_, nullptr, &size, iv, 5);
  EVP_EncryptUpdate(cipher_, record.data(), &size, record.data(), flight);
  EVP_EncryptFinal_ex(cipher_, record.data() + flight, &size);
}

void Floor::OpenFinished() {
  uint8_t key[16] = {3};
  uint8_t iv[12] = {4};
  std::array<uint8_t, kClientFinished> record{};
  int size = 0;
  EVP_DecryptInit_ex2(cipher_, aes_, key, iv, nullptr);
  EVP_DecryptUpdate(cipher_, nullptr, &size, iv, 5);
  EVP_DecryptUpdate(cipher_, record.data(), &size, record.data(), kClientFinished);
}

void Floor::Ticket(EVP_CIPHER_CTX* context) {
  uint8_t iv[12] = {6};
  std::array<uint8_t, kTicket + 16> ticket{};
  int size = 0;
  EVP_EncryptInit_ex2(context, nullptr, nullptr, iv, nullptr);
  EVP_EncryptUpdate(context, nullptr, &size, iv, sizeof(iv));
  EVP_EncryptUpdate(context, ticket.data(), &size, ticket.data(), kTicket);
  EVP_EncryptFinal_ex(context, ticket.data() + kTicket, &size);
}

void Floor::OpenTicket() {
  uint8_t key[32] = {5};
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  EVP_EncryptInit_ex2(context, aes256_, key, nullptr, nullptr);
  Ticket(context);
  EVP_CIPHER_CTX_free(context);
}

void Floor::SealTickets(int count) {
  Hmacs(count);
  uint8_t key[32] = {5};
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  EVP_EncryptInit_ex2(context, aes256_, key, nullptr, nullptr);
  EVP_EncryptInit_ex2(cipher_, aes_, key, nullptr, nullptr);
  for (int i = 0; i < count; ++i) {
    Ticket(context);
    Ticket(cipher_);  // its record
  }
  EVP_CIPHER_CTX_free(context);
}

void Floor::Hello13() {
  Random();
  Generate();
  Derive();
  Signature();
  Hmacs(kHmacs - 1);
  Transcript();
  SealFlight();
}

void Floor::Finished13() {
  OpenFinished();
  // The client's value; the resumption secret; a PSK for each ticket.
  Hmacs(1 + 1 + 2);
  SealTickets(2);
}

void Floor::ResumedHello13() {
  Random();
  OpenTicket();
  // Also the early secret, its "derived", the binder's two keys and the binder.
  Hmacs(5);
  Generate();
  Derive();
  Hmacs(kHmacs - 1);
  Transcript();
  SealFlight();
}

void Floor::ResumedFinished13() {
  OpenFinished();
  Hmacs(1 + 1 + 1);
  SealTickets(1);
}

void Floor::Hello12() {
  Random();
  Generate();
  Signature();
}

void Floor::Finished12() {
  Derive();
  Hmacs(kHmacs);
  Transcript();
  OpenFinished();
  SealTickets(1);
  SealFlight();
}

// P_SHA256 has two HMACs for each 32 bytes: two rounds of it for the key block, and one for each
// Finished.
void Floor::ResumedHello12() {
  Random();
  OpenTicket();
  Hmacs(4 + 2);
  Transcript();
  SealFlight();
}

void Floor::ResumedFinished12() {
  OpenFinished();
  Hmacs(2);
}

}  // namespace handfast::bench
