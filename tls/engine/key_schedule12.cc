#include "tls/engine/key_schedule12.h"

#include <utility>

#include "tls/base/secret_access.h"
#include "tls/crypto/prf.h"

namespace handfast::tls {
namespace {

constexpr size_t kMasterSecretSize = 48;
// Both directions' AES-256 keys and 12-byte IVs.
constexpr size_t kMaxKeyBlock = size_t{2} * (32 + 12);

}  // namespace

MasterSecret ExtendedMasterSecret(HashAlgorithm algorithm, SharedSecret&& premaster,
                                  const Digest& session_hash) {
  const SharedSecret spent = std::move(premaster);
  MasterSecret master;
  Prf(algorithm, SecretAccess::Open(spent), "extended master secret", session_hash.view(), {},
      SecretAccess::Fill(master.secret, kMasterSecretSize));
  return master;
}

MasterSecret PlainMasterSecret(HashAlgorithm algorithm, SharedSecret&& premaster,
                               const HelloRandom& client, const HelloRandom& server) {
  const SharedSecret spent = std::move(premaster);
  MasterSecret master;
  Prf(algorithm, SecretAccess::Open(spent), "master secret", client, server,
      SecretAccess::Fill(master.secret, kMasterSecretSize));
  return master;
}

KeyBlock ExpandKeys(const SuiteInfo& suite, const MasterSecret& master, const HelloRandom& client,
                    const HelloRandom& server) {
  const size_t key_size = AeadKeySize(suite.aead);
  // RFC 5288 §3: a 4-byte salt. RFC 7905 §2: a 12-byte IV.
  const size_t iv_size = suite.aead == AeadAlgorithm::kChaCha20Poly1305 ? kAeadNonceSize : 4;
  Secret<kMaxKeyBlock> block;
  const std::span<uint8_t> out = SecretAccess::Fill(block, 2 * (key_size + iv_size));
  Prf(suite.hash, SecretAccess::Open(master.secret), "key expansion", server, client, out);
  KeyBlock keys;
  keys.client = {suite.suite, *AeadKey::From(out.first(key_size)),
                 *AeadIv::From(out.subspan(2 * key_size, iv_size)), 0};
  keys.server = {suite.suite, *AeadKey::From(out.subspan(key_size, key_size)),
                 *AeadIv::From(out.subspan(2 * key_size + iv_size, iv_size)), 0};
  return keys;
}

std::array<uint8_t, kVerifyDataSize12> FinishedVerifyData12(HashAlgorithm algorithm,
                                                            const MasterSecret& master,
                                                            std::string_view label,
                                                            const Digest& transcript_hash) {
  std::array<uint8_t, kVerifyDataSize12> verify_data;
  Prf(algorithm, SecretAccess::Open(master.secret), label, transcript_hash.view(), {}, verify_data);
  return verify_data;
}

}  // namespace handfast::tls
