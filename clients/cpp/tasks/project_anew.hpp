#pragma once
#include <map>
#include <optional>
#include <string>

#include "clients/cpp/tasks/task_request.hpp"
#include "common/base/ids.hpp"
#include "common/protocol/value.hpp"

/// What of a project was not done, and the tasks that do it anew.
namespace eole::client {

/// Which parts of a project nobody did. A part is called by the first task that was to do it.
struct Missing {
  std::map<TaskId, TaskId> parts;    // And who tried last.
  std::map<TaskId, TaskId> part_of;  // Of each task that was not done, whether missing or not.
  std::map<TaskId, TaskId> done;     // Who did a part anew.
  /// Tasks behind this one belong to a retry that did not come to its end: they are as if they were
  /// not there, so that the same is missing.
  std::optional<TaskId> before;

  /// A page of the query `parts` with `missing`. Errors: an id that is none.
  Expected<void> add(const protocol::Value& page);
  /// Once all pages were added: what was done anew is not missing.
  void finish();
};

/// The key of a retry's messages, to which their number is added: said again, they are the same.
/// `after`: what the ventilator calls the retry; empty: it has no name for it.
std::string retry_key(const std::string& project, const std::string& after);

/// A task that does a part anew: those that it waited for and that were not done are who does them
/// now, or did. `raw`: the task as a submit's payload; `index_of`: the place of each missing part.
Expected<TaskRequest> task_anew(std::string_view raw, const Missing& missing,
                                const std::map<TaskId, std::uint64_t>& index_of);

}  // namespace eole::client
