#include "tls/crypto/random.h"

#include <sys/mman.h>

#include <array>
#include <climits>
#include <cstring>

#include <openssl/rand.h>

#include "tls/crypto/libcrypto.h"

namespace handfast::tls {
namespace {

// A draw from libcrypto costs two microseconds, whatever its size, and four where its code has left
// the caches: what a hello needs is drawn for some twenty-five at once. The page reads as zeroes in
// a forked process, where so nothing is left, and nothing comes twice.
class DrawnAhead {
 public:
  DrawnAhead() {
    void* const page =
        mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return;
    if (madvise(page, sizeof(Page), MADV_WIPEONFORK) != 0 ||
        madvise(page, sizeof(Page), MADV_DONTDUMP) != 0) {
      munmap(page, sizeof(Page));
      return;
    }
    page_ = static_cast<Page*>(page);
  }
  ~DrawnAhead() {
    if (page_ != nullptr) munmap(page_, sizeof(Page));
  }
  DrawnAhead(const DrawnAhead&) = delete;
  DrawnAhead& operator=(const DrawnAhead&) = delete;

  // Whether values of this size may come from here.
  bool Holds(size_t size) const { return page_ != nullptr && size <= kLargest; }

  bool Take(std::span<uint8_t> out) {
    if (page_->left < out.size()) {
      if (RAND_bytes(page_->bytes.data(), static_cast<int>(page_->bytes.size())) != 1) return false;
      page_->left = page_->bytes.size();
    }
    page_->left -= out.size();
    uint8_t* const from = page_->bytes.data() + page_->left;
    std::memcpy(out.data(), from, out.size());
    OPENSSL_cleanse(from, out.size());
    return true;
  }

 private:
  static constexpr size_t kLargest = 64;
  struct Page {
    size_t left;  // the first so many bytes are not yet given out
    std::array<uint8_t, 1024> bytes;
  };

  Page* page_ = nullptr;
};

class LibcryptoRandomness final : public Randomness {
 public:
  Result<void> Fill(std::span<uint8_t> out) override {
    if (out.size() > INT_MAX || RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) {
      return Refused(Reason::kInternalError);
    }
    return {};
  }
  Result<void> FillPublic(std::span<uint8_t> out) override {
    thread_local DrawnAhead ahead;
    if (!ahead.Holds(out.size())) return Fill(out);
    if (!ahead.Take(out)) return Refused(Reason::kInternalError);
    return {};
  }
  Result<KeyPair> NewKeyPair(NamedGroup group) override { return KeyPair::Generate(group); }
};

}  // namespace

Randomness& SystemRandomness() {
  static LibcryptoRandomness randomness;
  return randomness;
}

}  // namespace handfast::tls
