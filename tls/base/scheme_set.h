// A set of signature schemes, a bit each: what a peer takes, and what a chain's certificates are
// signed with. To ask whether the one covers the other costs a single comparison.
#ifndef HANDFAST_TLS_BASE_SCHEME_SET_H_
#define HANDFAST_TLS_BASE_SCHEME_SET_H_

#include <cstdint>
#include <vector>

#include "tls/base/registry.h"

namespace handfast::tls {

class SchemeSet {
 public:
  constexpr SchemeSet() = default;
  // From a peer's list. What is not known is left out: no chain is known to need it.
  static constexpr SchemeSet Of(const std::vector<SignatureScheme>& schemes) {
    SchemeSet set;
    for (const SignatureScheme scheme : schemes) set.Add(scheme);
    return set;
  }
  static constexpr SchemeSet FromBits(uint64_t bits) {
    SchemeSet set;
    set.bits_ = bits;
    return set;
  }

  constexpr void Add(SignatureScheme scheme) { bits_ |= BitOf(scheme); }
  // A signature that no scheme stands for: no peer's list covers it.
  constexpr void AddUnlisted() { bits_ |= kUnlisted; }
  // ECDSA under another curve than the scheme's of that hash. TLS 1.2 does not name the curve; in
  // TLS 1.3 it is another, unlisted scheme.
  constexpr void AddAnyCurve() { bits_ |= kAnyCurve; }

  constexpr bool Covers(SchemeSet other) const { return (other.bits_ & ~bits_) == 0; }
  constexpr uint64_t bits() const { return bits_; }
  bool operator==(const SchemeSet&) const = default;

 private:
  static constexpr uint64_t kUnlisted = uint64_t{1} << 63;
  static constexpr uint64_t kAnyCurve = uint64_t{1} << 62;

  // RFC 8446 §4.2.3 numbers what TLS 1.2 wrote as a hash (1 to 6) and an algorithm (1 to 3) and,
  // from 0x0804 on, one scheme after another.
  static constexpr uint64_t BitOf(SignatureScheme scheme) {
    const unsigned hash = static_cast<unsigned>(scheme) >> 8;
    const unsigned low = static_cast<unsigned>(scheme) & 0xff;
    if (hash >= 1 && hash <= 6 && low >= 1 && low <= 3) {
      return uint64_t{1} << ((hash - 1) * 3 + (low - 1));
    }
    constexpr unsigned kIntrinsic = 8;
    constexpr unsigned kFirst = 0x04;
    constexpr unsigned kLast = 0x0b;
    constexpr unsigned kBase = 18;  // behind the 6 hashes of 3 algorithms
    if (hash != kIntrinsic || low < kFirst || low > kLast) return 0;
    return uint64_t{1} << (kBase + low - kFirst);
  }

  uint64_t bits_ = 0;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_BASE_SCHEME_SET_H_
