#include "common/process/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "common/base/text.hpp"

namespace eole::process {

void start_log(const std::string& name) {
  auto logger = spdlog::stderr_color_mt(name);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %n: %v", spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
}

void mute_log() { spdlog::set_level(spdlog::level::off); }

void log_info(const std::string& message) { spdlog::info("{}", message); }
void log_warning(const std::string& message) { spdlog::warn("{}", message); }
void log_error(const std::string& message) { spdlog::error("{}", message); }

void warn_of_slow_disk(Duration took) {
  if (took > 1s)
    log_warning(
        text("the disk took ", took / 1ms, " ms to confirm a write; answers waited for it"));
}

}  // namespace eole::process
