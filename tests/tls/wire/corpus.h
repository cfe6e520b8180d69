// Public fuzzing corpora: one JSON object a line, the input in base64.
#ifndef HANDFAST_TESTS_TLS_WIRE_CORPUS_H_
#define HANDFAST_TESTS_TLS_WIRE_CORPUS_H_

#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/tls/crypto/vectors.h"
#include "tls/base/bytes.h"

namespace handfast::tls::test {

struct CorpusInput {
  std::string name;
  Bytes bytes;
};

inline Bytes FromBase64(std::string_view text) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  Bytes bytes;
  uint32_t bits = 0;
  int held = 0;
  for (char c : text) {
    const char* found = c == '\0' ? nullptr : std::strchr(kAlphabet, c);
    if (found == nullptr) continue;
    bits = bits << 6 | static_cast<uint32_t>(found - kAlphabet);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes.push_back(static_cast<uint8_t>(bits >> held));
  }
  return bytes;
}

inline std::vector<CorpusInput> ReadCorpus(const std::string& path) {
  std::vector<CorpusInput> inputs;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("b64")) continue;
    inputs.push_back({json["name"].get<std::string>(), FromBase64(json["b64"].get<std::string>())});
  }
  return inputs;
}

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_WIRE_CORPUS_H_
