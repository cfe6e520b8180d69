// A build tool: compares the access rules with the contract's descriptors, and fails the build
// where an RPC has no rule or a rule of the contract's package has no RPC.
//
//   check_rules DESCRIPTOR_SET OUTPUT
//
// writes a source file that is compiled into :access, so nobody can link it past this check.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"

#include "server/access/descriptor_set.h"
#include "server/access/rules.h"

namespace handfast::access {
namespace {

constexpr std::string_view kContract = "/handfast.v1.";

// What is wrong, a line each; empty: all is well.
std::vector<std::string> Compare(const std::vector<std::string>& methods) {
  std::vector<std::string> wrong;
  // An empty contract would pass every comparison below.
  if (methods.empty()) wrong.emplace_back("the descriptor set has no RPC at all");
  for (const std::string& method : methods) {
    if (FindRule(method) == nullptr) {
      wrong.push_back(method + ": this RPC has no rule in server/access/rules.cc");
    }
  }
  for (const Rule& rule : Rules()) {
    if (rule.method.starts_with(kContract) &&
        std::find(methods.begin(), methods.end(), rule.method) == methods.end()) {
      wrong.push_back(std::string(rule.method) + ": this rule has no RPC in the contract");
    }
  }
  return wrong;
}

int Main(const char* descriptor_path, const char* output_path) {
  std::ifstream in(descriptor_path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto methods = MethodsOf(bytes);
  if (!in || !methods) {
    absl::FPrintF(stderr, "%s: no descriptor set\n", descriptor_path);
    return 2;
  }
  const std::vector<std::string> wrong = Compare(*methods);
  for (const std::string& line : wrong) absl::FPrintF(stderr, "%s\n", line);
  if (!wrong.empty()) return 1;

  std::ofstream out(output_path);
  out << "// Written by check_rules: every RPC of the contract had a rule.\n"
      << "namespace handfast::access {\n"
      << "extern const int kCheckedRpcs;\n"
      << "const int kCheckedRpcs = " << methods->size() << ";\n"
      << "}  // namespace handfast::access\n";
  out.close();
  return out ? 0 : 2;
}

}  // namespace
}  // namespace handfast::access

int main(int argc, char** argv) {
  if (argc != 3) {
    absl::FPrintF(stderr, "usage: check_rules DESCRIPTOR_SET OUTPUT\n");
    return 2;
  }
  return handfast::access::Main(argv[1], argv[2]);
}
