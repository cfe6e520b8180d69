#include "tls/engine/key_schedule12.h"

#include <utility>

#include "tls/base/secret_access.h"
#include "tls/crypto/hkdf.h"
#include "tls/crypto/prf.h"

namespace handfast::tls {
namespace {

constexpr size_t kMasterSecretSize = 48;
// Both directions' HMAC-SHA384 and AES-256 keys.
constexpr size_t kMaxKeyBlock = size_t{2} * (48 + 32);

// RFC 5246 §6.3: what each direction takes from the key block.
struct KeySizes {
  size_t mac = 0;
  size_t key = 0;
  size_t iv = 0;
};

KeySizes SizesOf(const SuiteInfo& suite) {
  // RFC 5246 §6.3: IVs are "only generated for implicit nonce techniques".
  if (suite.cbc) return {CbcMacSize(suite.cbc->mac), suite.cbc->key_size, 0};
  // RFC 5288 §3: a 4-byte salt. RFC 7905 §2: a 12-byte IV.
  const bool chacha = suite.aead == AeadAlgorithm::kChaCha20Poly1305;
  return {0, AeadKeySize(suite.aead), chacha ? kAeadNonceSize : 4};
}

}  // namespace

SharedSecret WithoutLeadingZeros(SharedSecret&& z) {
  const SharedSecret spent = std::move(z);
  ByteView bytes = SecretAccess::Open(spent);
  while (!bytes.empty() && bytes.front() == 0) bytes = bytes.subspan(1);
  return *SharedSecret::From(bytes);
}

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
                    const HelloRandom& server, bool encrypt_then_mac) {
  const KeySizes sizes = SizesOf(suite);
  Secret<kMaxKeyBlock> block;
  const std::span<uint8_t> out = SecretAccess::Fill(block, 2 * (sizes.mac + sizes.key + sizes.iv));
  Prf(suite.hash, SecretAccess::Open(master.secret), "key expansion", server, client, out);
  // client_write_MAC_key, server_write_MAC_key, the keys, the IVs.
  const std::span<uint8_t> macs = out.first(2 * sizes.mac);
  const std::span<uint8_t> keys = out.subspan(2 * sizes.mac, 2 * sizes.key);
  const std::span<uint8_t> ivs = out.last(2 * sizes.iv);
  const auto of = [&](size_t side) {
    // RFC 5246 §6.1: "The sequence number MUST be set to zero whenever a connection state is made
    // the active state." And: "A sequence number is incremented after each record: specifically,
    // the first record transmitted under a particular connection state MUST use sequence number 0."
    return TrafficKeys12{suite.suite,
                         *AeadKey::From(keys.subspan(side * sizes.key, sizes.key)),
                         *AeadIv::From(ivs.subspan(side * sizes.iv, sizes.iv)),
                         0,
                         *HashSecret::From(macs.subspan(side * sizes.mac, sizes.mac)),
                         suite.cbc && encrypt_then_mac};
  };
  return {of(0), of(1)};
}

std::array<uint8_t, kVerifyDataSize12> FinishedVerifyData12(HashAlgorithm algorithm,
                                                            const MasterSecret& master,
                                                            std::string_view label,
                                                            const Digest& transcript_hash) {
  std::array<uint8_t, kVerifyDataSize12> verify_data;
  // RFC 5246 §7.4.9: "For the PRF defined in Section 5, the Hash MUST be the Hash used as the basis
  // for the PRF." `algorithm` is the suite's for both.
  Prf(algorithm, SecretAccess::Open(master.secret), label, transcript_hash.view(), {}, verify_data);
  return verify_data;
}

Result<void> CheckFinished12(HashAlgorithm algorithm, const MasterSecret& master,
                             std::string_view label, const Digest& transcript_hash,
                             ByteView verify_data) {
  const auto expected = FinishedVerifyData12(algorithm, master, label, transcript_hash);
  if (verify_data.size() != expected.size()) return Reason::kDecodeError;
  // RFC 5246 §7.4.9: "Recipients of Finished messages MUST verify that the contents are correct."
  if (!ConstantTimeEqual(verify_data, expected)) return Reason::kFinishedMismatch;
  return {};
}

}  // namespace handfast::tls
