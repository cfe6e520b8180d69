#include "server/trust/crl_file.h"

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

#include "server/observe/log.h"
#include "server/trust/read_file.h"

namespace handfast::trust {

bool CrlFile::Version::operator==(const Version& other) const {
  return device == other.device && inode == other.inode && size == other.size &&
         modified.tv_sec == other.modified.tv_sec && modified.tv_nsec == other.modified.tv_nsec;
}

absl::StatusOr<std::unique_ptr<CrlFile>> CrlFile::Open(const std::string& path,
                                                       const std::string& whose) {
  std::unique_ptr<CrlFile> file(new CrlFile(path, whose));
  absl::StatusOr<Version> version = file->Look();
  if (!version.ok()) return version.status();
  absl::StatusOr<std::shared_ptr<const tls::CrlSet>> lists = file->Read();
  if (!lists.ok()) return lists.status();
  file->version_ = *version;
  file->current_ = *std::move(lists);
  return file;
}

std::shared_ptr<const tls::CrlSet> CrlFile::Current(int64_t now_unix_s) {
  const std::unique_lock lock(looking_, std::try_to_lock);
  // A clock that jumps back is a new second as well.
  if (lock.owns_lock() && now_unix_s != looked_unix_s_) {
    looked_unix_s_ = now_unix_s;
    // Before the content: if it changes in between, the next look sees another version.
    const absl::StatusOr<Version> version = Look();
    if (!version.ok() || !readable_ || !(*version == version_)) Reload(version);
    WarnWhereExpired(now_unix_s);
  }
  return std::atomic_load(&current_);
}

absl::StatusOr<CrlFile::Version> CrlFile::Look() const {
  struct stat info {};
  if (stat(path_.c_str(), &info) != 0) return absl::ErrnoToStatus(errno, "cannot be read");
  return Version{info.st_dev, info.st_ino, info.st_size, info.st_mtim};
}

absl::StatusOr<std::shared_ptr<const tls::CrlSet>> CrlFile::Read() const {
  const absl::StatusOr<std::string> pem = ReadFile(path_, kMaxCrlFileSize);
  if (!pem.ok()) return pem.status();
  tls::Result<tls::CrlSet> lists = tls::CrlSet::FromPem(*pem);
  if (!lists.ok()) {
    return absl::InvalidArgumentError(
        "holds no revocation list in PEM, or one that does not parse, says no next update or is "
        "signed over SHA-1");
  }
  return std::make_shared<const tls::CrlSet>(*std::move(lists));
}

void CrlFile::Reload(const absl::StatusOr<Version>& version) {
  absl::StatusOr<std::shared_ptr<const tls::CrlSet>> lists =
      version.ok() ? Read() : absl::StatusOr<std::shared_ptr<const tls::CrlSet>>(version.status());
  if (!lists.ok()) {
    if (std::exchange(readable_, false)) {
      observe::Log(
          observe::Level::kError, "trust", "revocation lists cannot be read: peers are refused",
          {{"trust_bundle", whose_},
           {"file", path_},
           {"error",
            std::string_view(lists.status().message().data(), lists.status().message().size())}});
    }
    std::atomic_store(&current_, std::shared_ptr<const tls::CrlSet>());
    return;
  }
  version_ = *version;
  readable_ = true;
  expiry_told_ = false;
  observe::Log(observe::Level::kInfo, "trust", "revocation lists read",
               {{"trust_bundle", whose_}, {"file", path_}, {"lists", (*lists)->size()}});
  std::atomic_store(&current_, *std::move(lists));
}

void CrlFile::WarnWhereExpired(int64_t now_unix_s) {
  if (expiry_told_ || current_ == nullptr || now_unix_s <= current_->next_update_unix_s()) return;
  expiry_told_ = true;
  observe::Log(observe::Level::kError, "trust",
               "a revocation list has expired: peers whom it speaks of are refused",
               {{"trust_bundle", whose_},
                {"file", path_},
                {"next_update_unix_s", current_->next_update_unix_s()}});
}

}  // namespace handfast::trust
