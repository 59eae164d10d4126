#pragma once
#include <string>

#include "clients/cpp/tasks/task_request.hpp"

namespace eole::client {

/// Where an object is wrong that read_task() refuses with the same `preset`: a JSON pointer in it,
/// as "/args/url". What is missing is wrong in what it should be in; empty: in the object itself.
std::string fault_in(const protocol::Value& written, const TaskRequest& preset);

}  // namespace eole::client
