// The certificates of the interop tests, in memory and as the files that programs read. All are
// made once a process, below TEST_TMPDIR.
#ifndef HANDFAST_TESTS_INTEROP_PKI_H_
#define HANDFAST_TESTS_INTEROP_PKI_H_

#include <string>

#include "tests/tls/crypto/test_ca.h"
#include "tls/crypto/sign.h"

namespace handfast::tls::test {

inline constexpr char kServerName[] = "example.test";
// How the certificate and key of an NSS database are called in it.
inline constexpr char kNickname[] = "leaf";

// A file of this name and content below TEST_TMPDIR; its path.
std::string WriteFile(const std::string& name, const std::string& content);
// An empty folder of this name there; its path.
std::string NewFolder(const std::string& name);

const TestCa& Root();
const Leaf& ServerLeaf(KeyType type);  // for kServerName
const Leaf& ClientLeaf(KeyType type);
std::string RootFile();

struct LeafFiles {
  std::string certificate;  // PEM
  std::string key;          // PEM
  std::string both;         // PEM, as HAProxy reads it
};
LeafFiles ClientFilesOf(KeyType type);
LeafFiles ServerFilesOf(KeyType type);

// NSS databases as its tools name them: each trusts Root(), and holds the leaf and its key; null:
// none. Made with certutil and pk12util; the process ends where they fail.
std::string NssDatabase(const KeyType* client);
std::string NssServerDatabase(KeyType type);

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_INTEROP_PKI_H_
