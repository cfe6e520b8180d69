// Looks for a secret in all memory of this process that it could have been written to.
#ifndef HANDFAST_TESTS_SUPPORT_MEMORY_SEARCH_H_
#define HANDFAST_TESTS_SUPPORT_MEMORY_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace handfast::test {

// A sanitizer's shadow is terabytes of address space, which nobody reads to its end.
#ifdef __has_feature
inline constexpr bool kMemoryCanBeSearched =
    !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
inline constexpr bool kMemoryCanBeSearched = true;
#endif

// What is looked for, kept in a form that the search does not find.
class Needle {
 public:
  explicit Needle(std::span<const uint8_t> secret);
  // How often the secret stands in memory that can be written.
  size_t CountInMemory() const;

 private:
  size_t CountIn(std::span<const uint8_t> memory) const;
  std::vector<uint8_t> masked_;
};

}  // namespace handfast::test

#endif  // HANDFAST_TESTS_SUPPORT_MEMORY_SEARCH_H_
