// The log: one line an event, with typed fields, on standard error; JSON, or text on a terminal.
// Every package of the service may include this. A value is a number, a flag or text; there is no
// way to pass a Secret. Text is escaped and cut, so that nothing a peer sends can forge a line or
// move a terminal's cursor. A call site that floods is limited, and says how much it held back.
#ifndef HANDFAST_SERVER_OBSERVE_LOG_H_
#define HANDFAST_SERVER_OBSERVE_LOG_H_

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace handfast::observe {

enum class Level : uint8_t { kTrace, kDebug, kInfo, kWarning, kError };

// Keys are literals of lower case and '_'. Well-known ones: request_id, tenant, peer, rpc, code,
// duration_s (seconds); times and sizes carry their unit in the key.
class Field {
 public:
  Field(const char* key, std::string_view value) : key_(key), value_(value) {}
  Field(const char* key, const std::string& value) : Field(key, std::string_view{value}) {}
  Field(const char* key, const char* value) : key_(key), value_(std::string_view(value)) {}
  Field(const char* key, bool value) : key_(key), value_(value) {}
  Field(const char* key, double value) : key_(key), value_(value) {}
  template <std::signed_integral N>
  Field(const char* key, N value) : key_(key), value_(static_cast<int64_t>(value)) {}
  template <std::unsigned_integral N>
  requires(!std::same_as<N, bool>) Field(const char* key, N value)
      : key_(key), value_(static_cast<uint64_t>(value)) {}

  using Value = std::variant<std::string_view, int64_t, uint64_t, double, bool>;
  std::string_view key() const { return key_; }
  const Value& value() const { return value_; }

 private:
  std::string_view key_;
  Value value_;  // text is viewed: a Field lives as long as its expression
};

// Where in the source a line is logged; made by its own default arguments. (std::source_location is
// not there with clang 14.)
struct CallSite {
  const char* file;
  int line;
  bool limited = true;
  static CallSite Here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
  // No line is held back: for what is promised to be logged each time, and bounded elsewhere.
  static CallSite Unlimited(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line, false};
  }
};

// Longer text is cut, and ends in "...". Long enough for a SPIFFE ID or a DNS name (253).
inline constexpr size_t kMaxFieldBytes = 256;
// A call site's lines a second, and in a burst. A site that needs more is a metric.
inline constexpr double kLinesPerSecond = 200;
inline constexpr double kLineBurst = 1000;

// Writes a line where the level is enabled and the call site not over its limit. `component` is the
// package: "custody". `message` is a constant sentence; what varies goes into fields.
// Thread-safe. Never fails, never throws.
void Log(Level level, std::string_view component, std::string_view message,
         std::initializer_list<Field> fields = {}, CallSite site = CallSite::Here());

// So that costly fields are made only where they are wanted.
bool Enabled(Level level);

// ---- For main and tests.

enum class Format : uint8_t { kAuto, kJson, kText };  // kAuto: text where stderr is a terminal

// Before the first call, lines of kInfo and above go to stderr as kAuto says.
void ConfigureLog(Level level, Format format);
// The level alone, at run time.
void SetLogLevel(Level level);

// Sends finished lines (without their newline) to `sink` until destroyed, at kTrace and as `format`
// says; for tests. The clock gives seconds since the epoch.
class CapturedLog {
 public:
  CapturedLog(Format format, std::function<void(std::string_view line)> sink,
              std::function<double()> clock);
  ~CapturedLog();
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;
};

}  // namespace handfast::observe

#endif  // HANDFAST_SERVER_OBSERVE_LOG_H_
