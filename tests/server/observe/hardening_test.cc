// The process keeps its memory to itself.
#include "server/observe/hardening.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include <gtest/gtest.h>

namespace handfast::observe {
namespace {

// In a child: the setting cannot be taken back.
int InChild(int (*run)()) {
  const pid_t child = fork();
  if (child == 0) _exit(run());
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST(Hardening, SwitchesCoreFilesAndDebuggersOff) {
  const int status = InChild([] {
    if (prctl(PR_GET_DUMPABLE) != 1) return 10;  // the control: it was on
    if (!HardenProcess().ok()) return 11;
    rlimit limit{};
    getrlimit(RLIMIT_CORE, &limit);
    if (limit.rlim_cur != 0 || limit.rlim_max != 0) return 12;
    return prctl(PR_GET_DUMPABLE) == 0 ? 0 : 13;
  });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Hardening, AnAbortLeavesNoCore) {
  const int status = InChild([]() -> int {
    if (!HardenProcess().ok()) return 11;
    std::abort();
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(WCOREDUMP(status));
}

}  // namespace
}  // namespace handfast::observe
