#include <algorithm>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "ventilator/core/core.hpp"

// Second copies of what is late (ring rule V12).
namespace eole::ventilator {

void Core::copy_stragglers(const std::vector<const Worker*>& wanting, TimePoint now, Actions& out) {
  if (stragglers_.is_empty()) return;
  for (const auto* idle : wanting) {
    auto& worker = *fleet_.find(idle->link.run);
    const auto seq =
        stragglers_.find(now, [&](Seq one, ClassId id) { return may_copy(one, id, worker, now); });
    if (!seq) continue;
    const auto id = durable_.classes.of(*seq);
    Load load;
    lease_to(worker, *seq, id, load);
    limits_.on_leased(durable_.classes.at(id), 1, now);
    send(worker, std::move(load), out);
  }
}

// What may have killed a worker has no copy, and what waits in a worker's store is asked back.
bool Core::may_copy(Seq seq, ClassId id, const Worker& worker, TimePoint now) const {
  const auto* task = tasks_.find(seq);
  if (task == nullptr || !task->is(State::kLeased) || task->run == worker.link.run) return false;
  if (task->story && task->story->was_copied && !planted("copied-again-and-again")) return false;
  if (task->is_cancelled || task->is_feared()) return false;
  const auto* holder = fleet_.find(task->run);
  if (holder == nullptr) return false;
  const auto& stored = holder->waiting;
  if (std::find(stored.begin(), stored.end(), seq) != stored.end()) return false;
  const auto& task_class = durable_.classes.at(id);
  if (task->attempt >= attempts_of(task_class, config_.attempts_max)) return false;
  return limits_.room(task_class, now) > 0 &&
         fleet_.room(worker, task_class, tasks_.placement()) > 0;
}

namespace {
// The later of two leases is the later attempt.
std::uint16_t attempt_of(const Task& task, Lease lease) {
  return static_cast<std::uint16_t>(task.attempt - (lease < task.lease ? 1 : 0));
}

std::string reason_of(const Task& task, Lease lease, const std::string& reason) {
  return text("attempt ", attempt_of(task, lease), ": one of two copies: ", reason);
}
}  // namespace

void Core::end_copy(Task& task, Lease lease, const std::string& reason) {
  const bool is_elder = task.story->elder.lease == lease;
  const auto told = reason_of(task, lease, reason);
  if (auto* worker = fleet_.find(is_elder ? task.story->elder.run : task.run)) worker->release(1);
  tasks_.end_one(task, lease);
  if (!reason.empty()) task.add_reason(told);
}

// Its other copy goes on, and the log has been read: this one had no end of its own.
bool Core::is_lost_copy(const Task& task, Lease lease) const {
  return (task.is(State::kLeased) || task.is(State::kSuspect)) && task.lease != lease &&
         !task.has_elder() && task.story && task.story->was_copied &&
         task.story->failed_copy != lease;
}

// Pushed once: whoever reads of the task may miss it, and nothing follows from it.
void Core::lose_copy(Seq seq, Task& task, Lease lease, const std::string& reason, Actions& out) {
  task.add_reason(reason_of(task, lease, reason));
  out.push_back(PushVerdict{seq,
                            lease,
                            attempt_of(task, lease),
                            protocol::TaskState::kFailed,
                            true,
                            {},
                            {"", reason},
                            true});
}

void Core::end_elder(Task& task) { end_copy(task, task.story->elder.lease, ""); }

}  // namespace eole::ventilator
