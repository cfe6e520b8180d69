#include "server/observe/log.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "server/observe/log_limit.h"
#include "server/observe/log_line.h"

namespace handfast::observe {
namespace {

double WallSeconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

bool WantsJson(Format format) {
  return format == Format::kJson || (format == Format::kAuto && isatty(STDERR_FILENO) == 0);
}

// Where lines go: one for the process, since every package may log.
struct Destination {
  Destination() : logger("handfast", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    // The line is finished when it comes here, and the level was looked at.
    logger.set_pattern("%v");
    logger.set_level(spdlog::level::trace);
  }

  std::atomic<Level> level = Level::kInfo;
  std::atomic<bool> json = WantsJson(Format::kAuto);
  spdlog::logger logger;

  // What a test has put in place of the above.
  struct Capture {
    bool json;
    std::function<void(std::string_view)> sink;
    std::function<double()> clock;
    LogLimit limit;
  };
  std::mutex capture_mutex;
  std::shared_ptr<Capture> capture;
  std::atomic<bool> captured = false;

  LogLimit limit;

  std::shared_ptr<Capture> Captured() {
    if (!captured.load(std::memory_order_acquire)) return nullptr;
    const std::lock_guard lock(capture_mutex);
    return capture;
  }
};

// Never destroyed: threads may log until the very end.
Destination& TheDestination() {
  static auto* const destination = new Destination;
  return *destination;
}

}  // namespace

bool Enabled(Level level) {
  Destination& destination = TheDestination();
  return destination.captured.load(std::memory_order_relaxed) ||
         level >= destination.level.load(std::memory_order_relaxed);
}

void Log(Level level, std::string_view component, std::string_view message,
         std::initializer_list<Field> fields, CallSite site) {
  if (!Enabled(level)) return;
  Destination& destination = TheDestination();
  const auto capture = destination.Captured();
  LogLine line{.time_unix_s = capture ? capture->clock() : WallSeconds(),
               .level = level,
               .component = component,
               .message = message,
               .fields = {fields.begin(), fields.size()},
               .held_back = 0};
  if (site.limited) {
    LogLimit& limit = capture ? capture->limit : destination.limit;
    const std::optional<uint64_t> held_back = limit.Allow(site, line.time_unix_s);
    if (!held_back) return;
    line.held_back = *held_back;
  }
  const bool json = capture ? capture->json : destination.json.load(std::memory_order_relaxed);
  const std::string text = json ? JsonLine(line) : TextLine(line);
  if (capture) {
    capture->sink(text);
  } else {
    destination.logger.log(spdlog::level::info, spdlog::string_view_t(text.data(), text.size()));
  }
}

void ConfigureLog(Level level, Format format) {
  SetLogLevel(level);
  TheDestination().json = WantsJson(format);
}

void SetLogLevel(Level level) { TheDestination().level = level; }

CapturedLog::CapturedLog(Format format, std::function<void(std::string_view line)> sink,
                         std::function<double()> clock) {
  Destination& destination = TheDestination();
  const std::lock_guard lock(destination.capture_mutex);
  destination.capture = std::make_shared<Destination::Capture>();
  destination.capture->json = format != Format::kText;
  destination.capture->sink = std::move(sink);
  destination.capture->clock = std::move(clock);
  destination.captured.store(true, std::memory_order_release);
}

CapturedLog::~CapturedLog() {
  Destination& destination = TheDestination();
  const std::lock_guard lock(destination.capture_mutex);
  destination.captured.store(false, std::memory_order_release);
  destination.capture = nullptr;
}

}  // namespace handfast::observe
