#include "worker/core/inbox.hpp"

#include <algorithm>
#include <utility>

#include "common/base/planted.hpp"

namespace eole::worker {

using protocol::HeldState;
using protocol::OrderKind;
using protocol::read_task_run;
using protocol::read_task_spec;

namespace {
constexpr std::size_t kEarlyCancelsMax = 65536;

// What may ask for results waits for them in a slot; what another has failed to do is told as such,
// and so is what is part of a trace.
bool needs_slot(const protocol::TaskSpec& spec) {
  if (!spec.trace.empty()) return true;
  return !spec.conditions.empty() && (spec.args.find("$result") != spec.args.npos ||
                                      protocol::instead_of(spec.conditions) != 0);
}

// The key that orders a task; its result tells it on.
std::string key_of(const protocol::TaskSpec& spec) {
  if (spec.conditions.empty()) return {};
  auto conditions = protocol::decode_conditions(spec.conditions);
  return conditions ? std::move(conditions->key) : std::string();
}
}  // namespace

Inbox::Inbox(const Config& config)
    : slots_(config.slots),
      kinds_{config.kinds, {}},
      inline_kinds_(config.inline_kinds),
      ahead_(config.ahead) {
  offer(config.runners, config.ahead);
}

void Inbox::offer(const std::vector<protocol::RunnerOffer>& runners, Ahead ahead) {
  ahead_ = std::move(ahead);
  kinds_.all = kinds_.own;
  for (const auto& runner : runners)
    for (const auto& kind : runner.kinds)
      if (runner.problem.empty()) kinds_.all.insert(kind.name);
  std::erase_if(waiting_, [&](const TaskId& id) {
    const auto found = held_.find(id);
    if (found == held_.end() || found->second.state != HeldState::kWaiting) return true;
    if (is_offered(found->second)) return false;
    give_back(found->second);
    return true;
  });
}

// What was cancelled has its end here, whoever could run it.
bool Inbox::is_offered(const Entry& entry) const {
  return entry.is_cancelled || kinds_.all.contains(entry.task_class.kind);
}

Inbox::Received Inbox::receive(protocol::Tasks tasks, Outbox& outbox, TimePoint now, Actions& out) {
  auto batch = std::make_shared<Batch>();
  batch->payload = std::move(tasks.payload);
  auto received = receive_all(tasks, outbox, *batch);
  received.bytes = batch->payload.size();
  if (!batch->tasks.empty()) {
    bytes_ += received.bytes;
    batches_.push_back(batch);
    batches_started_ = now;
    out.push_back(StartBatch{std::move(batch)});
  }
  return received;
}

Inbox::Received Inbox::receive_all(const protocol::Tasks& tasks, Outbox& outbox, Batch& batch) {
  auto& highest = highest_[tasks.origin];
  Run open;  // Neighbours mostly share its class.
  Received received;
  ByteReader runs(batch.payload);
  batch.tasks.reserve(
      std::min(std::size_t{tasks.count}, batch.payload.size() / protocol::TaskSpec::kHeaderBytes));
  while (received.count < tasks.count) {
    const auto run = read_task_run(runs);
    if (!run || run->count == 0 || run->count > tasks.count - received.count)
      return received.is_whole = false, received;
    if (!begin_run(run->task_class, open, batch)) return received.is_whole = false, received;
    ByteReader specs(run->specs);
    for (std::uint32_t i = 0; i < run->count; ++i) {
      const auto spec = read_task_spec(specs);
      if (!spec) return received.is_whole = false, received;
      const Task task{{tasks.origin, run->seq + i},
                      {tasks.start, run->lease_number + i},
                      run->attempt,
                      open.task_class,
                      spec->args,
                      run->submitted_unix_ms};
      ++received.count;
      const bool may_be_here = task.id.seq <= highest && !planted("second-copy-started");
      if (may_be_here && (outbox.adopt(task) || is_here(task, run->lost))) continue;
      highest = std::max(highest, task.id.seq);
      receive(task, *spec, run->lost, open, batch);
    }
  }
  return received;
}

// False if its class makes no sense.
bool Inbox::begin_run(std::string_view encoded, Run& run, Batch& batch) const {
  if (run.task_class != nullptr && encoded == run.encoded) return true;
  auto task_class = protocol::decode_class(encoded);
  if (!task_class) return false;
  batch.classes.push_back(std::move(*task_class));
  run.encoded = encoded;
  run.task_class = &batch.classes.back();
  run.is_known = kinds_.all.contains(run.task_class->kind);
  run.is_inline = inline_kinds_.contains(run.task_class->kind);
  return true;
}

// The same task again: the later lease counts, and it is never started twice.
bool Inbox::is_here(const Task& task, std::string_view lost) {
  for (const auto& batch : batches_)
    for (auto& started : batch->tasks)
      if (started.id == task.id) {
        started.lease = std::max(started.lease, task.lease);
        return true;
      }
  const auto found = held_.find(task.id);
  if (found == held_.end()) return false;
  auto& entry = found->second;
  if (task.lease > entry.lease) {
    bytes_ += lost.size() - entry.lost.size();
    entry.lost = lost;
  }
  entry.lease = std::max(entry.lease, task.lease);
  entry.attempt = std::max(entry.attempt, task.attempt);
  if (entry.is_dropped && !entry.is_wanted_anew) {  // It starts once the killed one has ended.
    entry.is_wanted_anew = true;
    ++unfinished_;
  }
  if (entry.state == HeldState::kReturned) {
    entry.state = HeldState::kWaiting;
    waiting_.push_back(task.id);
    ++unfinished_;
  }
  return true;
}

void Inbox::receive(const Task& task, const protocol::TaskSpec& spec, std::string_view lost,
                    const Run& run, Batch& batch) {
  const bool is_cancelled = !early_cancels_.empty() && early_cancels_.erase(task.id) > 0;
  if (run.is_inline && lost.empty() && !needs_slot(spec) && !is_draining_ && !is_cancelled) {
    ++unfinished_;
    batch.tasks.push_back(task);
    if (auto key = key_of(spec); !key.empty())
      batch.tasks.back().key = batch.keys.emplace_back(std::move(key));
    return;
  }
  auto& entry = held_[task.id] = {};
  entry.lease = task.lease;
  entry.attempt = task.attempt;
  entry.task_class = *task.task_class;
  entry.args = task.args;
  entry.conditions = spec.conditions;
  entry.trace = spec.trace;
  entry.submitted_unix_ms = task.submitted_unix_ms;
  entry.lost = lost;
  bytes_ += entry.bytes();
  ++unfinished_;
  if (is_draining_ || !run.is_known) return give_back(entry);
  entry.is_cancelled = is_cancelled;
  waiting_.push_back(task.id);
}

void Inbox::forget(std::unordered_map<TaskId, Entry>::iterator entry) {
  bytes_ -= entry->second.bytes();
  held_.erase(entry);
}

void Inbox::give_back(Entry& entry) {
  entry.state = HeldState::kReturned;
  --unfinished_;
  has_news_ = true;
}

void Inbox::start(TimePoint now, bool may_run, std::uint64_t together, Actions& out) {
  while (!waiting_.empty()) {
    const auto id = waiting_.front();
    const auto found = held_.find(id);
    if (found == held_.end() || found->second.state != HeldState::kWaiting) {
      waiting_.pop_front();
      continue;
    }
    auto& entry = found->second;
    entry.has_slot = !entry.is_cancelled;
    if (entry.has_slot && (slots_.free() == 0 || !may_run)) break;
    waiting_.pop_front();
    begin(id, entry, now, out);
    if (!entry.has_slot) continue;
    slots_.take();
    if (entry.task_class.timeout_ms > 0) limits_.emplace(entry.overdue(), id);
    share_slot(entry, together, now, out);
  }
}

void Inbox::begin(const TaskId& id, Entry& entry, TimePoint now, Actions& out) {
  entry.state = HeldState::kStarted;
  entry.started = now;
  out.push_back(StartTask{id, entry.lease, entry.attempt, entry.is_cancelled, entry.task_class,
                          entry.args, entry.conditions, entry.trace, 0, entry.lost});
}

// Neighbours of its kind, but not what another slot could run now. One with a time limit is alone:
// it would wait for the others on its own time.
void Inbox::share_slot(const Entry& first, std::uint64_t together, TimePoint now, Actions& out) {
  const auto ahead = ahead_.find(first.task_class.kind);
  if (ahead == ahead_.end() || first.task_class.timeout_ms > 0) return;
  const auto part = waiting_.size() / (slots_.free() + 1);
  const auto most = std::min<std::uint64_t>({ahead->second, together, 1 + part});
  const auto at = out.size() - 1;
  while (out.size() - at < most && !waiting_.empty()) {
    const auto id = waiting_.front();
    const auto found = held_.find(id);
    const bool is_here = found != held_.end() && found->second.state == HeldState::kWaiting;
    if (is_here) {
      auto& entry = found->second;
      const auto& its = entry.task_class;
      if (entry.is_cancelled || its.kind != ahead->first || its.timeout_ms > 0) break;
      entry.has_slot = true;

      begin(id, entry, now, out);
    }
    waiting_.pop_front();
  }
  const auto count = out.size() - at;
  if (count == 1) return;
  const auto group = slots_.share(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto& task = std::get<StartTask>(out[at + i]);
    task.more = static_cast<std::uint32_t>(count - 1 - i);
    held_.at(task.id).group = group;
  }
}

void Inbox::leave_slot(Entry& entry) {
  if (std::exchange(entry.has_slot, false)) slots_.leave(std::exchange(entry.group, 0));
}

void Inbox::end_overdue(TimePoint now, Actions& out) {
  while (!limits_.empty() && limits_.begin()->first <= now && !planted("time-limit-ignored")) {
    const auto id = limits_.begin()->second;
    limits_.erase(limits_.begin());
    const auto& entry = held_.at(id);
    if (!entry.is_cancelled && !entry.is_dropped) out.push_back(KillTask{id, true});
  }
}

TimePoint Inbox::next_deadline() const {
  return limits_.empty() || planted("time-limit-ignored") ? TimePoint::max()
                                                          : limits_.begin()->first;
}

void Inbox::obey(const protocol::Order& order, Actions& out) {
  const auto found = held_.find(order.id);
  if (found == held_.end()) {
    if (order.kind == OrderKind::kCancel && early_cancels_.size() < kEarlyCancelsMax)
      early_cancels_.insert(order.id);
    return;
  }
  auto& entry = found->second;
  const bool is_waiting = entry.state == HeldState::kWaiting;
  const bool is_started = entry.state == HeldState::kStarted;
  switch (order.kind) {
    case OrderKind::kCancel:
      if (entry.is_cancelled) return;
      entry.is_cancelled = is_waiting || is_started;
      if (is_started) out.push_back(KillTask{order.id});
      return;
    case OrderKind::kDrop:
      if (entry.lease > order.lease) return;  // A later dispatch of it has arrived since.
      if (entry.is_wanted_anew) {
        entry.is_wanted_anew = false;
        --unfinished_;
      } else if (is_started && !entry.is_dropped) {
        entry.is_dropped = true;
        out.push_back(KillTask{order.id});
      } else if (is_waiting) {
        --unfinished_;
        forget(found);
      }
      return;
    case OrderKind::kReleased:
      if (entry.state == HeldState::kReturned && entry.lease <= order.lease) forget(found);
      return;
    case OrderKind::kRecall:
      if (is_waiting && entry.lease == order.lease) give_back(entry);
      return;
  }
}

void Inbox::give_back_beyond(std::uint64_t most) {
  for (; waiting_.size() > most; waiting_.pop_back()) {
    const auto found = held_.find(waiting_.back());
    if (found != held_.end() && found->second.state == HeldState::kWaiting)
      give_back(found->second);
  }
}

void Inbox::drain() {
  is_draining_ = has_news_ = true;
  for (auto& [id, entry] : held_)
    if (entry.state == HeldState::kWaiting) give_back(entry);
  waiting_.clear();
}

std::optional<Inbox::Ended> Inbox::end(const TaskId& id, TimePoint now) {
  const auto found = held_.find(id);
  if (found == held_.end() || found->second.state != HeldState::kStarted) return std::nullopt;
  auto& entry = found->second;
  Ended ended{
      entry.lease, entry.attempt,          entry.is_cancelled, !entry.is_dropped, {}, false, {},
      {},          entry.submitted_unix_ms};
  if (entry.has_slot) {
    limits_.erase({entry.overdue(), id});
    ended.took = now - entry.started;
    ended.shared_slot = entry.group != 0;
    leave_slot(entry);
  }
  if (entry.is_wanted_anew) {
    --unfinished_;
    wait_anew(id, entry);
    return ended;
  }
  ended.task_class = entry.task_class;
  ended.key = key_of({entry.args, entry.conditions, {}});
  --unfinished_;
  forget(found);
  return ended;
}

Inbox::Again Inbox::wait_again(const TaskId& id) {
  const auto found = held_.find(id);
  if (found == held_.end()) return Again::kNot;
  auto& entry = found->second;
  if (entry.state != HeldState::kStarted || entry.is_cancelled || entry.is_dropped)
    return Again::kNot;
  leave_slot(entry);
  limits_.erase({entry.overdue(), id});
  entry.state = HeldState::kWaiting;
  if (is_draining_ || !is_offered(entry)) return give_back(entry), Again::kElsewhere;
  waiting_.push_back(id);
  return Again::kHere;
}

// A dropped task has ended that was leased again meanwhile.
void Inbox::wait_anew(const TaskId& id, Entry& entry) {
  entry.is_dropped = entry.is_wanted_anew = entry.has_slot = false;
  entry.state = HeldState::kWaiting;
  if (is_draining_) return give_back(entry);
  waiting_.push_back(id);
}

std::optional<Inbox::EndedBatch> Inbox::end(const std::shared_ptr<const Batch>& batch,
                                            TimePoint now) {
  if (batches_.empty() || batches_.front() != batch) return std::nullopt;
  unfinished_ -= batch->tasks.size();
  bytes_ -= batch->payload.size();
  batches_.pop_front();
  return EndedBatch{batch, now - batches_started_};
}

void Inbox::append_held(std::vector<protocol::Held>& held) const {
  for (const auto& [id, entry] : held_)
    if (!entry.is_dropped || !planted("dropped-means-gone"))
      held.push_back({id, entry.lease, entry.is_wanted_anew ? HeldState::kWaiting : entry.state});
  for (const auto& batch : batches_)
    for (const auto& task : batch->tasks)
      held.push_back({task.id, task.lease, HeldState::kStarted});
}

}  // namespace eole::worker
