#pragma once
#include <set>
#include <string_view>
#include <utility>

#include "common/base/ids.hpp"
#include "sink/core/checkpoint.hpp"

namespace eole::sink {

/// Of a task: a straggler may fail behind its second copy (rule V12), and no third one runs.
constexpr std::size_t kFailedLeasesMax = 2;

/// The latest leases of each task that is not settled whose failures are in the log (rule R2).
class Failures {
 public:
  /// False if the log has this failure, or kFailedLeasesMax of later leases: so none is news twice.
  bool take(const TaskId& task, const Lease& lease);
  /// What the log says.
  void load(const TaskId& task, const Lease& lease) { take(task, lease); }
  /// These tasks are settled.
  void forget(Origin origin, Seq first, Seq last);
  bool has(const TaskId& task) const;

  void save(SavePlace& place, Bytes& out) const;
  bool load(std::string_view payload);

 private:
  std::set<std::pair<TaskId, Lease>> failed_;
};

}  // namespace eole::sink
