// What keeps the process's memory to itself: no core file, no debugger of the same user.
#ifndef HANDFAST_SERVER_OBSERVE_HARDENING_H_
#define HANDFAST_SERVER_OBSERVE_HARDENING_H_

#include "absl/status/status.h"

namespace handfast::observe {

// RLIMIT_CORE 0 and PR_SET_DUMPABLE 0. Call it first in main, before a key is read. INTERNAL with
// the system's words where the kernel refuses.
absl::Status HardenProcess();

}  // namespace handfast::observe

#endif  // HANDFAST_SERVER_OBSERVE_HARDENING_H_
