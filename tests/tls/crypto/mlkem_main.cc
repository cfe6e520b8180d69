#include "tests/tls/crypto/mlkem_main.h"

#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace handfast::tls::test {
namespace {

constexpr char kAnew[] = "HANDFAST_RUN_ANEW";  // set in what was run anew

// Returns where there is nothing to do. Debian 13's libcrypto wants its libc, which wants its own
// loader; what the folder has not comes from the system.
void RunAnew(char** argv) {
  const char* folder = std::getenv("HANDFAST_DEBIAN13");
  if (HasHybrids() || folder == nullptr || *folder == '\0') return;
  const std::string root = folder;
  if (std::getenv(kAnew) != nullptr) {
    std::fprintf(stderr, "the libcrypto in %s has no ML-KEM either\n", folder);
    std::exit(1);
  }
  setenv(kAnew, "1", 1);
  char self[PATH_MAX + 1] = {};
  if (readlink("/proc/self/exe", self, PATH_MAX) < 0) std::abort();
  std::string loader = root + "/usr/lib64/ld-linux-x86-64.so.2";
  std::string option = "--library-path";
  std::string libraries = root + "/usr/lib/x86_64-linux-gnu";
  std::vector<char*> command = {loader.data(), option.data(), libraries.data(), self};
  for (char** argument = argv + 1; *argument != nullptr; ++argument) command.push_back(*argument);
  command.push_back(nullptr);
  execv(loader.c_str(), command.data());
  std::perror(loader.c_str());
  std::exit(1);
}

}  // namespace
}  // namespace handfast::tls::test

int main(int argc, char** argv) {
  handfast::tls::test::RunAnew(argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
