// The rules on what an operator sends, checked before anything is done with it. Every refusal is
// INVALID_ARGUMENT, names the field, and repeats no value.
#ifndef HANDFAST_SERVER_CUSTODY_VALIDATION_H_
#define HANDFAST_SERVER_CUSTODY_VALIDATION_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "tls/base/bytes.h"
#include "tls/crypto/sign.h"
#include "tls/crypto/x509.h"

namespace handfast::custody {

// keys.proto: "Up to 64 bytes."
inline constexpr size_t kMaxRequestIdSize = 64;
// keys.proto: "at most 100."
inline constexpr size_t kMaxDnsNames = 100;
// keys.proto: "At most 1000; 0: 100."
inline constexpr uint32_t kMaxPageSize = 1000;
inline constexpr uint32_t kDefaultPageSize = 100;
// An RSA-4096 key is 3.2 KiB of PEM.
inline constexpr size_t kMaxPrivateKeyPemSize = size_t{16} << 10;
// Leaf, a handful of intermediates: peers refuse more (10 is libssl's reading limit).
inline constexpr size_t kMaxChainLength = 10;
inline constexpr size_t kMaxChainPemSize = size_t{128} << 10;

// A response signed with RSA-4096 and its delegate's certificate are below 4 KiB. TLS 1.3 has room
// for 64 KiB less a few bytes; each handshake would carry them.
inline constexpr size_t kMaxOcspResponseSize = size_t{16} << 10;

absl::Status CheckTenant(std::string_view tenant);
// An empty id is allowed: custody then chooses one.
absl::Status CheckNewId(std::string_view field, std::string_view id);
absl::Status CheckRequestId(std::string_view request_id);
absl::Status CheckKeyType(tls::KeyType type);
absl::Status CheckDnsNames(const std::vector<std::string>& names);

// "kitchen.example.com", "*.example.com"; lower case, at most 253 bytes.
bool IsDnsName(std::string_view name);

// A private key in PEM; private bytes are wiped on every way out.
absl::StatusOr<tls::PrivateKey> ReadPrivateKey(std::string_view pem);

struct Chain {
  std::vector<tls::Bytes> certificates;  // DER, leaf first
  tls::CertificateInfo leaf;
  // Written anew from the certificates: whatever else the text held (a private key, by mistake) is
  // not kept.
  std::string pem;
};
// INVALID_ARGUMENT too where it does not fit the key or its entries do not sign one another.
absl::StatusOr<Chain> ReadChain(std::string_view pem, tls::ByteView public_key_der);
// A chain that ReadChain has taken before: parsed, without checking it again. DATA_LOSS where it
// does not parse.
absl::StatusOr<Chain> ParseStoredChain(std::string_view pem);

// When a good response of the chain's leaf ends. Its signature is checked where the chain has the
// issuer behind the leaf. INVALID_ARGUMENT where it is another's, revoked, unknown or not present.
absl::StatusOr<int64_t> CheckOcspResponse(tls::ByteView response, const Chain& chain,
                                          int64_t now_unix_s);

// The number of items of a page, and the id after which it begins. Tokens are bound to what they
// list: `kind` is "keys" or "credentials".
absl::StatusOr<uint32_t> PageSize(uint32_t asked);
std::string PageToken(std::string_view kind, std::string_view tenant, std::string_view last_id);
absl::StatusOr<std::string> ReadPageToken(std::string_view kind, std::string_view tenant,
                                          std::string_view token);

}  // namespace handfast::custody

#endif  // HANDFAST_SERVER_CUSTODY_VALIDATION_H_
