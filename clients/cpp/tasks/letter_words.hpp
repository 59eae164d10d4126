#pragma once
#include <string_view>

#include "clients/cpp/tasks/task_request.hpp"
#include "common/protocol/value.hpp"

/// The task of a dead letter as people read and change it.
namespace eole::client {

/// Before the letter's id: the key that makes a replay which is repeated the same replay.
constexpr std::string_view kReplayOf = "replay-of:";

/// Of a letter's spec, a submit's payload with one task. What its arguments take of results stays
/// by the places of its parents.
Expected<TaskRequest> task_of_spec(std::string_view groups);
/// The payload again.
Bytes spec_of_task(const TaskRequest& task);

/// Its words as JSON has them, but for its parents.
protocol::Value words_of(const TaskRequest& task);
/// The task with these words in place of those that words_of shows.
Expected<TaskRequest> reworded(TaskRequest task, const protocol::Value& words);

}  // namespace eole::client
