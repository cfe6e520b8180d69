// The handshake's transcript (RFC 8446 §4.4.1, RFC 5246 §7.4.9): bytes as they travelled, hashed
// as they come. Whole bytes are kept only for a TLS 1.2 client's CertificateVerify, whose hash is
// the client's to choose.
#ifndef HANDFAST_TLS_ENGINE_TRANSCRIPT_H_
#define HANDFAST_TLS_ENGINE_TRANSCRIPT_H_

#include <optional>

#include "tls/base/bytes.h"
#include "tls/crypto/hash.h"

namespace handfast::tls {

class Transcript {
 public:
  Transcript() : Transcript(HashAlgorithm::kSha256) {}
  explicit Transcript(HashAlgorithm algorithm) : hash_(algorithm) {}
  Transcript(const RunningHash& hash, std::optional<Bytes> whole)
      : hash_(hash), whole_(std::move(whole)) {}

  void Add(ByteView message) {
    hash_.Update(message);
    if (whole_) Append(*whole_, message);
  }
  Digest Current() const { return hash_.Current(); }
  HashAlgorithm algorithm() const { return hash_.algorithm(); }

  // From the first message on, or not at all.
  void KeepWhole() { whole_.emplace(); }
  void DropWhole() { whole_.reset(); }
  const std::optional<Bytes>& whole() const { return whole_; }
  const RunningHash& hash() const { return hash_; }

  // RFC 8446 §4.4.1: after a HelloRetryRequest, ClientHello1 is replaced by a message_hash.
  static Transcript AfterRetry(HashAlgorithm algorithm, ByteView first_client_hello);

 private:
  RunningHash hash_;
  std::optional<Bytes> whole_;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_TRANSCRIPT_H_
