// The peers' programs: where they are, and what is missing.
#ifndef HANDFAST_TESTS_INTEROP_PROGRAMS_H_
#define HANDFAST_TESTS_INTEROP_PROGRAMS_H_

#include <array>
#include <string>
#include <vector>

#include "tests/interop/cell.h"
#include "tls/base/registry.h"

namespace handfast::tls::test {

using Argv = std::vector<std::string>;

inline void Add(Argv& argv, const Argv& more) { argv.insert(argv.end(), more.begin(), more.end()); }

// The Debian package of a program that is missing for `stack`; empty where all are installed.
std::string MissingPackage(Stack stack);

// Those of our own making, beside the tests in their runfiles.
inline constexpr char kMbedtlsClient[] = "tests/interop/mbedtls_client";
inline constexpr char kMbedtlsServer[] = "tests/interop/mbedtls_server";
inline constexpr char kBoringsslPeer[] = "tests/interop/boringssl_peer";
inline constexpr char kWolfsslPeer[] = "tests/interop/wolfssl_peer";

// OpenSSL's own, or that of a newer Debian whose packages are laid into a folder: with its own
// loader and libraries.
Argv OpensslIn(const std::string& root);

// How JssePeer starts with these groups (empty: its default), compiled once a process.
Argv JssePeer(const std::vector<NamedGroup>& groups);

// Groups by a stack's own names, which are given in the order X25519, P-256, P-384, P-521.
std::string Join(const std::vector<NamedGroup>& groups, const std::array<const char*, 4>& names,
                 const std::string& separator);
// By the names that our own programs use.
std::string PeerGroups(const std::vector<NamedGroup>& groups);
// GnuTLS's priority string.
std::string GnutlsPriority(ProtocolVersion version, const std::vector<NamedGroup>& groups);

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_INTEROP_PROGRAMS_H_
