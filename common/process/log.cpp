#include "common/process/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <mutex>
#include <utility>

#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"

namespace eole::process {

namespace {

/// What the lines of all threads have in common: one process has one log.
struct Shared {
  LogName name;
  std::atomic<bool> is_kept = false;
  std::atomic<bool> has_lines = false;
  std::mutex mutex;
  LogBuffer waiting;
};
Shared& shared() {
  static Shared one;
  return one;
}

void log(LogLevel level, const std::string& message, const TaskId& task) {
  // A part of it may be what a task printed: it forges no lines.
  const auto line = shown(task.seq == 0 ? message : text(to_text(task), ": ", message));
  constexpr std::array kLevels{spdlog::level::info, spdlog::level::warn, spdlog::level::err};
  spdlog::log(kLevels.at(static_cast<std::size_t>(level) - 1), "{}", line);
  auto& all = shared();
  if (!all.is_kept) return;
  const std::lock_guard lock(all.mutex);
  all.waiting.add({unix_ms(), level, task, message});
  all.has_lines = true;
}

}  // namespace

void start_log(LogName name) {
  const auto said = name.name.empty() ? name.role : text(name.role, " ", name.name);
  auto logger = spdlog::stderr_color_mt(said);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %n: %v", spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
  shared().name = std::move(name);
}

const LogName& log_name() { return shared().name; }

void mute_log() { spdlog::set_level(spdlog::level::off); }

void log_info(const std::string& message, const TaskId& task) {
  log(LogLevel::kInfo, message, task);
}
void log_warning(const std::string& message, const TaskId& task) {
  log(LogLevel::kWarning, message, task);
}
void log_error(const std::string& message, const TaskId& task) {
  log(LogLevel::kError, message, task);
}

void warn_of_slow_disk(Duration took) {
  if (took > 1s)
    log_warning(
        text("the disk took ", took / 1ms, " ms to confirm a write; answers waited for it"));
}

void keep_log_lines() { shared().is_kept = true; }
bool has_log_lines() { return shared().has_lines; }

LogBuffer::Taken take_log_lines(std::size_t bytes) {
  auto& all = shared();
  const std::lock_guard lock(all.mutex);
  auto taken = all.waiting.take(bytes);
  all.has_lines = !all.waiting.is_empty();
  return taken;
}

}  // namespace eole::process
