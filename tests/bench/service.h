// handfastd under measurement, with one key imported.
#ifndef HANDFAST_TESTS_BENCH_SERVICE_H_
#define HANDFAST_TESTS_BENCH_SERVICE_H_

#include <memory>
#include <string>

#include "tests/bench/child.h"
#include "tests/tls/crypto/test_ca.h"

namespace handfast::bench {

class Service {
 public:
  // `folder` is empty and ours; `programs` holds server/handfastd and client/cli/handfast.
  // `document`: what its configuration says besides who may call; empty: it has none.
  Service(const std::string& programs, const std::string& folder, const tls::test::Leaf& leaf,
          const std::string& document = "");

  const std::string& endpoint() const { return endpoint_; }  // "unix:..."
  double CpuMicros() const { return child_->CpuMicros(); }

 private:
  std::string endpoint_;
  std::unique_ptr<Child> child_;
};

// A fresh folder in /tmp, short enough for a socket's path; removed at the end.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }
  std::string Write(const std::string& name, const std::string& content) const;

 private:
  std::string path_;
};

}  // namespace handfast::bench

#endif  // HANDFAST_TESTS_BENCH_SERVICE_H_
