#include "tests/support/memory_search.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace handfast::test {
namespace {

constexpr uint8_t kMask = 0x5a;
constexpr size_t kBuffer = size_t{1} << 20;

}  // namespace

Needle::Needle(std::span<const uint8_t> secret) : masked_(secret.size()) {
  for (size_t i = 0; i < secret.size(); ++i) {
    masked_[i] = static_cast<uint8_t>(secret[i] ^ kMask);
  }
}

size_t Needle::CountIn(std::span<const uint8_t> memory) const {
  size_t count = 0;
  for (size_t at = 0; at + masked_.size() <= memory.size(); ++at) {
    size_t i = 0;
    while (i < masked_.size() && (memory[at + i] ^ kMask) == masked_[i]) ++i;
    count += i == masked_.size() ? 1 : 0;
  }
  return count;
}

size_t Needle::CountInMemory() const {
  // A mapping of its own, which is passed over: what was read stands there too.
  void* mapped = mmap(nullptr, kBuffer, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  std::FILE* maps = std::fopen("/proc/self/maps", "re");
  if (mapped == MAP_FAILED || memory < 0 || maps == nullptr) std::abort();
  const auto buffer_at = reinterpret_cast<uintptr_t>(mapped);
  const std::span<uint8_t> buffer(static_cast<uint8_t*>(mapped), kBuffer);
  size_t count = 0;
  char line[512];
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    uint64_t begin = 0;
    uint64_t end = 0;
    char rights[5] = "";
    if (std::sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &begin, &end, rights) != 3) continue;
    if (std::string(rights, 2) != "rw") continue;
    // The kernel joins neighbouring mappings: the buffer is left out byte by byte.
    const auto scan = [&](uint64_t from, uint64_t to) {
      const uint64_t overlap = masked_.size() - 1;
      for (uint64_t at = from; at < to; at += kBuffer - overlap) {
        const size_t want = static_cast<size_t>(std::min<uint64_t>(kBuffer, to - at));
        const ssize_t got = pread(memory, buffer.data(), want, static_cast<off_t>(at));
        if (got > 0) count += CountIn(buffer.first(static_cast<size_t>(got)));
      }
    };
    if (end <= buffer_at || begin >= buffer_at + kBuffer) {
      scan(begin, end);
    } else {
      if (begin < buffer_at) scan(begin, buffer_at);
      if (end > buffer_at + kBuffer) scan(buffer_at + kBuffer, end);
    }
  }
  std::fclose(maps);
  close(memory);
  munmap(mapped, kBuffer);
  return count;
}

}  // namespace handfast::test
