#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "clients/cpp/tasks/task_words.hpp"

namespace eole::cli {

class Command;

using client::task_words;
using client::TaskRequest;
using client::TaskWord;
using protocol::Value;

/// What the flags of a command say of tasks, by their word.
using SaidWords = std::map<std::string_view, std::vector<std::string>>;
/// Adds the flag of this word, unless it has none.
void add_flag(Command& command, const TaskWord& word, SaidWords& said);
/// What was said, as JSON has it. Throws Failure.
Value::Map words_said(const SaidWords& said);
/// A task of which all that is said. Throws Failure, which names the flag.
TaskRequest task_said(const SaidWords& said);

}  // namespace eole::cli
