#include "tls/crypto/pem.h"

#include <climits>
#include <optional>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "tls/crypto/libcrypto.h"

namespace handfast::tls {
namespace {

using Input = Owned<BIO, BIO_free>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;

// One block. Private keys pass through here, so it is wiped.
struct Block {
  Block() = default;
  Block(const Block&) = delete;
  ~Block() {
    OPENSSL_free(name);
    OPENSSL_clear_free(header, header == nullptr ? 0 : std::char_traits<char>::length(header));
    OPENSSL_clear_free(data, static_cast<size_t>(size));
  }
  bool Is(std::string_view label) const { return name != nullptr && label == name; }
  // The headers of RFC 1421 mean that the contents are encrypted.
  bool encrypted() const { return header != nullptr && header[0] != '\0'; }

  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
};

enum class Next { kBlock, kEnd, kBroken };

Next ReadBlock(BIO* in, Block& block) {
  if (PEM_read_bio(in, &block.name, &block.header, &block.data, &block.size) == 1) {
    return Next::kBlock;
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return at_end ? Next::kEnd : Next::kBroken;
}

Input Open(std::string_view text) {
  if (text.size() > INT_MAX) return nullptr;
  return Input(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

template <class T, T* (*kDecode)(T**, const unsigned char**, long), void (*kFree)(T*)>
bool Parses(const unsigned char* der, long size) {
  const unsigned char* at = der;
  const Owned<T, kFree> object(kDecode(nullptr, &at, size));
  return object != nullptr && at == der + size;
}

// The blocks of this label, each of which must parse; `otherwise` where none is there.
Result<std::vector<Bytes>> BlocksOf(std::string_view pem, std::string_view label,
                                    bool (*parses)(const unsigned char*, long), Reason otherwise) {
  ClearErrorsOnReturn clear;
  const Input in = Open(pem);
  if (in == nullptr) return otherwise;
  std::vector<Bytes> blocks;
  for (;;) {
    Block block;
    const Next next = ReadBlock(in.get(), block);
    if (next == Next::kBroken) return otherwise;
    if (next == Next::kEnd) break;
    if (!block.Is(label)) continue;
    if (!parses(block.data, block.size)) return otherwise;
    blocks.emplace_back(block.data, block.data + block.size);
  }
  if (blocks.empty()) return otherwise;
  return blocks;
}

// Null for a block that is no private key, and for one that does not parse.
Key ReadKey(const Block& block) {
  const int type = block.Is("PRIVATE KEY")       ? EVP_PKEY_NONE
                   : block.Is("EC PRIVATE KEY")  ? EVP_PKEY_EC
                   : block.Is("RSA PRIVATE KEY") ? EVP_PKEY_RSA
                                                 : -1;
  if (type < 0 || block.encrypted()) return nullptr;
  const unsigned char* at = block.data;
  return Key(type == EVP_PKEY_NONE ? d2i_AutoPrivateKey(nullptr, &at, block.size)
                                   : d2i_PrivateKey(type, nullptr, &at, block.size));
}

}  // namespace

Result<std::vector<Bytes>> CertificatesFromPem(std::string_view pem) {
  return BlocksOf(pem, "CERTIFICATE", Parses<X509, d2i_X509, X509_free>, Reason::kBadCertificate);
}

Result<std::vector<Bytes>> CrlsFromPem(std::string_view pem) {
  return BlocksOf(pem, "X509 CRL", Parses<X509_CRL, d2i_X509_CRL, X509_CRL_free>,
                  Reason::kCrlUnusable);
}

Result<Bytes> PrivateKeyFromPem(std::string_view pem) {
  ClearErrorsOnReturn clear;
  const Input in = Open(pem);
  if (in == nullptr) return Reason::kPrivateKeyFailed;
  for (;;) {
    Block block;
    if (ReadBlock(in.get(), block) != Next::kBlock) return Reason::kPrivateKeyFailed;
    const Key key = ReadKey(block);
    if (key == nullptr) continue;
    const Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info(EVP_PKEY2PKCS8(key.get()));
    const int size = info == nullptr ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr);
    if (size <= 0) return Reason::kPrivateKeyFailed;
    Bytes der(static_cast<size_t>(size));
    uint8_t* at = der.data();
    i2d_PKCS8_PRIV_KEY_INFO(info.get(), &at);
    return der;
  }
}

std::string ToPem(std::string_view label, ByteView der) {
  ClearErrorsOnReturn clear;
  const Input out(BIO_new(BIO_s_mem()));
  if (out == nullptr || PEM_write_bio(out.get(), std::string(label).c_str(), "", der.data(),
                                      static_cast<long>(der.size())) <= 0) {
    return {};
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

}  // namespace handfast::tls
