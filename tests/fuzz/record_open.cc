// Opening a record. What was sealed opens as it was; what was altered, or sealed for another place
// in the stream, does not. Records are sealed by tests/tls/record/record_maker.h, which is written
// from the RFC's text alone.
#include <algorithm>
#include <iterator>

#include "tests/fuzz/target.h"
#include "tests/tls/record/record_maker.h"
#include "tls/record/protection.h"

namespace handfast::fuzz {
namespace {

using namespace tls;  // NOLINT(google-build-using-namespace): a target speaks of nothing else

constexpr CipherSuite kSuites[] = {
    CipherSuite::kTlsAes128GcmSha256,        CipherSuite::kTlsAes256GcmSha384,
    CipherSuite::kTlsChaCha20Poly1305Sha256, CipherSuite::kEcdheEcdsaAes128GcmSha256,
    CipherSuite::kEcdheRsaAes256GcmSha384,   CipherSuite::kEcdheRsaChaCha20Poly1305Sha256,
};

bool IsTls13(CipherSuite suite) { return FindSuite(suite)->version == ProtocolVersion::kTls13; }

RecordOpener OpenerFor(CipherSuite suite, uint64_t sequence) {
  return RecordOpener(*RecordKeys::Create(test::KeysFor(suite, sequence), AeadDirection::kOpen));
}

// What RFC 8446 §5.4 and RFC 8449 §4 ask for; nullopt for a record that is to be refused.
std::optional<Bytes> ExpectedContent(bool tls13, ByteView inner, size_t max_plaintext) {
  if (inner.size() > max_plaintext + (tls13 ? 1 : 0)) return std::nullopt;
  if (!tls13) return Copy(inner);
  while (!inner.empty() && inner.back() == 0) inner = inner.first(inner.size() - 1);
  if (inner.empty() || inner.back() < 21 || inner.back() > 23) return std::nullopt;
  return Copy(inner.first(inner.size() - 1));
}

// A record of another sequence number: as good as any that a stranger made.
void CheckForged(CipherSuite suite, uint64_t sequence, uint8_t type, ByteView body) {
  if (body.size() > kMaxCiphertext) return;
  Bytes record = {IsTls13(suite) ? uint8_t{23} : type, 3, 3, static_cast<uint8_t>(body.size() >> 8),
                  static_cast<uint8_t>(body.size())};
  Append(record, body);
  RecordOpener opener = OpenerFor(suite, sequence + (Mutant("forged") ? 0 : 1));
  Require(!opener.Open(record).ok(), "forged");
}

void CheckSealed(CipherSuite suite, uint64_t sequence, uint8_t type, size_t max_plaintext,
                 uint16_t flip, ByteView inner) {
  const bool tls13 = IsTls13(suite);
  if (inner.size() > kMaxPlaintext + 1) return;
  const Bytes sealed = tls13 ? test::MakeRecord13(suite, sequence, inner)
                             : test::MakeRecord12(suite, sequence, sequence, type, inner);
  std::optional<Bytes> expected = ExpectedContent(tls13, inner, max_plaintext);
  if (Mutant("opens_as_sealed") && expected) expected->push_back(0);
  Bytes record = sealed;
  RecordOpener opener = OpenerFor(suite, sequence);
  const Result<OpenedRecord> opened = opener.Open(record, max_plaintext);
  Require(opened.ok() == expected.has_value(), "opens_as_sealed");
  if (opened.ok()) {
    Require(Equal(opened->fragment, *expected), "opens_as_sealed");
    Require(opener.keys()->sequence() == sequence + 1, "opens_as_sealed");
  }
  // One bit of the body.
  Bytes altered = sealed;
  const size_t bit = flip % ((sealed.size() - kRecordHeaderSize) * 8);
  if (!Mutant("altered"))
    altered[kRecordHeaderSize + bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  Require(!OpenerFor(suite, sequence).Open(altered, max_plaintext).ok(), "altered");
}

}  // namespace

void OnInput(ByteView input) {
  Choices choices(input);
  const CipherSuite suite = kSuites[choices.U8() % std::size(kSuites)];
  const bool forged = (choices.U8() & 1) != 0;
  const uint64_t sequence = choices.U8();
  const uint8_t type = choices.U8();
  const size_t max_plaintext = std::clamp<size_t>(choices.U16(), 64, kMaxPlaintext);
  const uint16_t flip = choices.U16();
  if (forged) return CheckForged(suite, sequence, type, choices.rest());
  CheckSealed(suite, sequence, type, max_plaintext, flip, choices.rest());
}

}  // namespace handfast::fuzz
