// The public key and the issuer of a certificate by walking its outermost fields. libcrypto's
// parser decodes all of it, and spends 100 us on the key alone.
#include <span>

#include "tls/base/reader.h"
#include "tls/crypto/x509.h"

namespace handfast::tls {
namespace {

// Tags of X.690 that a certificate begins with.
constexpr uint8_t kInteger = 0x02;
constexpr uint8_t kBitString = 0x03;
constexpr uint8_t kSequence = 0x30;
constexpr uint8_t kVersion = 0xa0;  // [0] EXPLICIT

// One field: `contents`, and `whole` with its tag and length. DER alone: the length is definite and
// in its shortest form, so that no two readers can differ about where a field ends.
bool ReadField(Reader& in, uint8_t expected_tag, ByteView& whole, ByteView& contents) {
  const ByteView start = in.rest();
  uint8_t tag = 0;
  uint8_t first = 0;
  if (!in.U8(tag) || tag != expected_tag || !in.U8(first)) return false;
  size_t size = first;
  if (first >= 0x80) {
    const size_t octets = first & 0x7f;
    if (octets < 1 || octets > 3) return false;
    size = 0;
    for (size_t i = 0; i < octets; ++i) {
      uint8_t octet = 0;
      if (!in.U8(octet)) return false;
      size = size << 8 | octet;
    }
    const size_t least = octets == 1 ? 0x80 : size_t{1} << (8 * (octets - 1));
    if (size < least) return false;
  }
  if (!in.Fixed(contents, size)) return false;
  whole = start.first(start.size() - in.rest().size());
  return true;
}

// An algorithm and a bit string of whole octets: libcrypto would clear the bits that are declared
// unused, and see another key than these bytes.
bool IsPublicKey(ByteView contents) {
  Reader in(contents);
  ByteView whole;
  ByteView algorithm;
  ByteView bits;
  return ReadField(in, kSequence, whole, algorithm) && ReadField(in, kBitString, whole, bits) &&
         in.done() && !bits.empty() && bits.front() == 0;
}

// RFC 5280 §4.1: version, serialNumber, signature, issuer, validity, subject,
// subjectPublicKeyInfo. A certificate of version 1 leaves the first out.
constexpr uint8_t kUpToPublicKey[] = {kInteger,  kSequence, kSequence,
                                      kSequence, kSequence, kSequence};
constexpr size_t kUpToIssuer = 3;

// Walks fields with these tags behind the version; the last one is left in `whole` and `contents`.
bool Walk(ByteView certificate_der, std::span<const uint8_t> tags, ByteView& whole,
          ByteView& contents) {
  Reader in(certificate_der);
  ByteView certificate;
  ByteView to_be_signed;
  if (!ReadField(in, kSequence, whole, certificate) || !in.done()) return false;
  Reader outer(certificate);
  if (!ReadField(outer, kSequence, whole, to_be_signed)) return false;
  Reader fields(to_be_signed);
  if (!fields.done() && fields.rest().front() == kVersion &&
      !ReadField(fields, kVersion, whole, contents)) {
    return false;
  }
  for (const uint8_t tag : tags) {
    if (!ReadField(fields, tag, whole, contents)) return false;
  }
  return true;
}

}  // namespace

Result<Bytes> PublicKeyOf(ByteView certificate_der) {
  ByteView whole;
  ByteView contents;
  if (!Walk(certificate_der, kUpToPublicKey, whole, contents) || !IsPublicKey(contents)) {
    return Reason::kBadCertificate;
  }
  return Copy(whole);
}

Result<Bytes> IssuerOf(ByteView certificate_der) {
  ByteView whole;
  ByteView contents;
  if (!Walk(certificate_der, std::span(kUpToPublicKey).first(kUpToIssuer), whole, contents)) {
    return Reason::kBadCertificate;
  }
  return Copy(whole);
}

}  // namespace handfast::tls
