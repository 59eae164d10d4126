#pragma once
#include <string>

namespace eole::process {

/// Names this process in its log lines ("ventilator", "worker w1"). Logs go to standard error.
void start_log(const std::string& name);

void log_info(const std::string& message);
void log_warning(const std::string& message);
void log_error(const std::string& message);

}  // namespace eole::process
