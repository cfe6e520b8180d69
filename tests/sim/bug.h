// What can be planted, to see that the simulation finds it. The product has no such switch: each
// stands in a fake around it.
#ifndef HANDFAST_TESTS_SIM_BUG_H_
#define HANDFAST_TESTS_SIM_BUG_H_

namespace handfast::sim {

enum class Bug {
  kNone,
  // The store swaps whatever generation it is given.
  kSwapIgnoresGeneration,
  // It answers with an old value and then swaps on it.
  kSwapsOnStaleReads,
  // A replica tells a step's reply before it is swapped in.
  kTellsBeforeSwap,
  // A stream's listener is told twice.
  kTellsTwice,
  // What is kept is the state before the last step rather than its reply: a retry makes it anew.
  kRecomputesReplies,
  // A replica's clock stands still, and its deadlines with it.
  kIgnoresDeadlines,
  // A store that was rolled back goes on with what it has, rather than as a new incarnation.
  kRestoresSnapshots,
  // Who loses a swap is told that it won.
  kLosersWin,
};

}  // namespace handfast::sim

#endif  // HANDFAST_TESTS_SIM_BUG_H_
