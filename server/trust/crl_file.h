// A file of revocation lists, read anew when it has changed. There is no thread: whoever asks looks
// at the file, at most once a second, and the others go on with what was read before.
#ifndef HANDFAST_SERVER_TRUST_CRL_FILE_H_
#define HANDFAST_SERVER_TRUST_CRL_FILE_H_

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "tls/crypto/crl.h"

namespace handfast::trust {

class CrlFile {
 public:
  // Reads it for the first time; the status says what is wrong, without the file's name. `whose` is
  // for the log: the bundle's name.
  static absl::StatusOr<std::unique_ptr<CrlFile>> Open(const std::string& path,
                                                       const std::string& whose);

  // Null where the file as it is now cannot be read: what was read before may have been revoked
  // since. Each turn for the worse and back is one line in the log. Thread-safe.
  std::shared_ptr<const tls::CrlSet> Current(int64_t now_unix_s);

 private:
  // What tells one content of the file from another.
  struct Version {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    timespec modified{};
    bool operator==(const Version& other) const;
  };

  CrlFile(std::string path, std::string whose) : path_(std::move(path)), whose_(std::move(whose)) {}
  absl::StatusOr<Version> Look() const;
  absl::StatusOr<std::shared_ptr<const tls::CrlSet>> Read() const;
  void Reload(const absl::StatusOr<Version>& version);
  void WarnWhereExpired(int64_t now_unix_s);

  const std::string path_;
  const std::string whose_;
  std::mutex looking_;  // guards what follows, but for current_
  int64_t looked_unix_s_ = 0;
  Version version_;
  bool readable_ = true;
  bool expiry_told_ = false;
  // Touched by std::atomic_load and std::atomic_store alone.
  std::shared_ptr<const tls::CrlSet> current_;
};

// A large authority's list is some 10 MiB.
inline constexpr size_t kMaxCrlFileSize = size_t{64} << 20;

}  // namespace handfast::trust

#endif  // HANDFAST_SERVER_TRUST_CRL_FILE_H_
