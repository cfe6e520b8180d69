// How a log line is written: one JSON object, or text for people. Nothing in a line can end it,
// forge another one, or steer a terminal: control characters are escaped, bytes that are no UTF-8
// replaced, and long values cut.
#ifndef HANDFAST_SERVER_OBSERVE_LOG_LINE_H_
#define HANDFAST_SERVER_OBSERVE_LOG_LINE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "server/observe/log.h"

namespace handfast::observe {

struct LogLine {
  double time_unix_s = 0;
  Level level = Level::kInfo;
  std::string_view component;
  std::string_view message;
  std::span<const Field> fields;
  // Lines of the same call site that were not written before this one.
  uint64_t held_back = 0;
};

// {"time":"2026-01-01T00:00:00.000Z","level":"info","msg":"...","component":"...",...}
std::string JsonLine(const LogLine& line);
// 2026-01-01T00:00:00.000Z info custody: key created tenant=shop key="..."
std::string TextLine(const LogLine& line);

std::string_view Name(Level level);

}  // namespace handfast::observe

#endif  // HANDFAST_SERVER_OBSERVE_LOG_LINE_H_
