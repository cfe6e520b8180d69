#include "tls/engine/key_schedule.h"

#include <array>
#include <utility>

#include "tls/base/registry.h"
#include "tls/base/secret_access.h"
#include "tls/crypto/hkdf.h"
#include "tls/engine/transcript.h"

namespace handfast::tls {
namespace {

constexpr std::array<uint8_t, kMaxDigestSize> kZeros{};

HashSecret DeriveSecret(HashAlgorithm algorithm, const HashSecret& secret, std::string_view label,
                        const Digest& transcript_hash) {
  HashSecret derived;
  HkdfExpandLabel(algorithm, secret, label, transcript_hash.view(),
                  SecretAccess::Fill(derived, DigestSize(algorithm)));
  return derived;
}

HashSecret DeriveSecret(HashAlgorithm algorithm, const HkdfKey& secret, std::string_view label,
                        const Digest& transcript_hash) {
  HashSecret derived;
  secret.ExpandLabel(label, transcript_hash.view(),
                     SecretAccess::Fill(derived, DigestSize(algorithm)));
  return derived;
}

// The salt of the next stage.
HashSecret Derived(HashAlgorithm algorithm, const HashSecret& secret) {
  return DeriveSecret(algorithm, secret, "derived", Hash(algorithm, {}));
}

// No secret: a function of zeros.
const HashSecret& DerivedFromNoPsk(HashAlgorithm algorithm) {
  static const auto make = [](HashAlgorithm a) {
    return Derived(a, HkdfExtract(a, {}, ByteView(kZeros).first(DigestSize(a))));
  };
  static const HashSecret kSha256 = make(HashAlgorithm::kSha256);
  static const HashSecret kSha384 = make(HashAlgorithm::kSha384);
  return algorithm == HashAlgorithm::kSha256 ? kSha256 : kSha384;
}

}  // namespace

Transcript Transcript::AfterRetry(HashAlgorithm algorithm, ByteView first_client_hello) {
  const Digest digest = Hash(algorithm, first_client_hello);
  const uint8_t header[] = {static_cast<uint8_t>(HandshakeType::kMessageHash), 0, 0,
                            static_cast<uint8_t>(digest.size)};
  Transcript transcript(algorithm);
  transcript.Add(header);
  transcript.Add(digest.view());
  return transcript;
}

EarlySecret ToEarly(HashAlgorithm algorithm, const HashSecret& psk) {
  return {HkdfExtract(algorithm, {}, SecretAccess::Open(psk))};
}

HandshakeSecret ToHandshake(HashAlgorithm algorithm, EarlySecret&& spent, SharedSecret&& shared) {
  const EarlySecret early = std::move(spent);
  const SharedSecret input = std::move(shared);
  const HashSecret salt = Derived(algorithm, early.secret);
  return {HkdfExtract(algorithm, SecretAccess::Open(salt), SecretAccess::Open(input))};
}

HandshakeSecret ToHandshake(HashAlgorithm algorithm, SharedSecret&& spent) {
  const SharedSecret shared = std::move(spent);
  return {HkdfExtract(algorithm, SecretAccess::Open(DerivedFromNoPsk(algorithm)),
                      SecretAccess::Open(shared))};
}

MainSecret ToMain(HashAlgorithm algorithm, HandshakeSecret&& spent) {
  const HandshakeSecret handshake = std::move(spent);
  const HashSecret salt = Derived(algorithm, handshake.secret);
  return {HkdfExtract(algorithm, SecretAccess::Open(salt),
                      ByteView(kZeros).first(DigestSize(algorithm)))};
}

TrafficSecrets HandshakeTraffic(HashAlgorithm algorithm, const HandshakeSecret& secret,
                                const Digest& transcript_hash) {
  const HkdfKey key(algorithm, secret.secret);
  return {DeriveSecret(algorithm, key, "c hs traffic", transcript_hash),
          DeriveSecret(algorithm, key, "s hs traffic", transcript_hash)};
}

TrafficSecrets ApplicationTraffic(HashAlgorithm algorithm, const MainSecret& secret,
                                  const Digest& transcript_hash) {
  const HkdfKey key(algorithm, secret.secret);
  return {DeriveSecret(algorithm, key, "c ap traffic", transcript_hash),
          DeriveSecret(algorithm, key, "s ap traffic", transcript_hash)};
}

Digest Binder(HashAlgorithm algorithm, const EarlySecret& secret, const Digest& transcript_hash) {
  const HashSecret key = DeriveSecret(algorithm, secret.secret, "res binder", Hash(algorithm, {}));
  return FinishedVerifyData(algorithm, FinishedKey(algorithm, key), transcript_hash);
}

HashSecret ExporterSecret(HashAlgorithm algorithm, const MainSecret& secret,
                          const Digest& transcript_hash) {
  return DeriveSecret(algorithm, secret.secret, "exp master", transcript_hash);
}

void ExportKeyingMaterial(HashAlgorithm algorithm, const HashSecret& exporter,
                          std::string_view label, ByteView context, std::span<uint8_t> out) {
  const HashSecret derived = DeriveSecret(algorithm, exporter, label, Hash(algorithm, {}));
  HkdfExpandLabel(algorithm, derived, "exporter", Hash(algorithm, context).view(), out);
}

HashSecret ResumptionSecret(HashAlgorithm algorithm, const MainSecret& secret,
                            const Digest& transcript_hash) {
  return DeriveSecret(algorithm, secret.secret, "res master", transcript_hash);
}

HashSecret TicketPsk(HashAlgorithm algorithm, const HashSecret& resumption_secret,
                     ByteView ticket_nonce) {
  HashSecret psk;
  HkdfExpandLabel(algorithm, resumption_secret, "resumption", ticket_nonce,
                  SecretAccess::Fill(psk, DigestSize(algorithm)));
  return psk;
}

HashSecret FinishedKey(HashAlgorithm algorithm, const HashSecret& traffic_secret) {
  HashSecret key;
  HkdfExpandLabel(algorithm, traffic_secret, "finished", {},
                  SecretAccess::Fill(key, DigestSize(algorithm)));
  return key;
}

Digest FinishedVerifyData(HashAlgorithm algorithm, const HashSecret& finished_key,
                          const Digest& transcript_hash) {
  Digest verify_data;
  verify_data.size = DigestSize(algorithm);
  Hmac hmac(algorithm, SecretAccess::Open(finished_key));
  hmac.Update(transcript_hash.view());
  hmac.Finish(verify_data.bytes.data());
  return verify_data;
}

}  // namespace handfast::tls
