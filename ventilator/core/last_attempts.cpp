#include "ventilator/core/last_attempts.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::ventilator {

void LastAttempts::put(Seq seq, ClassId id, const protocol::TaskClass& task_class) {
  waiting_.try_emplace(id, Lane{&task_class, {}}).first->second.seqs.push_back(seq);
}

std::vector<Worker*> LastAttempts::idle(Fleet& fleet, const OthersWait& others_wait,
                                        std::size_t& busy) {
  std::vector<Worker*> idle;
  for (const auto run : fleet.order()) {
    auto& worker = *fleet.find(run);
    busy += worker.alone ? 1 : 0;
    if (worker.alone || (worker.is_others_turn && others_wait(worker))) continue;
    if (worker.is_idle()) idle.push_back(&worker);
  }
  return idle;
}

// The class of the highest priority whose first task is the oldest, but for those of which none can
// be placed now.
LastAttempts::Waiting::iterator LastAttempts::choose(const std::set<ClassId>& stuck,
                                                     const Tasks& tasks, const IsOpen& is_open) {
  auto chosen = waiting_.end();
  const auto turn = [](const Lane& lane) {
    return std::pair(-lane.task_class->priority, lane.seqs.front());
  };
  for (auto lane = waiting_.begin(); lane != waiting_.end();) {
    auto& seqs = lane->second.seqs;
    const auto is_over = [&](Seq seq) {
      const auto* task = tasks.find(seq);
      return task == nullptr || !task->is(Task::State::kReady);
    };
    while (!seqs.empty() && is_over(seqs.front())) seqs.pop_front();
    if (seqs.empty()) {
      lane = waiting_.erase(lane);
      continue;
    }
    const bool is_next = chosen == waiting_.end() || turn(lane->second) < turn(chosen->second);
    if (is_next && !stuck.contains(lane->first) && is_open(*lane->second.task_class)) chosen = lane;
    ++lane;
  }
  return chosen;
}

void LastAttempts::place(Fleet& fleet, const Tasks& tasks, const OthersWait& others_wait,
                         const IsOpen& is_open, const Lease& lease, TimePoint now) {
  last_now_ = now;
  reserved_.pass(now);
  std::set<ClassId> stuck;
  auto lane = choose(stuck, tasks, is_open);
  const auto* reserved = reserved_.run() ? fleet.find(*reserved_.run()) : nullptr;
  if (reserved == nullptr || std::none_of(waiting_.begin(), waiting_.end(), [&](const auto& each) {
        return Fleet::fits(*reserved, *each.second.task_class, tasks.placement());
      }))
    reserved_.end();
  if (lane == waiting_.end()) return;
  std::size_t busy = 0;  // With last attempts.
  auto idle = this->idle(fleet, others_wait, busy);
  const auto most = std::max<std::size_t>(1, fleet.size() / 2);
  for (; lane != waiting_.end() && busy < most; lane = choose(stuck, tasks, is_open)) {
    const auto& task_class = *lane->second.task_class;
    if (idle.empty() && !reserved_.may_begin(now)) break;
    const auto willing = std::find_if(idle.begin(), idle.end(), [&](const Worker* worker) {
      return Fleet::fits(*worker, task_class, tasks.placement()) ||
             planted("lanes-that-do-not-fit");
    });
    if (willing == idle.end()) {
      if (reserved_.may_begin(now)) reserve(fleet, task_class, tasks, others_wait, now);
      stuck.insert(lane->first);
      continue;
    }
    auto& worker = **willing;
    idle.erase(willing);
    ++busy;
    reserved_.on_placed(worker.link.run);
    const auto seq = lane->second.seqs.front();
    lane->second.seqs.pop_front();
    lease(worker, seq);
  }
}

// The worker that is the nearest to having nothing takes nothing new for a while.
void LastAttempts::reserve(Fleet& fleet, const protocol::TaskClass& task_class, const Tasks& tasks,
                           const OthersWait& others_wait, TimePoint now) {
  const Worker* nearest = nullptr;
  for (const auto run : fleet.order()) {
    const auto& worker = *fleet.find(run);
    if (worker.alone || worker.silence.is_suspect() ||
        !Fleet::fits(worker, task_class, tasks.placement()))
      continue;
    if (worker.is_others_turn && others_wait(worker)) continue;
    if (nearest == nullptr || worker.leases.outstanding() < nearest->leases.outstanding())
      nearest = &worker;
  }
  if (nearest == nullptr) return;
  reserved_.begin(nearest->link.run, now);
}

std::optional<TimePoint> LastAttempts::next_deadline() const {
  const bool is_one_due = reserved_.run() || (!waiting_.empty() && !reserved_.may_begin(last_now_));
  return is_one_due ? std::optional(reserved_.next_change()) : std::nullopt;
}

}  // namespace eole::ventilator
