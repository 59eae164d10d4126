#include "ventilator/core/queue.hpp"

#include <algorithm>
#include <utility>

namespace eole::ventilator {

bool is_refused_by(const Task& task, RunId run) {
  if (!task.story) return false;
  const auto& by = task.story->refused_by;
  return std::find(by.begin(), by.end(), run) != by.end();
}

bool is_refused_by_all(const Task& task, const std::vector<RunId>& workers) {
  return task.story && std::all_of(workers.begin(), workers.end(),
                                   [&](RunId run) { return is_refused_by(task, run); });
}

void Queue::park(Seq seq, Tasks& tasks) {
  tasks.park(*tasks.find(seq));
  parked_.push_back(seq);
}

std::vector<Seq> Queue::take_parked(Tasks& tasks) {
  std::vector<Seq> taken;
  for (const auto seq : std::exchange(parked_, {})) {
    auto* task = tasks.find(seq);
    if (task == nullptr || !task->is(Task::State::kParked)) continue;
    tasks.give_back(*task);
    taken.push_back(seq);
  }
  return taken;
}

// Skips what is settled, or is more than queued already.
std::optional<Stretch> Queue::Fresh::take(std::uint64_t most, const Tasks& tasks,
                                          const SeqRanges& settled) {
  while (next <= last) {
    if (next <= settled.highest()) {
      next = settled.first_missing(next);
      if (next > last) break;
    }
    const auto first = next;
    const bool is_untouched = first > tasks.highest() && first > settled.highest();
    const auto count = is_untouched ? std::min(most, last + 1 - first) : 1;
    next += count;
    if (is_untouched || tasks.find(first) == nullptr) return Stretch{first, count};
  }
  return std::nullopt;
}

std::optional<Stretch> Queue::next(RunId run, const std::vector<RunId>& workers, std::uint64_t most,
                                   Tasks& tasks, const SeqRanges& settled) {
  for (std::size_t tries = ready_.size(); tries > 0; --tries) {
    const auto seq = ready_.front();
    ready_.pop_front();
    const auto* task = tasks.find(seq);
    if (task == nullptr || !task->is(Task::State::kReady)) continue;
    if (!is_refused_by(*task, run)) return Stretch{seq, 1};
    if (is_refused_by_all(*task, workers)) {
      park(seq, tasks);
    } else {
      ready_.push_back(seq);
    }
  }
  if (is_recovered_open_)
    if (const auto stretch = recovered_.take(most, tasks, settled)) return stretch;
  return fresh_.take(most, tasks, settled);
}

bool Queue::is_empty() const { return size() == 0; }

std::uint64_t Queue::size() const {
  return ready_.size() + fresh_.size() + (is_recovered_open_ ? recovered_.size() : 0);
}

}  // namespace eole::ventilator
