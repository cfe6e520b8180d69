#include "tls/crypto/respond.h"

#include <algorithm>
#include <utility>

#include "tls/crypto/kex_hybrid.h"
#include "tls/crypto/libcrypto.h"

namespace handfast::tls {

Result<SharedSecret> Respond(NamedGroup group, ByteView peer_share, Randomness& randomness,
                             ResponderShare& share) {
  if (const HybridGroup* hybrid = FindHybrid(group)) {
    ClearErrorsOnReturn clear;
    return RespondHybrid(*hybrid, peer_share, randomness, share);
  }
  Result<KeyPair> pair = randomness.NewKeyPair(group);
  if (!pair.ok()) return pair.reason();
  const ByteView ours = pair->public_key();
  std::copy(ours.begin(), ours.end(), share.Fill(ours.size()).begin());
  return (*std::move(pair)).Derive(peer_share);
}

}  // namespace handfast::tls
