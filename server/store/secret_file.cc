#include "server/store/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "tls/base/bytes.h"

namespace handfast::store {
namespace {

constexpr size_t kKeyBytes = 32;

// The file's beginning, which is wiped with it.
struct Text {
  ~Text() { tls::Wipe(bytes); }
  tls::ByteView line() const {
    const auto end = std::find(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size),
                               static_cast<uint8_t>('\n'));
    return {bytes.data(), static_cast<size_t>(end - bytes.begin())};
  }
  std::array<uint8_t, 514> bytes{};
  size_t size = 0;
};

absl::Status Read(const std::string& path, Text& text) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return absl::ErrnoToStatus(errno, "cannot be read");
  struct stat info {};
  absl::Status status;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    status = absl::InvalidArgumentError("is no file");
  } else if ((info.st_mode & 077) != 0) {
    status = absl::FailedPreconditionError("can be reached by others: chmod 600 it");
  } else if (const ssize_t got = read(fd, text.bytes.data(), text.bytes.size()); got < 0) {
    status = absl::ErrnoToStatus(errno, "cannot be read");
  } else {
    text.size = static_cast<size_t>(got);
  }
  close(fd);
  return status;
}

std::optional<uint8_t> Digit(uint8_t c) {
  if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

}  // namespace

absl::StatusOr<tls::AeadKey> ReadKeyFile(const std::string& path) {
  const auto wrong = [] {
    return absl::InvalidArgumentError("must hold 64 hex digits: openssl rand -hex 32 makes them");
  };
  Text text;
  if (absl::Status read = Read(path, text); !read.ok()) return read;
  const tls::ByteView line = text.line();
  if (line.size() != 2 * kKeyBytes || text.size > line.size() + 1) return wrong();
  std::array<uint8_t, kKeyBytes> key{};
  bool fits = true;
  for (size_t i = 0; i < kKeyBytes; ++i) {
    const auto high = Digit(line[2 * i]);
    const auto low = Digit(line[2 * i + 1]);
    fits = fits && high && low;
    key[i] = static_cast<uint8_t>(high.value_or(0) << 4 | low.value_or(0));
  }
  std::optional<tls::AeadKey> made = tls::AeadKey::From(key);
  tls::Wipe(key);
  if (!fits || !made) return wrong();
  return *std::move(made);
}

absl::StatusOr<tls::Secret<512>> ReadPasswordFile(const std::string& path) {
  Text text;
  if (absl::Status read = Read(path, text); !read.ok()) return read;
  std::optional<tls::Secret<512>> password = tls::Secret<512>::From(text.line());
  if (text.line().empty() || !password) {
    return absl::InvalidArgumentError("must begin with a line of 1 to 512 bytes");
  }
  return *std::move(password);
}

}  // namespace handfast::store
