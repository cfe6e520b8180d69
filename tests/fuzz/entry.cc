// What libFuzzer, or replay_main.cc in its place, calls.
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  handfast::fuzz::OnInput({data, size});
  return 0;
}
