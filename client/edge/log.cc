#include "client/edge/log.h"

#include <unistd.h>

#include <cstdio>
#include <ctime>

namespace handfast::edge {
namespace {

// Enough to see what goes on; a disk takes it for ever.
constexpr uint32_t kMaxLinesPerSecond = 200;

std::string_view NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

std::string TimeText(const timespec& now) {
  std::tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  char text[40];
  const size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + size, sizeof text - size, ".%03ldZ", now.tv_nsec / 1000000);
  return text;
}

}  // namespace

std::string JsonString(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      // Bytes that may not be UTF-8 are shown by number.
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
      quoted += escaped;
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

bool Log::TakeTurn(int64_t second, uint32_t& suppressed) {
  int64_t last = second_.load(std::memory_order_relaxed);
  if (last != second && second_.compare_exchange_strong(last, second)) {
    const uint32_t written = lines_.exchange(0);
    suppressed = written > kMaxLinesPerSecond ? written - kMaxLinesPerSecond : 0;
  }
  return lines_.fetch_add(1) < kMaxLinesPerSecond;
}

void Log::Line(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!Wants(level)) return;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  uint32_t suppressed = 0;
  if (!TakeTurn(now.tv_sec, suppressed)) return;
  const std::string missing = suppressed > 0 ? std::to_string(suppressed) : std::string();
  std::string line;
  if (format_ == LogFormat::kJson) {
    line = "{\"time\":\"" + TimeText(now) + "\",\"level\":\"" + std::string(NameOf(level)) +
           "\",\"component\":\"edge\",\"msg\":" + JsonString(message);
    for (const auto& [name, value] : fields) {
      line += ",\"" + std::string(name) + "\":" + JsonString(value);
    }
    if (!missing.empty()) line += ",\"suppressed\":" + missing;
    line += "}\n";
  } else {
    line = TimeText(now) + " " + std::string(NameOf(level)) + " " + std::string(message);
    for (const auto& [name, value] : fields) {
      line += " " + std::string(name) + "=" + JsonString(value);
    }
    if (!missing.empty()) line += " suppressed=" + missing;
    line += '\n';
  }
  // One write, so that lines of several threads do not mix; a full pipe's rest is lost.
  (void)!write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace handfast::edge
