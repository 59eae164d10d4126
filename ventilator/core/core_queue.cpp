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
constexpr std::size_t kAloneTried = 64;  // Last attempts looked at in one turn.
constexpr int kReservedShare = 5;        // At most a fifth of the time a worker is kept empty.
constexpr Duration kReservedMost = 600s;

bool contains(const std::vector<RunId>& runs, RunId run) {
  return std::find(runs.begin(), runs.end(), run) != runs.end();
}
}  // namespace

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
  if (task.is_cancelled) return pass_verdict(seq, task, protocol::TaskState::kCancelled);
  if (counts && task.attempt >= attempts_max_of(seq) && !planted("attempts-without-end"))
    return pass_verdict(seq, task, protocol::TaskState::kDead);
  enqueue(seq, task, counts);
}

void Core::enqueue(Seq seq, Task& task, bool in_front) {
  task.state = State::kReady;
  const bool is_last_chance = task.attempt + 1 >= attempts_max_of(seq);
  const bool is_feared =
      task.story && (task.story->is_feared || (planted("failed-means-feared") && task.attempt > 0));
  if (is_last_chance && is_feared) return alone_.push_back(seq);
  in_front ? ready_.push_front(seq) : ready_.push_back(seq);
}

void Core::pass_verdict(Seq seq, Task& task, protocol::TaskState state) {
  task.state = State::kVerdict;
  task.verdict = state;
  verdicts_.insert(seq);
  new_verdicts_.push_back(seq);
}

// The new ones at once; all that are not read in the log yet, every now and then.
void Core::push_verdicts(TimePoint now, Actions& out) {
  const auto push = [&](Seq seq) {
    const auto& task = *active_.find(seq);
    out.push_back(PushVerdict{seq, task.lease, task.attempt, task.verdict, task.is_unconfirmed,
                              task.story ? task.story->reasons : std::vector<std::string>{}});
  };
  const auto fresh = std::exchange(new_verdicts_, {});
  if (fresh.size() == verdicts_.size()) next_verdicts_ = now;
  if (now < next_verdicts_ || planted("verdict-pushed-once")) {
    for (const auto seq : fresh)
      if (verdicts_.contains(seq)) push(seq);  // Not settled within this turn.
    return;
  }
  next_verdicts_ = now + config_.retry;
  for (const auto seq : verdicts_) push(seq);
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
  return !ready_.empty() || fresh_.next <= fresh_.last ||
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
    if (!task.story || !contains(task.story->refused_by, worker.link.run)) return Stretch{seq, 1};
    if (is_refused_by_all(task)) {
      task.state = State::kParked;
      parked_.push_back(seq);
    } else {
      ready_.push_back(seq);
    }
  }
  return next_fresh(most);
}

bool Core::is_refused_by_all(const Task& task) const {
  return task.story && std::all_of(order_.begin(), order_.end(), [&](RunId run) {
           return contains(task.story->refused_by, run);
         });
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

// The last attempt of what may kill its worker runs in one that has nothing else, so that it
// harms nobody and no neighbour's crash counts. Others are not to wait for it: such attempts have
// half of the workers at most, take turns with what waits beside them, and what no worker takes
// is passed over.
void Core::dispatch_alone(TimePoint now, Actions& out) {
  if (reserved_ && now >= reserved_until_) {
    reserved_.reset();
    next_reserved_ = now + reserved_for_ * (kReservedShare - 1);
    reserved_for_ = std::min(reserved_for_ * 2, kReservedMost);
  }
  if (alone_.empty() || (reserved_ && find_worker(*reserved_) == nullptr)) reserved_.reset();
  std::vector<Worker*> idle;
  std::size_t busy = 0;  // With last attempts.
  for (const auto run : alone_.empty() ? std::vector<RunId>{} : order_) {
    auto& worker = workers_.at(run);
    busy += worker.alone ? 1 : 0;
    if (worker.alone || worker.is_suspect || (worker.is_others_turn && has_tasks())) continue;
    if (worker.outstanding == 0 && worker.limit > worker.sent) idle.push_back(&worker);
  }
  const auto most = std::max<std::size_t>(1, order_.size() / 2);
  for (auto tries = std::min(alone_.size(), kAloneTried); tries > 0 && busy < most; --tries) {
    if (idle.empty() && (reserved_ || now < next_reserved_)) break;
    const auto seq = alone_.front();
    alone_.pop_front();
    auto* task = active_.find(seq);
    if (task == nullptr || task->state != State::kReady) continue;
    if (!order_.empty() && is_refused_by_all(*task)) {
      task->state = State::kParked;
      parked_.push_back(seq);
      continue;
    }
    const auto refused = task->story ? task->story->refused_by : std::vector<RunId>{};
    const auto willing = std::find_if(idle.begin(), idle.end(), [&](const Worker* worker) {
      return !contains(refused, worker->link.run);
    });
    if (willing == idle.end()) {
      if (!reserved_ && now >= next_reserved_) reserve(now, refused);
      if (idle.empty() && (reserved_ || order_.empty())) return alone_.push_front(seq);
      alone_.push_back(seq);
      continue;
    }
    auto& worker = **willing;
    idle.erase(willing);
    ++busy;
    if (reserved_ == worker.link.run) reserved_.reset();
    reserved_for_ = kReservedFor;
    Load load;
    lease_to(worker, seq, load);
    worker.alone = seq;
    send(worker, std::move(load), out);
  }
}

// The worker that is the nearest to having nothing takes nothing new for a while.
void Core::reserve(TimePoint now, const std::vector<RunId>& refused) {
  const Worker* nearest = nullptr;
  for (const auto run : order_) {
    const auto& worker = workers_.at(run);
    if (worker.alone || worker.is_suspect || contains(refused, run)) continue;
    if (worker.is_others_turn && has_tasks()) continue;
    if (nearest == nullptr || worker.outstanding < nearest->outstanding) nearest = &worker;
  }
  if (nearest == nullptr) return;
  reserved_ = nearest->link.run;
  reserved_until_ = now + reserved_for_;
}

void Core::dispatch(TimePoint now, Actions& out) {
  dispatch_alone(now, out);
  while (has_tasks()) {
    std::vector<Worker*> open;
    std::erase_if(open_, [&](RunId run) {
      const auto found = workers_.find(run);
      if (found == workers_.end()) return true;
      auto& worker = found->second;
      worker.is_open = worker.limit > worker.sent;
      if (worker.is_open && !worker.is_suspect && !worker.alone && reserved_ != run)
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
      worker->is_others_turn = false;
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
