// The TLS 1.2 keys (RFC 5246 §6.3 and §8.1, RFC 7627 §4).
#ifndef HANDFAST_TLS_ENGINE_KEY_SCHEDULE12_H_
#define HANDFAST_TLS_ENGINE_KEY_SCHEDULE12_H_

#include <array>
#include <string_view>

#include "tls/base/result.h"
#include "tls/base/secret.h"
#include "tls/crypto/cipher_suite.h"
#include "tls/crypto/hash.h"
#include "tls/crypto/traffic_keys.h"
#include "tls/wire/messages.h"

namespace handfast::tls {

using HelloRandom = std::array<uint8_t, kRandomSize>;

struct MasterSecret {
  HashSecret secret;  // 48 bytes
};

// RFC 5246 §8.1.2: "Leading bytes of Z that contain all zero bits are stripped before it is used as
// the pre_master_secret." That shows in time how many there are; each key is fresh, so it tells
// nothing of another handshake's (Raccoon).
SharedSecret WithoutLeadingZeros(SharedSecret&& z);

// RFC 7627 §4: bound to the handshake up to ClientKeyExchange.
MasterSecret ExtendedMasterSecret(HashAlgorithm algorithm, SharedSecret&& premaster,
                                  const Digest& session_hash);
// RFC 5246 §8.1, for a peer without the extension, where the profile allows one.
MasterSecret PlainMasterSecret(HashAlgorithm algorithm, SharedSecret&& premaster,
                               const HelloRandom& client, const HelloRandom& server);

struct KeyBlock {
  TrafficKeys12 client;
  TrafficKeys12 server;
};
// `encrypt_then_mac` (RFC 7366) only stays with the keys of an AES-CBC suite.
KeyBlock ExpandKeys(const SuiteInfo& suite, const MasterSecret& master, const HelloRandom& client,
                    const HelloRandom& server, bool encrypt_then_mac = false);

// RFC 5246 §7.4.9: 12 bytes. `label` is "client finished" or "server finished".
constexpr size_t kVerifyDataSize12 = 12;
std::array<uint8_t, kVerifyDataSize12> FinishedVerifyData12(HashAlgorithm algorithm,
                                                            const MasterSecret& master,
                                                            std::string_view label,
                                                            const Digest& transcript_hash);
// The peer's: kDecodeError for another length, kFinishedMismatch for other bytes.
Result<void> CheckFinished12(HashAlgorithm algorithm, const MasterSecret& master,
                             std::string_view label, const Digest& transcript_hash,
                             ByteView verify_data);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_KEY_SCHEDULE12_H_
