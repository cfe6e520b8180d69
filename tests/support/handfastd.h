// A real handfastd with a state folder of its own, on a Unix socket, configured by nothing but its
// admin port unless the test says more. The test needs the data dependency //server:handfastd.
#ifndef HANDFAST_TESTS_SUPPORT_HANDFASTD_H_
#define HANDFAST_TESTS_SUPPORT_HANDFASTD_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/process.h"

namespace handfast::test {

class Handfastd {
 public:
  // `flags` are added to its command line: {"--config", file}, {"--set", "path=value"}.
  explicit Handfastd(std::vector<std::string> flags = {});
  ~Handfastd();

  // Before Start(): a configuration. It has the same socket, and its user as the one caller; `more`
  // has the rest: profiles, trust bundles.
  void Configure(const std::string& more);

  // Also after Stop() or Kill(), on the same state. False, with output(), where it does not come
  // up.
  bool Start();
  // SIGTERM; its exit code, or -1.
  int Stop();
  void Kill();

  // "unix:/tmp/hf.xxxxxx/handfast.sock"
  std::string endpoint() const { return "unix:" + state_.File("handfast.sock"); }
  // Of its first listener, as it said itself: for a configuration with TCP and port 0.
  std::string address() const;
  // "127.0.0.1:PORT"
  std::string admin() const { return "127.0.0.1:" + std::to_string(admin_port_); }
  const std::string& state_folder() const { return state_.path(); }
  std::string output() const { return process_ ? process_->output() : std::string(); }
  pid_t pid() const { return process_ ? process_->pid() : -1; }

  // Puts a credential to use, PEM both; false where the service refuses it.
  bool Import(const std::string& id, const std::string& key, const std::string& chain,
              bool is_default);
  // Of /metrics.
  std::string Metrics() const;
  // The sum of all samples of one metric whose line has `label` in it.
  static double Sum(const std::string& metrics, const std::string& name,
                    const std::string& label = "");
  // Until that sum, of the /metrics of whatever serves them at `admin`, has the value; false:
  // patience was over.
  static bool WaitForSum(const std::string& admin, const std::string& name,
                         const std::string& label, double value);

 private:
  TempFolder state_;
  std::vector<std::string> flags_;
  int admin_port_;
  std::unique_ptr<Process> process_;
};

}  // namespace handfast::test

#endif  // HANDFAST_TESTS_SUPPORT_HANDFASTD_H_
