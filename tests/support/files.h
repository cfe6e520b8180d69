// Files, folders and ports for tests that start programs.
#ifndef HANDFAST_TESTS_SUPPORT_FILES_H_
#define HANDFAST_TESTS_SUPPORT_FILES_H_

#include <sys/types.h>

#include <string>
#include <string_view>

namespace handfast::test {

// A folder of its own with a short name (a Unix socket's path is at most 107 bytes), removed with
// all that is in it.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string File(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

// The absolute path of a data dependency: "server/handfastd".
std::string Runfile(std::string_view path);

// A loopback TCP port that was free a moment ago.
int FreePort();

void WriteFile(const std::string& path, std::string_view text, mode_t mode = 0600);
// Empty where there is none.
std::string ReadFile(const std::string& path);

}  // namespace handfast::test

#endif  // HANDFAST_TESTS_SUPPORT_FILES_H_
