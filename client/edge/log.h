// The edge's log: one line an event on stderr, JSON for machines or text for a terminal. It never
// sees keys or application data.
#ifndef HANDFAST_CLIENT_EDGE_LOG_H_
#define HANDFAST_CLIENT_EDGE_LOG_H_

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace handfast::edge {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };
enum class LogFormat : uint8_t { kJson, kText };

using LogField = std::pair<std::string_view, std::string_view>;

class Log {
 public:
  Log(LogLevel level, LogFormat format) : level_(level), format_(format) {}

  bool Wants(LogLevel level) const { return level >= level_; }

  // From any thread. Lines over the limit of a second are counted and said to be missing in the
  // next second: a flood of bad clients shall not become a flood of writes.
  void Line(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

 private:
  bool TakeTurn(int64_t second, uint32_t& suppressed);

  const LogLevel level_;
  const LogFormat format_;
  std::atomic<int64_t> second_{0};
  std::atomic<uint32_t> lines_{0};
};

// `text` between quotes, as JSON has it.
std::string JsonString(std::string_view text);

}  // namespace handfast::edge

#endif  // HANDFAST_CLIENT_EDGE_LOG_H_
