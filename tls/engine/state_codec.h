// The saved form of the engine's states and questions. Saving spends the state, so that a saved
// and a live one never stand side by side. It holds secrets: whoever stores it seals it first.
#ifndef HANDFAST_TLS_ENGINE_STATE_CODEC_H_
#define HANDFAST_TLS_ENGINE_STATE_CODEC_H_

#include "tls/base/result.h"
#include "tls/engine/codec_fields.h"
#include "tls/engine/transition.h"

namespace handfast::tls {

// False where a field exceeds its bounds, which no legal state does.
[[nodiscard]] bool SaveState(SaveFields& io, EngineState spent);
[[nodiscard]] bool LoadState(LoadFields& io, EngineState& state);

[[nodiscard]] bool SaveQuestion(SaveFields& io, Question& question);
[[nodiscard]] bool LoadQuestion(LoadFields& io, Question& question);

[[nodiscard]] bool SaveTrafficKeys(SaveFields& io, TrafficKeys spent);
[[nodiscard]] bool LoadTrafficKeys(LoadFields& io, TrafficKeys& keys);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_STATE_CODEC_H_
