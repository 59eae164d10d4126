#pragma once
#include <map>
#include <string_view>

#include "common/base/ids.hpp"
#include "sink/core/checkpoint.hpp"

namespace eole::sink {

/// The last failure of each task that is not settled: how far the attempts are of which the log
/// tells (rule R2).
class Failures {
 public:
  /// False if the log has this failure, or a later one of the task.
  bool take(const TaskId& task, const Lease& lease);
  /// What the log says, in its order.
  void load(const TaskId& task, const Lease& lease) { last_[task] = lease; }
  /// These tasks are settled.
  void forget(Origin origin, Seq first, Seq last);
  bool has(const TaskId& task) const { return last_.contains(task); }

  void save(SavePlace& place, Bytes& out) const;
  bool load(std::string_view payload);

 private:
  std::map<TaskId, Lease> last_;
};

}  // namespace eole::sink
