#include "server/observe/hardening.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>

namespace handfast::observe {

absl::Status HardenProcess() {
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) {
    return absl::ErrnoToStatus(errno, "cannot switch core files off");
  }
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return absl::ErrnoToStatus(errno, "cannot refuse debuggers");
  }
  return absl::OkStatus();
}

}  // namespace handfast::observe
