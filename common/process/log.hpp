#pragma once
#include <string>

#include "common/base/time.hpp"

namespace eole::process {

/// Names this process in its log lines ("ventilator", "worker w1"). Logs go to standard error.
void start_log(const std::string& name);

/// No lines at all: a simulation has thousands of processes.
void mute_log();

void log_info(const std::string& message);
void log_warning(const std::string& message);
void log_error(const std::string& message);
/// A warning if a write took more than a second: whoever waits for an answer wants to know that it
/// is the disk.
void warn_of_slow_disk(Duration took);

}  // namespace eole::process
