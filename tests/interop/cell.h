// The interop matrix: which foreign stacks there are, what each is asked for, and what each lacks.
#ifndef HANDFAST_TESTS_INTEROP_CELL_H_
#define HANDFAST_TESTS_INTEROP_CELL_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tls/base/reason.h"
#include "tls/base/registry.h"
#include "tls/crypto/sign.h"

namespace handfast::tls::test {

enum class Stack { kOpenssl, kGnutls, kCurl, kNss, kMbedtls };
inline constexpr Stack kStacks[] = {Stack::kOpenssl, Stack::kGnutls, Stack::kCurl, Stack::kNss,
                                    Stack::kMbedtls};
inline constexpr ProtocolVersion kVersions[] = {ProtocolVersion::kTls13, ProtocolVersion::kTls12};
inline constexpr KeyType kKeyTypes[] = {KeyType::kRsa2048, KeyType::kEcdsaP256, KeyType::kEcdsaP384,
                                        KeyType::kEcdsaP521, KeyType::kEd25519};

// Whether the server asks for a client's certificate, and whether the client shows one.
enum class Auth { kNone, kOptionalWith, kOptionalWithout, kRequiredWith, kRequiredWithout };
inline constexpr Auth kAuths[] = {Auth::kNone, Auth::kOptionalWith, Auth::kOptionalWithout,
                                  Auth::kRequiredWith, Auth::kRequiredWithout};

struct Cell {
  Stack stack{};
  ProtocolVersion version{};
  KeyType key{};  // of the server's certificate, and of the client's
  Auth auth{};
};

std::string_view Name(Stack stack);
std::string_view Name(Auth auth);
std::string Name(const Cell& cell);  // letters, digits and underscores

// Of the two questions above.
bool MayLeaveOut(Auth auth);
bool Shows(Auth auth);

// Row by row.
std::vector<Cell> AllCells();
// Why the stack cannot fill this cell; empty where it can.
std::string_view Lacking(const Cell& cell);
// How the handshake fails for it. Asked only where something is lacking.
Reason FailureOfLacking(const Cell& cell);

// The matrix as text. `outcome` gives the word for each cell that is not lacking.
std::string Render(const std::function<std::string(const Cell&)>& outcome);

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_INTEROP_CELL_H_
