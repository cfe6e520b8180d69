// The public key of a certificate by walking its outermost fields. libcrypto's parser decodes all
// of it, and spends 100 us on the key alone.
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

}  // namespace

Result<Bytes> PublicKeyOf(ByteView certificate_der) {
  Reader in(certificate_der);
  ByteView whole;
  ByteView certificate;
  ByteView to_be_signed;
  if (!ReadField(in, kSequence, whole, certificate) || !in.done()) return Reason::kBadCertificate;
  Reader outer(certificate);
  if (!ReadField(outer, kSequence, whole, to_be_signed)) return Reason::kBadCertificate;
  // RFC 5280 §4.1: version, serialNumber, signature, issuer, validity, subject,
  // subjectPublicKeyInfo. A certificate of version 1 leaves the first out.
  Reader fields(to_be_signed);
  ByteView contents;
  if (!fields.done() && fields.rest().front() == kVersion &&
      !ReadField(fields, kVersion, whole, contents)) {
    return Reason::kBadCertificate;
  }
  for (uint8_t tag : {kInteger, kSequence, kSequence, kSequence, kSequence, kSequence}) {
    if (!ReadField(fields, tag, whole, contents)) return Reason::kBadCertificate;
  }
  if (!IsPublicKey(contents)) return Reason::kBadCertificate;
  return Copy(whole);
}

}  // namespace handfast::tls
