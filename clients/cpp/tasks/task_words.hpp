#pragma once
#include <span>
#include <string>
#include <string_view>

#include "clients/cpp/tasks/task_request.hpp"
#include "common/protocol/value.hpp"

namespace eole::client {

/// One word of a task, as JSON has it ("not_before") and as a flag of submit (--not-before).
struct TaskWord {
  enum class Is { kFlag, kNumber, kText, kTexts, kOnlyJson };
  std::string_view name;
  Is is = Is::kText;
  std::string_view shown;  // What stands for its value in the help.
  std::string_view help;
  Expected<void> (*set)(TaskRequest& task, const protocol::Value& value);
  std::string_view flag = {};  // Without --; empty: as its name.
};
std::span<const TaskWord> task_words();
/// Errors name the word, and what it may be.
Expected<void> set_word(TaskRequest& task, std::string_view name, const protocol::Value& value);

}  // namespace eole::client
