// Engine states that wait for a Finished, made by hand so that their secrets are known, and the
// messages that are right and wrong for them.
#ifndef HANDFAST_TESTS_CONSTANT_TIME_FINISHED_H_
#define HANDFAST_TESTS_CONSTANT_TIME_FINISHED_H_

#include <string_view>

#include "tls/engine/engine.h"

namespace handfast::constant_time {

// Of either role and version, and a TLS 1.2 server's that resumes. With `secret` its keys are
// poisoned.
tls::EngineState ServerWaits13(bool secret);
tls::EngineState ServerWaits12(bool secret);
tls::EngineState ServerResumes12(bool secret);
tls::EngineState ClientWaits13(bool secret);
tls::EngineState ClientWaits12(bool secret);

// The Finished message that the state waits for; in TLS 1.2 the peer's name is part of it.
tls::Bytes RightFor13();
tls::Bytes RightFor12(std::string_view label = "client finished");

// One step, whose context issues no ticket.
tls::Transition StepOn(tls::EngineState state, tls::ByteView message);

}  // namespace handfast::constant_time

#endif  // HANDFAST_TESTS_CONSTANT_TIME_FINISHED_H_
