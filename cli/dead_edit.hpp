#pragma once
#include <string>
#include <vector>

#include "clients/cpp/tasks/letter_words.hpp"

/// What people change of a dead letter's task.
namespace eole::cli {

using client::reworded;
using client::spec_of_task;
using client::task_of_spec;
using client::TaskRequest;
using client::words_of;

/// "priority=5", "args.timeout=60", "args.headers.accept=text/html": JSON behind the =, or else
/// text. An argument that is not there yet is added.
Expected<void> set_words(protocol::Value& words, const std::vector<std::string>& settings);

/// What a person makes of the words in $VISUAL or $EDITOR.
Expected<protocol::Value> edit_words(const protocol::Value& words);

}  // namespace eole::cli
