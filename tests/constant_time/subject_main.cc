// Runs one subject, for memcheck to watch; without a name it lists them.
#include <cstdio>
#include <string_view>

#include "tests/constant_time/subject.h"

int main(int argc, char** argv) {
  for (const handfast::constant_time::Subject& subject : handfast::constant_time::Subjects()) {
    if (argc < 2) std::printf("%s\n", subject.name.data());
    if (argc == 2 && std::string_view(argv[1]) == subject.name) return subject.run() ? 0 : 1;
  }
  return argc < 2 ? 0 : 2;
}
