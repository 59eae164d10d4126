#pragma once
#include <string>

#include "common/base/log_line.hpp"
#include "common/base/time.hpp"

namespace eole::process {

/// Who it is that logs: "worker" and "w1". Lines go to standard error.
struct LogName {
  std::string role;
  std::string name = {};  // Empty: there is one of this role.
};
void start_log(LogName name);
const LogName& log_name();

/// No lines at all: a simulation has thousands of processes.
void mute_log();

/// A line about a task names it, so that it is found by it. Thread-safe.
void log_info(const std::string& message, const TaskId& task = {});
void log_warning(const std::string& message, const TaskId& task = {});
void log_error(const std::string& message, const TaskId& task = {});
/// A warning if a write took more than a second: whoever waits for an answer wants to know that it
/// is the disk.
void warn_of_slow_disk(Duration took);

/// From now on lines also wait for who takes them, to send them on.
void keep_log_lines();
bool has_log_lines();
LogBuffer::Taken take_log_lines(std::size_t bytes);

}  // namespace eole::process
