#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/ids.hpp"
#include "common/protocol/task_class.hpp"
#include "common/protocol/value.hpp"

namespace eole::worker {

constexpr std::size_t kReferencesMax = 4096;  // Among the arguments of one task.
constexpr std::size_t kPathBytesMax = 1024;   // Of one reference.

/// What a task takes from its parents: each {"$result": PARENT, "path"?: "a.b"} among its
/// arguments becomes that value of the parent's result. PARENT is a place in the task's list of
/// parents, from 0 on, or the id of one of them. What is put in is never looked through: a result
/// cannot make others be read. Pure.
class References {
 public:
  /// `args` outlives it, and is changed by nobody else. Errors: what is no reference, or names no
  /// single parent.
  static Expected<References> find(protocol::Value& args, const TaskId& own,
                                   const std::vector<protocol::Parent>& parents);

  /// Whose results are wanted, each once, in no order that matters.
  std::vector<TaskId> wanted() const;
  /// Puts in place what is wanted of `parent`, whose result the sink shows as `record`. Errors name
  /// the parent, and what of it is not there, or too large, or too deep.
  Expected<void> put(const TaskId& parent, const protocol::Value& record);

 private:
  struct Place {
    protocol::Value* value = nullptr;
    std::string path;  // Empty: all of it.
    int depth = 0;     // Lists and maps around it.
  };
  std::map<TaskId, std::vector<Place>> places_;
  std::size_t bytes_ = 0;  // Of the arguments, with what was put in place.
};

}  // namespace eole::worker
