#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/ids.hpp"
#include "common/protocol/value.hpp"

/// Where things lie in a ledger, and what its commits say. Pure.
namespace eole::cli::ledger {

using protocol::Value;

/// The folder of a project: its own hierarchy, each name of it as a name that any file system
/// takes and none has a use of its own for. Two projects never share one; a task without a project
/// has one, too.
std::string folder_of(std::string_view project);
/// "photos/k3f9qz-17.json".
std::string task_path(std::string_view project, std::string_view id);
/// "photos.json".
std::string project_path(std::string_view project);
/// Whether a file of this name is a task that was accepted; any other is a person's.
bool is_of_task(std::string_view name);

/// The tasks that a person has written: one, a list, or a line for each. Errors: is none of these.
Expected<std::vector<Value>> read_tasks_written(std::string_view written);

/// What a batch of the log has brought.
struct Batch {
  std::uint64_t records = 0;
  std::uint64_t first = 0;  // Offsets.
  std::uint64_t last = 0;
  void add(std::uint64_t offset);
};
/// "done: 37 tasks, offsets 120 to 160".
std::string done_message(const Batch& batch);
/// "todo: 5 files, up to offset 160".
std::string other_message(std::string_view name, std::size_t files, const Batch& batch);

}  // namespace eole::cli::ledger
