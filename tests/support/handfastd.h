// A real handfastd with a state folder of its own, on a Unix socket, configured by nothing but its
// admin port unless the test says more. The test needs the data dependency //server:handfastd.
#ifndef HANDFAST_TESTS_SUPPORT_HANDFASTD_H_
#define HANDFAST_TESTS_SUPPORT_HANDFASTD_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/process.h"

namespace handfast::test {

class Handfastd {
 public:
  // `flags` are added to its command line: {"--config", file}, {"--set", "path=value"}.
  explicit Handfastd(std::vector<std::string> flags = {});
  ~Handfastd();
  Handfastd(const Handfastd&) = delete;
  Handfastd& operator=(const Handfastd&) = delete;

  // What it is started with from now on. Import() needs a listener at socket(), whose principal is
  // an operator of the tenant `default`.
  void Configure(std::string_view document);

  // Before Start(): a configuration. It has the same socket, and its user as the one caller; `more`
  // has the rest: profiles, trust bundles.
  void ConfigureForItsUser(const std::string& more);

  // Also after Stop() or Kill(), on the same state. False, with output(), where it does not come
  // up.
  bool Start();
  // SIGTERM; its exit code, or -1.
  int Stop();
  void Kill();
  // SIGSTOP, SIGCONT.
  void Signal(int number) { process_->Signal(number); }

  std::string socket() const { return state_.File("handfast.sock"); }
  // "unix:/tmp/hf.xxxxxx/handfast.sock"
  std::string endpoint() const { return "unix:" + socket(); }
  // Of its first listener, as it said itself: for a configuration with TCP and port 0.
  std::string address() const { return Said("addresses"); }
  // "127.0.0.1:PORT", of the admin port that it was given when it started.
  std::string admin() const { return Said("admin"); }
  const std::string& state_folder() const { return state_.path(); }
  std::string output() const { return process_ ? process_->output() : std::string(); }
  pid_t pid() const { return process_ ? process_->pid() : -1; }

  // Puts a credential to use, PEM both; false where the service refuses it.
  bool Import(const std::string& id, const std::string& key, const std::string& chain,
              bool is_default);
  // Until /readyz says that it is, or is not, ready; false: patience was over.
  bool WaitForReadyz(bool ready) const;
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
  // The first word of what it said under this name in its line `ready`.
  std::string Said(const std::string& name) const;

  TempFolder state_;
  std::vector<std::string> flags_;
  std::unique_ptr<Process> process_;
};

}  // namespace handfast::test

#endif  // HANDFAST_TESTS_SUPPORT_HANDFASTD_H_
