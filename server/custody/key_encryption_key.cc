#include "server/custody/key_encryption_key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "server/access/error_details_interface.h"
#include "tls/base/bytes.h"
#include "tls/base/secret_access.h"
#include "tls/crypto/hkdf.h"

namespace handfast::custody {
namespace {

constexpr std::string_view kHeader = "handfast-kek-v1 ";
constexpr size_t kFileSize = kHeader.size() + 2 * kKekSize + 1;

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  bool ok() const { return fd_ >= 0; }
  int get() const { return fd_; }

 private:
  int fd_;
};

absl::Status Errno(const std::string& what) { return absl::ErrnoToStatus(errno, what); }

absl::Status Refused(const std::string& path, std::string_view why) {
  return access::WithReason(
      absl::FailedPreconditionError(absl::StrCat("key-encryption key file ", path, " ",
                                                 absl::string_view(why.data(), why.size()))),
      "KEK_REFUSED");
}

absl::Status CheckOwnerAndMode(const std::string& path, const struct stat& info) {
  if (!S_ISREG(info.st_mode)) return Refused(path, "is no regular file");
  if (info.st_uid != geteuid() && info.st_uid != 0) {
    return Refused(path, "belongs to another user");
  }
  if ((info.st_mode & 077) != 0) {
    return Refused(path, absl::StrFormat("can be reached by others (mode %04o): chmod 600 %s",
                                         info.st_mode & 07777, path));
  }
  return absl::OkStatus();
}

// Reads at most one byte more than a key file has; the caller wipes `text`.
absl::Status ReadAll(int fd, std::array<uint8_t, kFileSize + 1>& text, size_t& size) {
  size = 0;
  while (size < text.size()) {
    const ssize_t got = read(fd, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Errno("cannot read");
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  return absl::OkStatus();
}

bool WriteAll(int fd, tls::ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t put = write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
  return fsync(fd) == 0;
}

// A new name in a folder is on the disk only when the folder is.
bool SyncFolder(const std::string& path) {
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  const File opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.ok() && fsync(opened.get()) == 0;
}

}  // namespace

KeyEncryptionKey::KeyEncryptionKey(tls::AeadKey key) : key_(std::move(key)) {
  std::array<uint8_t, 8> id{};
  tls::HkdfExpand(tls::HashAlgorithm::kSha256, tls::SecretAccess::Open(key_),
                  tls::AsBytes("handfast key-encryption key id"), id);
  id_ = tls::ToHex(id);
}

absl::StatusOr<std::optional<KeyEncryptionKey>> KeyEncryptionKey::Load(const std::string& path) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok()) {
    if (errno == ENOENT) return std::optional<KeyEncryptionKey>();
    return Errno(absl::StrCat("key-encryption key file ", path));
  }
  struct stat info {};
  if (fstat(file.get(), &info) != 0) return Errno(path);
  absl::Status status = CheckOwnerAndMode(path, info);
  if (!status.ok()) return status;

  std::array<uint8_t, kFileSize + 1> text{};
  size_t size = 0;
  status = ReadAll(file.get(), text, size);
  std::optional<tls::AeadKey> key;
  const std::string_view line = tls::AsText({text.data(), size});
  if (status.ok() && size == kFileSize && line.starts_with(kHeader) && line.back() == '\n') {
    std::optional<tls::Bytes> bytes = tls::FromHex(line.substr(kHeader.size(), 2 * kKekSize));
    if (bytes) {
      key = tls::AeadKey::From(*bytes);
      tls::Wipe(*bytes);
    }
  }
  tls::Wipe(text);
  if (!status.ok()) return status;
  if (!key) return Refused(path, "holds no key of this format");
  return std::optional<KeyEncryptionKey>(KeyEncryptionKey(*std::move(key)));
}

absl::StatusOr<KeyEncryptionKey> KeyEncryptionKey::Create(const std::string& path,
                                                          tls::Randomness& randomness) {
  tls::AeadKey key;
  if (!randomness.Fill(tls::SecretAccess::Fill(key, kKekSize)).ok()) {
    return absl::InternalError("no randomness for a key-encryption key");
  }
  // Written under another name first: a crash must not leave half a key under the right one.
  const std::string unfinished = path + ".new";
  unlink(unfinished.c_str());
  const File file(open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.ok()) return Errno(absl::StrCat("cannot create ", unfinished));
  std::string line(kHeader);
  line.reserve(kFileSize);
  std::string hex = tls::ToHex(tls::SecretAccess::Open(key));
  line.append(hex).push_back('\n');
  const bool written = WriteAll(file.get(), tls::AsBytes(line));
  explicit_bzero(line.data(), line.size());
  explicit_bzero(hex.data(), hex.size());
  // link, unlike rename, never replaces a key that another process has put there meanwhile.
  if (!written || link(unfinished.c_str(), path.c_str()) != 0) {
    absl::Status status = Errno(absl::StrCat("cannot write ", path));
    unlink(unfinished.c_str());
    return status;
  }
  unlink(unfinished.c_str());
  if (!SyncFolder(path)) return Errno(absl::StrCat("cannot write ", path));
  return KeyEncryptionKey(std::move(key));
}

}  // namespace handfast::custody
