// The interop matrices, one for each role of ours: which foreign stacks there are, what each is
// asked for, and what each lacks.
#ifndef HANDFAST_TESTS_INTEROP_CELL_H_
#define HANDFAST_TESTS_INTEROP_CELL_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tls/base/reason.h"
#include "tls/base/registry.h"
#include "tls/crypto/sign.h"

namespace handfast::tls::test {

enum class Role : uint8_t { kServer, kClient };  // ours

enum class Stack : uint8_t {
  kOpenssl,
  kGnutls,
  kCurl,
  kNss,
  kMbedtls,
  kWolfssl,
  kBoringssl,
  kJsse,
  kNginx,
  kHaproxy
};
// Those that have a client, and those that have a server.
inline constexpr Stack kClients[] = {Stack::kOpenssl,   Stack::kGnutls,  Stack::kCurl,
                                     Stack::kNss,       Stack::kMbedtls, Stack::kWolfssl,
                                     Stack::kBoringssl, Stack::kJsse};
inline constexpr Stack kServers[] = {Stack::kOpenssl, Stack::kGnutls,  Stack::kNss,
                                     Stack::kMbedtls, Stack::kWolfssl, Stack::kBoringssl,
                                     Stack::kJsse,    Stack::kNginx,   Stack::kHaproxy};
// The peers of a role of ours.
std::span<const Stack> PeersOf(Role role);

inline constexpr ProtocolVersion kVersions[] = {ProtocolVersion::kTls13, ProtocolVersion::kTls12};
inline constexpr KeyType kKeyTypes[] = {KeyType::kRsa2048, KeyType::kEcdsaP256, KeyType::kEcdsaP384,
                                        KeyType::kEcdsaP521, KeyType::kEd25519};

// Whether the server asks for a client's certificate, and whether the client shows one.
enum class Auth : uint8_t {
  kNone,
  kOptionalWith,
  kOptionalWithout,
  kRequiredWith,
  kRequiredWithout
};
inline constexpr Auth kAuths[] = {Auth::kNone, Auth::kOptionalWith, Auth::kOptionalWithout,
                                  Auth::kRequiredWith, Auth::kRequiredWithout};

// What else the handshake is to go through.
enum class Way : uint8_t {
  kFull,
  kResumed,  // once in full, then resumed
  kRetry,    // over a HelloRetryRequest
  kAlpn,
};

struct Column {
  Way way;
  Auth auth;
};
inline constexpr Column kColumns[] = {{Way::kFull, Auth::kNone},
                                      {Way::kFull, Auth::kOptionalWith},
                                      {Way::kFull, Auth::kOptionalWithout},
                                      {Way::kFull, Auth::kRequiredWith},
                                      {Way::kFull, Auth::kRequiredWithout},
                                      {Way::kResumed, Auth::kNone},
                                      {Way::kResumed, Auth::kRequiredWith},
                                      {Way::kRetry, Auth::kNone},
                                      {Way::kAlpn, Auth::kNone}};

struct Cell {
  Stack stack{};
  ProtocolVersion version{};
  KeyType key{};  // of the server's certificate, and of the client's
  Auth auth{};
  Way way = Way::kFull;
  Role role = Role::kServer;
};

std::string_view Name(Stack stack);
std::string_view Name(Column column);
std::string Name(const Cell& cell);  // letters, digits and underscores

// Of the two questions above.
bool MayLeaveOut(Auth auth);
bool Shows(Auth auth);

// Of one role, row by row.
std::vector<Cell> AllCells(Role role);

// Why a cell cannot be filled.
struct Lack {
  std::string_view reason;
  // It is tried all the same, so that a newer stack shows; else there is nothing to try.
  bool tried = false;
  // How the handshake then fails in our server.
  Reason failure = Reason::kInternalError;
};
// Null where nothing is lacking.
const Lack* Lacking(const Cell& cell);

// The matrix as text. `outcome` gives the word for each cell that is not lacking.
std::string Render(Role role, const std::function<std::string(const Cell&)>& outcome);

// Prints it, and compares it with this file, which HANDFAST_REWRITE=1 writes instead. What is
// wrong; empty: nothing.
std::string CompareMatrix(const std::string& matrix, const std::string& path);

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_INTEROP_CELL_H_
