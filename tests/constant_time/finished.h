// Engine states that wait for a Finished, made by hand so that their secrets are known, and the
// messages that are right and wrong for them.
#ifndef HANDFAST_TESTS_CONSTANT_TIME_FINISHED_H_
#define HANDFAST_TESTS_CONSTANT_TIME_FINISHED_H_

#include "tls/engine/engine.h"

namespace handfast::constant_time {

// A server's, of either version, and a TLS 1.3 client's. With `secret` its keys are poisoned.
tls::EngineState ServerWaits13(bool secret);
tls::EngineState ServerWaits12(bool secret);
tls::EngineState ClientWaits13(bool secret);

// The Finished message that the state waits for.
tls::Bytes RightFor13();
tls::Bytes RightFor12();

// One step, whose context issues no ticket.
tls::Transition StepOn(tls::EngineState state, tls::ByteView message);

}  // namespace handfast::constant_time

#endif  // HANDFAST_TESTS_CONSTANT_TIME_FINISHED_H_
