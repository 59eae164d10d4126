#pragma once
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/ids.hpp"
#include "common/protocol/value.hpp"
#include "worker/handlers/handler.hpp"

namespace eole::worker {

constexpr std::size_t kPartsMax = 4'194'304;  // Of one project, 32 bytes of memory each.
constexpr std::size_t kMissingShownMax = 8;   // Of the parts that were not done.

/// What the tasks of a project came to, in the order of the tasks, which is not that in which they
/// ended: in a file, and of each its place. What another task did anew has the place of the first.
class Parts {
 public:
  /// `path`: where the file may be.
  explicit Parts(std::string path);

  /// A task's result as the sink shows it.
  Expected<void> add(const protocol::Value& result);
  /// Once all are there. Errors: which of them were not done.
  Expected<void> put_in_order();
  std::size_t size() const { return places_.size(); }
  /// `id`, and what there is of `value`, `artifact` and `artifacts`.
  Expected<protocol::Value> at(std::size_t index);

 private:
  struct Place {
    TaskId part_of;  // The first task that was to do it.
    std::uint64_t offset = 0;
    std::uint32_t bytes = 0;
    bool is_done = false;
  };
  std::string path_;
  std::ofstream written_;
  std::ifstream read_;
  std::uint64_t bytes_ = 0;
  std::vector<Place> places_;
};

/// The project whose last task this is; empty if it is none's.
std::string last_task_of(const TaskContext& context);

/// All that the sink has of the project, in order. Errors: also which parts were not done.
Expected<void> gather(Parts& parts, const std::string& project, TaskContext& context);

}  // namespace eole::worker
