#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "clients/cpp/tasks/task_request.hpp"
#include "common/protocol/value.hpp"

/// The task of a dead letter as people read and change it.
namespace eole::cli {

using client::TaskRequest;

/// Of a letter's spec, a submit's payload with one task. What its arguments take of results stays
/// by the places of its parents.
Expected<TaskRequest> task_of_spec(std::string_view groups);
/// The payload again.
Bytes spec_of_task(const TaskRequest& task);

/// Its words as JSON has them, but for its parents.
protocol::Value words_of(const TaskRequest& task);
/// The task with these words in place of those that words_of shows.
Expected<TaskRequest> reworded(TaskRequest task, const protocol::Value& words);

/// "priority=5", "args.timeout=60", "args.headers.accept=text/html": JSON behind the =, or else
/// text. An argument that is not there yet is added.
Expected<void> set_words(protocol::Value& words, const std::vector<std::string>& settings);

/// What a person makes of the words in $VISUAL or $EDITOR.
Expected<protocol::Value> edit_words(const protocol::Value& words);

}  // namespace eole::cli
