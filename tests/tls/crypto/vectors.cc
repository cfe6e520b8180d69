#include "tests/tls/crypto/vectors.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace handfast::tls::test {
namespace {

std::string Trimmed(const std::string& text) {
  constexpr char kBlank[] = " \t\r";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

std::string VectorPath(const std::string& file) {
  const char* folder = std::getenv("HANDFAST_VECTORS");
  if (folder == nullptr || *folder == '\0') return "";
  const std::string path = std::string(folder) + "/" + file;
  return std::filesystem::exists(path) ? path : "";
}

nlohmann::json TestGroups(const std::string& path) {
  std::ifstream in(path);
  nlohmann::json json = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("testGroups")) {
    ADD_FAILURE() << path << " is no Wycheproof file";
    return nlohmann::json::array();
  }
  return json["testGroups"];
}

Bytes Hex(const std::string& digits) {
  const std::optional<Bytes> bytes = FromHex(digits);
  EXPECT_TRUE(bytes.has_value()) << "no hex: " << digits.substr(0, 40);
  return bytes.value_or(Bytes());
}

std::string Case::text(const std::string& name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? "" : found->second;
}

std::vector<Case> ReadCases(const std::string& path, const std::string& last_field) {
  std::vector<Case> cases;
  Case current;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    line = Trimmed(line);
    if (line.empty() || line[0] == '#') continue;
    if (line.front() == '[' && line.back() == ']') {
      current.section = line.substr(1, line.size() - 2);
      continue;
    }
    const size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    const std::string name = Trimmed(line.substr(0, equals));
    const std::string value = Trimmed(line.substr(equals + 1));
    std::string& field = current.fields[name];
    if (!field.empty()) field += '\n';
    field += value;
    if (name == last_field) {
      cases.push_back(current);
      current.fields.clear();
    }
  }
  return cases;
}

}  // namespace handfast::tls::test
