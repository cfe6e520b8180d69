// The certificates of the interop tests, in memory and as the files that programs read. All are
// made once a process, below TEST_TMPDIR.
#ifndef HANDFAST_TESTS_INTEROP_PKI_H_
#define HANDFAST_TESTS_INTEROP_PKI_H_

#include <string>

#include "tests/tls/crypto/test_ca.h"
#include "tls/crypto/sign.h"

namespace handfast::tls::test {

inline constexpr char kServerName[] = "example.test";
// How clients' certificates and keys are called in an NSS database.
inline constexpr char kNickname[] = "client";

// A file of this name and content below TEST_TMPDIR; its path.
std::string WriteFile(const std::string& name, const std::string& content);

const TestCa& Root();
const Leaf& ServerLeaf(KeyType type);  // for kServerName
const Leaf& ClientLeaf(KeyType type);
std::string RootFile();

struct ClientFiles {
  std::string certificate;  // PEM
  std::string key;          // PEM
};
ClientFiles ClientFilesOf(KeyType type);

// An NSS database that trusts Root(), and holds the client's certificate and key unless `type` is
// null, as
// its tools name it. Made with certutil and pk12util; the process ends where they fail.
std::string NssDatabase(const KeyType* type);

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_INTEROP_PKI_H_
