// Third parties' test vectors, read from the folder that HANDFAST_VECTORS names.
#ifndef HANDFAST_TESTS_TLS_CRYPTO_VECTORS_H_
#define HANDFAST_TESTS_TLS_CRYPTO_VECTORS_H_

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tls/base/bytes.h"

namespace handfast::tls::test {

// "" where HANDFAST_VECTORS is not set or holds no such file.
std::string VectorPath(const std::string& file);

// The "testGroups" of a Wycheproof file; a test failure and nothing where it does not parse.
nlohmann::json TestGroups(const std::string& path);

// The value of hex digits; a test failure where they are none.
Bytes Hex(const std::string& digits);

// One case of a Botan .vec file, or of OpenSSL's .txt.
struct Case {
  std::string section;                        // "[SHA-256]" without brackets
  std::map<std::string, std::string> fields;  // repeated names: the values in a row, by newline

  bool has(const std::string& name) const { return fields.contains(name); }
  // "" where it is absent.
  std::string text(const std::string& name) const;
  Bytes hex(const std::string& name) const { return Hex(text(name)); }
};

// A case ends with the line that sets `last_field`.
std::vector<Case> ReadCases(const std::string& path, const std::string& last_field);

}  // namespace handfast::tls::test

// Skips the test where the vectors are not there, and says how many did not run.
#define HANDFAST_VECTORS_OR_SKIP(path, file, count)                                      \
  const std::string path = ::handfast::tls::test::VectorPath(file);                      \
  if ((path).empty()) {                                                                  \
    GTEST_SKIP() << "HANDFAST_VECTORS is not set or lacks " << (file) << ": " << (count) \
                 << " vectors did not run";                                              \
  }                                                                                      \
  static_assert(true, "")

#endif  // HANDFAST_TESTS_TLS_CRYPTO_VECTORS_H_
