#include "tests/constant_time/subject.h"

#include <algorithm>
#include <utility>

#include "tests/constant_time/cbc.h"
#include "tests/constant_time/finished.h"
#include "tests/constant_time/leaky.h"
#include "tests/constant_time/poison.h"
#include "tests/constant_time/premaster.h"
#include "tests/tls/connection/malformed_block.h"
#include "tls/crypto/hkdf.h"
#include "tls/engine/key_schedule.h"
#include "tls/engine/key_schedule12.h"

namespace handfast::constant_time {
namespace {

using namespace tls;  // NOLINT(google-build-using-namespace): it speaks of nothing else

using test::MalformedBlock;

using Comparison = bool (*)(ByteView, ByteView);

// Equal, and different in the first and in the last byte.
bool Compares(Comparison equal) {
  const Bytes known(32, 0x5e);
  for (const size_t wrong : {size_t{32}, size_t{0}, size_t{31}}) {
    Bytes secret = known;
    if (wrong < secret.size()) secret[wrong] ^= 1;
    Poison(secret);
    if (Public(equal(secret, known)) != (wrong == secret.size())) return false;
  }
  return true;
}

bool SecretCompare() { return Compares(ConstantTimeEqual); }
bool ControlCompare() { return Compares(LeakyEqual); }

bool ControlLookUp() {
  const Bytes secret(1, 7);
  Poison(secret);
  return Public(LeakyLookUp(secret[0])) == 1;
}

// A Finished that is right, and one that is wrong in its last byte. That the engine then goes two
// ways is the outcome, which the peer is told: outcome.supp.
bool Finishes(EngineState (*waits)(bool), Bytes message) {
  const Transition right = StepOn(waits(/*secret=*/true), message);
  message.back() ^= 1;
  const Transition wrong = StepOn(waits(/*secret=*/true), message);
  return !std::holds_alternative<Failed>(right.next) && std::holds_alternative<Failed>(wrong.next);
}

bool Finished13() { return Finishes(ServerWaits13, RightFor13()); }
bool Finished12() { return Finishes(ServerWaits12, RightFor12()); }
bool ClientFinished13() { return Finishes(ClientWaits13, RightFor13()); }
bool ResumedFinished12() { return Finishes(ServerResumes12, RightFor12()); }
bool ClientFinished12() { return Finishes(ClientWaits12, RightFor12("server finished")); }

// As the engine checks a binder: the PSK comes out of a ticket, or out of a saved state.
bool PskBinder() {
  const HashAlgorithm hash = HashAlgorithm::kSha256;
  const Digest truncated = Hash(hash, AsBytes("a ClientHello, up to its binders"));
  const HashSecret known = *HashSecret::From(Bytes(32, 0x44));
  const Digest right = Binder(hash, ToEarly(hash, known), truncated);
  const HashSecret psk = *HashSecret::From(Bytes(32, 0x44));
  Poison(psk);
  const Digest expected = Binder(hash, ToEarly(hash, psk), truncated);
  return Public(ConstantTimeEqual(right.view(), expected.view()));
}

// From the shared secret to the traffic keys.
bool KeySchedule13() {
  const HashAlgorithm hash = HashAlgorithm::kSha384;
  const Digest transcript = Hash(hash, AsBytes("up to ServerHello"));
  SharedSecret shared = *SharedSecret::From(Bytes(32, 0x45));
  Poison(shared);
  const HandshakeSecret handshake = ToHandshake(hash, std::move(shared));
  const TrafficSecrets traffic = HandshakeTraffic(hash, handshake, transcript);
  const HashSecret finished = FinishedKey(hash, traffic.client);
  return finished.size() == DigestSize(hash);
}

// Of either kind, and the key block.
bool MasterSecret12() {
  const SuiteInfo& suite = *FindSuite(CipherSuite::kEcdheRsaAes256GcmSha384);
  const HelloRandom random{};
  for (const bool extended : {false, true}) {
    SharedSecret premaster = *SharedSecret::From(Bytes(48, 0x46));
    Poison(premaster);
    const MasterSecret master =
        extended ? ExtendedMasterSecret(suite.hash, std::move(premaster),
                                        Hash(suite.hash, AsBytes("up to ClientKeyExchange")))
                 : PlainMasterSecret(suite.hash, std::move(premaster), random, random);
    if (ExpandKeys(suite, master, random, random).client.key.size() != 32) return false;
  }
  return true;
}

// ---- T2: AES-CBC. What is secret is all that is decrypted, so the padding and how long what it
// leaves is.

constexpr CbcAlgorithm kCbcAlgorithms[] = {
    {16, CbcMac::kHmacSha1}, {32, CbcMac::kHmacSha256}, {32, CbcMac::kHmacSha384}};

bool Opens(const CbcCase& of, Bytes body) {
  CbcHmac opener = CbcOpener(of, /*secret=*/true);
  return Public(OpenCbc(opener, body).ok());
}

// Good; of the right form with another MAC; with padding that is too short, or wrong.
bool CbcOpen() {
  for (const CbcAlgorithm algorithm : kCbcAlgorithms) {
    const CbcCase of{algorithm};
    if (!Opens(of, GoodCbcBody(of, Bytes(100, 0x62)))) return false;
    for (const uint8_t padding : {0, 15, 100, 255}) {
      for (const bool whole : {true, false}) {
        if (Opens(of, CbcBodyOf(of, PaddedBlocks(320, padding, whole)))) return false;
      }
    }
  }
  return true;
}

// RFC 7366: nothing is decrypted whose MAC is wrong; padding is looked at behind it.
bool CbcOpenEncryptThenMac() {
  for (const CbcAlgorithm algorithm : kCbcAlgorithms) {
    const CbcCase of{algorithm, /*encrypt_then_mac=*/true};
    Bytes body = GoodCbcBody(of, Bytes(100, 0x62));
    if (!Opens(of, body)) return false;
    body.back() ^= 1;
    if (Opens(of, body)) return false;
  }
  return true;
}

// The poison of the keys does reach what is decrypted.
bool ControlCbc() {
  const CbcCase of{kCbcAlgorithms[0]};
  Bytes body = GoodCbcBody(of, Bytes(100, 7));
  CbcHmac opener = CbcOpener(of, /*secret=*/true);
  const Result<std::span<uint8_t>> opened = OpenCbc(opener, body);
  if (!Public(opened.ok())) return false;
  return Public(LeakyLookUp(body[kCbcBlockSize])) == 1;
}

bool ControlUnpad() {
  const Bytes blocks = PaddedBlocks(320, 100, true);
  Poison(blocks);
  return !Public(LeakyUnpad(blocks));
}

// ---- T1: static RSA. What is secret is the block that was encrypted.

Bytes Recovered(const Bytes& block) {
  const Bytes encrypted = EncryptedBlock(block);
  PoisonDecrypted(true);
  const Result<RsaPremaster> premaster = RsaKey().RecoverPremaster(kClientVersion, encrypted);
  PoisonDecrypted(false);
  return premaster.ok() ? Copy(SecretAccess::Open(*premaster)) : Bytes();
}

bool RsaPremasterBlocks() {
  const Bytes good = GoodBlock(0x5c);
  const Bytes secret(good.end() - RsaPremaster::kCapacity, good.end());
  if (!Public(ConstantTimeEqual(Recovered(good), secret))) return false;
  for (const MalformedBlock& malformed : test::kMalformedBlocks) {
    Bytes block = good;
    malformed.spoil(block);
    const Bytes recovered = Recovered(block);
    if (recovered.size() != secret.size() || Public(ConstantTimeEqual(recovered, secret))) {
      return false;
    }
  }
  return true;
}

// The poison does reach what is recovered.
bool ControlPremaster() {
  const Bytes recovered = Recovered(GoodBlock(0x5c));
  return !recovered.empty() && Public(LeakyLookUp(recovered.back())) == 1;
}

}  // namespace

const std::vector<Subject>& Subjects() {
  static const std::vector<Subject> subjects = {
      {"secret_compare", SecretCompare},
      {"finished13", Finished13},
      {"finished12", Finished12},
      {"client_finished13", ClientFinished13},
      {"resumed_finished12", ResumedFinished12},
      {"client_finished12", ClientFinished12},
      {"psk_binder", PskBinder},
      {"key_schedule13", KeySchedule13},
      {"master_secret12", MasterSecret12},
      {"control_compare", ControlCompare},
      {"control_look_up", ControlLookUp},
      {"cbc_open", CbcOpen},
      {"cbc_open_etm", CbcOpenEncryptThenMac},
      {"rsa_premaster", RsaPremasterBlocks},
      {"control_cbc", ControlCbc},
      {"control_unpad", ControlUnpad},
      {"control_premaster", ControlPremaster},
  };
  return subjects;
}

}  // namespace handfast::constant_time
