#include <algorithm>
#include <utility>

#include "common/base/expected.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "ventilator/core/core.hpp"

// Which task goes where, and what becomes of one that comes back.
namespace eole::ventilator {

namespace {
constexpr std::size_t kReasonsMax = 16;  // Kept per task; older ones are dropped.
}

Core::Task& Core::make_active(Seq seq) {
  active_highest_ = std::max(active_highest_, seq);
  return active_[seq];
}

Core::Story& Core::story_of(Task& task) {
  if (!task.story) task.story = std::make_unique<Story>();
  return *task.story;
}

// The task is nobody's now: cancelled, dead, or ready again. `counts`: the attempt was used up.
void Core::give_back(Seq seq, Task& task, bool counts, const std::string& reason, Actions& out) {
  if (!reason.empty()) {
    auto& reasons = story_of(task).reasons;
    if (reasons.size() == kReasonsMax) reasons.erase(reasons.begin());
    reasons.push_back(text("attempt ", task.attempt, ": ", reason));
  }
  task.run = 0;
  if (!counts && task.attempt > 0) {
    --task.attempt;  // Noted too, or a restart would count it.
    out.push_back(
        JournalNote{0, task.lease.start, {{seq, task.lease.number, task.attempt}}, false});
  }
  if (task.is_cancelled) return pass_verdict(seq, task, protocol::TaskState::kCancelled, out);
  if (counts && task.attempt >= attempts_max_of(seq) && !planted("attempts-without-end"))
    return pass_verdict(seq, task, protocol::TaskState::kDead, out);
  enqueue(seq, task, counts);
}

void Core::enqueue(Seq seq, Task& task, bool in_front) {
  task.state = State::kReady;
  const bool is_last_chance = task.attempt > 0 && task.attempt + 1 >= attempts_max_of(seq);
  auto& queue = is_last_chance ? alone_ : ready_;
  in_front ? queue.push_front(seq) : queue.push_back(seq);
}

void Core::pass_verdict(Seq seq, Task& task, protocol::TaskState state, Actions& out) {
  task.state = State::kVerdict;
  task.verdict = state;
  verdicts_.insert(seq);
  if (is_introduced_) push_verdict(seq, task, out);
}

void Core::push_verdict(Seq seq, const Task& task, Actions& out) const {
  out.push_back(PushVerdict{seq, task.lease, task.attempt, task.verdict, task.is_unconfirmed,
                            task.story ? task.story->reasons : std::vector<std::string>{}});
}

void Core::unpark() {
  for (const auto seq : parked_) {
    auto* task = active_.find(seq);
    if (task != nullptr && task->state == State::kParked) enqueue(seq, *task, false);
  }
  parked_.clear();
}

// The next tasks that were never dispatched; skips what is settled or has a story already.
std::optional<Core::Stretch> Core::next_fresh(std::uint64_t most) {
  const auto from = [&](Fresh& fresh) -> std::optional<Stretch> {
    while (fresh.next <= fresh.last) {
      if (fresh.next <= durable_.settled.highest()) {
        fresh.next = durable_.settled.first_missing(fresh.next);
        if (fresh.next > fresh.last) break;
      }
      const auto first = fresh.next;
      const bool is_untouched = first > active_highest_ && first > durable_.settled.highest();
      const auto count = is_untouched ? std::min(most, fresh.last + 1 - first) : 1;
      fresh.next += count;
      if (is_untouched || active_.find(first) == nullptr) return Stretch{first, count};
    }
    return std::nullopt;
  };
  if (is_recovered_open_)
    if (const auto stretch = from(recovered_)) return stretch;
  return from(fresh_);
}

bool Core::has_tasks() const {
  return !ready_.empty() || !alone_.empty() || fresh_.next <= fresh_.last ||
         (is_recovered_open_ && recovered_.next <= recovered_.last);
}

// The next tasks for this worker: what came back first, one by one, then what is new.
std::optional<Core::Stretch> Core::next_tasks(const Worker& worker, std::uint64_t most) {
  for (std::size_t tries = ready_.size(); tries > 0; --tries) {
    const auto seq = ready_.front();
    ready_.pop_front();
    auto* found = active_.find(seq);
    if (found == nullptr || found->state != State::kReady) continue;
    auto& task = *found;
    const auto refused = [&](RunId run) {
      return task.story && std::find(task.story->refused_by.begin(), task.story->refused_by.end(),
                                     run) != task.story->refused_by.end();
    };
    if (!refused(worker.link.run)) return Stretch{seq, 1};
    if (std::all_of(order_.begin(), order_.end(), refused)) {
      task.state = State::kParked;
      parked_.push_back(seq);
    } else {
      ready_.push_back(seq);
    }
  }
  return next_fresh(most);
}

void Core::lease_to(Worker& worker, Seq seq, Load& load) {
  auto& task = make_active(seq);
  task.state = State::kLeased;
  task.run = worker.link.run;
  task.is_recalled = false;
  task.lease = {durable_.start, next_lease_};
  if (!planted("lease-used-again")) ++next_lease_;
  ++task.attempt;
  ++leased_;
  ++worker.outstanding;
  ++load.count;
  load.needs_sync = load.needs_sync || task.attempt > 1 || seq <= recovered_.last;
  if (!load.runs.empty()) {
    auto& run = load.runs.back();
    if (run.seq + run.count == seq && run.lease_number + run.count == task.lease.number &&
        run.attempt == task.attempt) {
      ++run.count;
      return;
    }
  }
  load.runs.push_back({seq, task.lease.number, task.attempt, 1});
}

void Core::send(Worker& worker, Load load, Actions& out) {
  const auto first = worker.sent + 1;
  for (const auto& run : load.runs) {
    worker.pipe.push_back(
        {worker.sent + 1, run.seq, {durable_.start, run.lease_number}, run.count});
    worker.sent += run.count;
  }
  if (worker.pipe.size() > worker.pipe_max) {
    std::erase_if(worker.pipe,
                  [&](const InPipe& entry) { return !is_any_leased(entry, worker.link.run); });
    worker.pipe_max = std::max<std::size_t>(64, 2 * worker.pipe.size());
  }
  out.push_back(JournalNote{worker.link.run, durable_.start, load.runs, load.needs_sync});
  out.push_back(SendTasks{worker.link, first, std::move(load.runs)});
}

// A last attempt runs in a worker that has nothing else, so that no neighbour's crash counts.
void Core::dispatch_alone(Actions& out) {
  while (!alone_.empty()) {
    const auto seq = alone_.front();
    const auto* task = active_.find(seq);
    if (task == nullptr || task->state != State::kReady) {
      alone_.pop_front();
      continue;
    }
    const auto refused = task->story ? task->story->refused_by : std::vector<RunId>{};
    Worker* idle = nullptr;
    Worker* reserved = nullptr;
    for (const auto run : order_) {
      auto& worker = workers_.at(run);
      if (worker.is_suspect || worker.alone) continue;
      if (std::find(refused.begin(), refused.end(), run) != refused.end()) continue;
      if (worker.outstanding == 0 && worker.limit > worker.sent) idle = &worker;
      if (worker.is_reserved || reserved == nullptr) reserved = &worker;
    }
    if (idle == nullptr) {
      if (reserved != nullptr) has_reserved_ = reserved->is_reserved = true;
      return;
    }
    alone_.pop_front();
    Load load;
    lease_to(*idle, seq, load);
    idle->alone = seq;
    idle->is_reserved = false;
    send(*idle, std::move(load), out);
  }
  if (!std::exchange(has_reserved_, false)) return;
  for (auto& [run, worker] : workers_) worker.is_reserved = false;
}

void Core::dispatch(Actions& out) {
  dispatch_alone(out);
  while (has_tasks()) {
    std::vector<Worker*> open;
    std::erase_if(open_, [&](RunId run) {
      const auto found = workers_.find(run);
      if (found == workers_.end()) return true;
      auto& worker = found->second;
      worker.is_open = worker.limit > worker.sent;
      if (worker.is_open && !worker.is_suspect && !worker.alone && !worker.is_reserved)
        open.push_back(&worker);
      return !worker.is_open;
    });
    if (open.empty()) return;
    std::rotate(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(turn_++ % open.size()),
                open.end());
    // Shares what there is among those who can take it: nobody starves beside a full neighbour.
    const auto known = ready_.size() + (fresh_.last + 1 - fresh_.next) +
                       (is_recovered_open_ ? recovered_.last + 1 - recovered_.next : 0);
    const auto share = std::clamp<std::uint64_t>(known / open.size(), 1, config_.dispatch_max);
    bool sent_any = false;
    for (auto* worker : open) {
      Load load;
      while (load.count < share && worker->sent + load.count < worker->limit) {
        const auto most = std::min(share, worker->limit - worker->sent) - load.count;
        const auto stretch = next_tasks(*worker, most);
        if (!stretch) break;
        for (std::uint64_t i = 0; i < stretch->count; ++i)
          lease_to(*worker, stretch->first + i, load);
      }
      if (load.count == 0) continue;
      sent_any = true;
      send(*worker, std::move(load), out);
    }
    if (!sent_any) return;
  }
}

}  // namespace eole::ventilator
