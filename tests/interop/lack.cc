// What is lacking, and where: in the foreign stacks, in their programs, and in ours.
#include <algorithm>
#include <iterator>
#include <optional>

#include "tests/interop/cell.h"

namespace handfast::tls::test {
namespace {

// Covers all of whatever it does not name. The first that covers a cell gives its reason.
struct Gap {
  std::optional<Role> role = {};
  std::optional<Stack> stack = {};
  std::optional<ProtocolVersion> version = {};
  std::optional<KeyType> key = {};
  std::optional<Way> way = {};
  Lack lack;
};

constexpr auto kTls12 = ProtocolVersion::kTls12;
constexpr auto kTls13 = ProtocolVersion::kTls13;

constexpr Gap kGaps[] = {
    // What TLS has not.
    {.version = kTls12, .way = Way::kRetry, .lack = {"HelloRetryRequest is TLS 1.3's"}},
    {.role = Role::kClient,
     .stack = Stack::kMbedtls,
     .version = kTls12,
     .way = Way::kResumed,
     .lack = {"mbedtls_server keeps no sessions"}},
    {.role = Role::kClient,
     .stack = Stack::kMbedtls,
     .version = kTls12,
     .key = KeyType::kEcdsaP521,
     .lack = {"mbedTLS 2.28 asks for no signature that a P-521 key can make"}},
    // What the others have not.
    {.stack = Stack::kMbedtls,
     .version = kTls13,
     .lack = {"mbedTLS 2.28 has no TLS 1.3", true, Reason::kUnsupportedVersion}},
    {.role = Role::kServer,
     .stack = Stack::kMbedtls,
     .key = KeyType::kEd25519,
     .lack = {"mbedTLS 2.28 has no Ed25519", true, Reason::kNoCredential}},
    {.stack = Stack::kMbedtls, .key = KeyType::kEd25519, .lack = {"mbedTLS 2.28 has no Ed25519"}},
    {.role = Role::kServer,
     .stack = Stack::kNss,
     .key = KeyType::kEd25519,
     .lack = {"NSS 3.87 has no Ed25519 certificates in TLS", true, Reason::kNoCredential}},
    {.stack = Stack::kNss,
     .key = KeyType::kEd25519,
     .lack = {"NSS 3.87 has no Ed25519 certificates in TLS"}},
    {.role = Role::kServer,
     .stack = Stack::kNss,
     .way = Way::kAlpn,
     .lack = {"tstclnt has no option for ALPN"}},
};

bool Covers(const Gap& gap, const Cell& cell) {
  return gap.role.value_or(cell.role) == cell.role &&
         gap.stack.value_or(cell.stack) == cell.stack &&
         gap.version.value_or(cell.version) == cell.version &&
         gap.key.value_or(cell.key) == cell.key && gap.way.value_or(cell.way) == cell.way;
}

// Each handshake of Java's starts a machine, which takes a second: all columns with one key type,
// and with the others the one in which both sides show such a key.
constexpr Lack kLeftOut = {"not run, for it starts a Java machine: see the same with ECDSA_P256"};

bool IsLeftOut(const Cell& cell) {
  if (cell.stack != Stack::kJsse || cell.key == KeyType::kEcdsaP256) return false;
  return cell.way != Way::kFull || cell.auth != Auth::kRequiredWith;
}

}  // namespace

const Lack* Lacking(const Cell& cell) {
  const auto covers = [&cell](const Gap& gap) { return Covers(gap, cell); };
  const Gap* gap = std::find_if(std::begin(kGaps), std::end(kGaps), covers);
  if (gap != std::end(kGaps)) return &gap->lack;
  return IsLeftOut(cell) ? &kLeftOut : nullptr;
}

}  // namespace handfast::tls::test
