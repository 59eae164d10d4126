#pragma once
#include <deque>
#include <map>
#include <set>

#include "common/base/ids.hpp"

namespace eole::sink {

/// Tasks that may run twice and ended lately: the other copy of one ends within seconds.
constexpr std::size_t kCopiedMax = 4096;

/// Under which leases tasks ended that may run twice at once, so that the end of the copy that does
/// not count is told from one that comes again.
class Copies {
 public:
  /// The end that counts.
  void remember_end(const TaskId& task, const Lease& lease) {
    const auto [found, is_new] = leases_.try_emplace(task);
    found->second.insert(lease);
    if (!is_new) return;
    order_.push_back(task);
    if (order_.size() <= kCopiedMax) return;
    leases_.erase(order_.front());
    order_.pop_front();
  }
  /// The end of its other copy. Without the one that counts, which a start may not have read, no
  /// end can be told to be another.
  void remember_copy(const TaskId& task, const Lease& lease) {
    const auto found = leases_.find(task);
    if (found != leases_.end()) found->second.insert(lease);
  }
  /// It ended lately, and not under this lease.
  bool is_other(const TaskId& task, const Lease& lease) const {
    const auto found = leases_.find(task);
    return found != leases_.end() && !found->second.contains(lease);
  }

 private:
  std::map<TaskId, std::set<Lease>> leases_;
  std::deque<TaskId> order_;
};

}  // namespace eole::sink
