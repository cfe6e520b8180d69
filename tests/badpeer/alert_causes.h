// One row per alert and cause of RFC 8446 §6.2, RFC 5246 §7.2 and the RFCs that add to them; and
// those alerts that a handshake of ours never sends, each with its reason.
#ifndef HANDFAST_TESTS_BADPEER_ALERT_CAUSES_H_
#define HANDFAST_TESTS_BADPEER_ALERT_CAUSES_H_

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {

struct Cause {
  Alert alert;
  Reason reason;
  Side side;
  // Section and words: "RFC 8446 §6.2: the Finished does not verify".
  std::string words;
  std::function<Outcome()> run;
};
inline void PrintTo(const Cause& cause, std::ostream* out) {
  *out << AlertName(static_cast<uint8_t>(cause.alert)) << " " << cause.side.name << ", "
       << cause.words;
}

// Of what a peer sends, and of what our own side says to it.
std::vector<Cause> CausesInMessages();
std::vector<Cause> CausesInAnswers();

struct NeverSent {
  Alert alert;
  const char* why;
};
const std::vector<NeverSent>& AlertsNeverSent();

}  // namespace handfast::tls::badpeer

#endif  // HANDFAST_TESTS_BADPEER_ALERT_CAUSES_H_
