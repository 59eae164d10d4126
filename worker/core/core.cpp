#include "worker/core/core.hpp"

#include <algorithm>
#include <cmath>

#include "common/base/planted.hpp"

namespace eole::worker {

using protocol::HeldState;
using protocol::OrderKind;
using protocol::read_task_run;
using protocol::read_task_spec;

namespace {
constexpr std::size_t kEarlyCancelsMax = 65536;
constexpr int kSilentHalfBeatsMax = 9;  // The ventilator answers every other beat: one may be lost.
}  // namespace

Core::Core(Config config, RunId run, TimePoint now)
    : config_(std::move(config)), run_(run), next_hello_(now), heartbeat_(config_.heartbeat) {}

void Core::on_event(Event event, TimePoint now, Actions& out) {
  std::visit([&](auto& concrete) { on(concrete, now, out); }, event);
}

// ---- The link.

protocol::Hello Core::hello() const {
  protocol::Hello hello;
  hello.run = run_;
  hello.hello = hello_number_;
  hello.last_start = last_link_.start;
  hello.last_hello = last_link_.hello;
  hello.received = last_received_;
  hello.name = config_.name;
  hello.pid = config_.pid;
  hello.slots = config_.slots;
  for (const auto& kind : config_.kinds) hello.kinds += (hello.kinds.empty() ? "" : ",") + kind;
  hello.payload = encode_held(held_list());
  return hello;
}

// Every task received and not yet gone.
std::vector<protocol::Held> Core::held_list() const {
  std::vector<protocol::Held> held;
  for (const auto& [id, entry] : held_)
    if (!entry.is_dropped || !planted("dropped-means-gone"))
      held.push_back({id, entry.lease, entry.is_wanted_anew ? HeldState::kWaiting : entry.state});
  for (const auto& batch : batches_)
    for (const auto& task : batch->tasks)
      held.push_back({task.id, task.lease, HeldState::kStarted});
  for (const auto& parcel : outbox_)
    for (auto i = floor_ < parcel.first ? 0 : floor_ + 1 - parcel.first; i < parcel.tasks.size();
         ++i)
      if (const auto& task = parcel.tasks[i]; !task.is_tried_again)
        held.push_back({task.id, task.lease, HeldState::kFinished});
  std::sort(held.begin(), held.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return held;
}

// The link is in doubt: close the pipe first, so that what arrived is final, then ask anew.
void Core::say_hello(TimePoint now, Actions& out) {
  if (state_ != LinkState::kHello) {
    out.push_back(ClosePipe{});
    last_link_ = link_;
    last_received_ = received_;
    ++hello_number_;
    state_ = LinkState::kHello;
    early_cancels_.clear();
  }
  next_hello_ = now + config_.retry;
  out.push_back(SendHello{hello()});
}

void Core::on(WelcomeReceived& event, TimePoint now, Actions& out) {
  const auto& welcome = event.welcome;
  ventilator_heard_ = now;
  if (state_ != LinkState::kHello || welcome.run != run_ || welcome.hello != hello_number_) return;
  link_ = {welcome.start, run_, hello_number_};
  heartbeat_ = std::chrono::milliseconds(std::clamp(welcome.heartbeat_ms, 10U, 60'000U));
  received_ = limit_ = limit_sent_ = 0;
  state_ = LinkState::kOpening;
  next_hello_ = now + config_.retry * 3;  // The pipe must stand by then.
  out.push_back(OpenPipe{welcome.pipe});
}

void Core::on(HelloAgainReceived& event, TimePoint now, Actions& out) {
  if (planted("hello-again-ignored")) return;
  if (event.run == run_ && state_ != LinkState::kHello) say_hello(now, out);
}

void Core::on(PipeUp&, TimePoint now, Actions&) {
  if (state_ != LinkState::kOpening) return;
  state_ = LinkState::kLinked;
  ventilator_heard_ = now;
  wants_beat_ = true;
}

void Core::on(PipeDown&, TimePoint now, Actions& out) {
  if (state_ != LinkState::kHello) say_hello(now, out);
}

// ---- Tasks.

void Core::on(TasksReceived& event, TimePoint now, Actions& out) {
  const auto& tasks = event.tasks;
  if (state_ == LinkState::kHello || Link{tasks.start, tasks.run, tasks.hello} != link_) return;
  if (tasks.first != received_ + 1 && !planted("pipe-gap-ignored")) return say_hello(now, out);
  ventilator_heard_ = now;
  auto batch = std::make_shared<Batch>();
  batch->payload = std::move(event.tasks.payload);
  const bool is_whole = receive_all(tasks, *batch);
  if (!batch->tasks.empty()) {
    batches_.push_back(batch);
    batches_started_ = now;
    out.push_back(StartBatch{std::move(batch)});
  }
  if (!is_whole) say_hello(now, out);
}

// False if the message is not what it says; what was good of it is received.
bool Core::receive_all(const protocol::Tasks& tasks, Batch& batch) {
  auto& highest = highest_[tasks.origin];
  std::string_view kind;  // Of the task before: neighbours mostly share it.
  bool is_inline = false;
  ByteReader runs(batch.payload);
  batch.tasks.reserve(std::min<std::size_t>(tasks.count, batch.payload.size() / 8));
  for (std::uint32_t received = 0; received < tasks.count;) {
    const auto run = read_task_run(runs);
    if (!run || run->count == 0 || run->count > tasks.count - received) return false;
    ByteReader specs(run->specs);
    for (std::uint32_t i = 0; i < run->count; ++i) {
      const auto rest = specs.rest();
      const auto spec = read_task_spec(specs);
      if (!spec) return false;
      if (spec->kind != kind) {
        kind = spec->kind;
        is_inline = config_.inline_kinds.contains(kind);
      }
      const Task task{
          {tasks.origin, run->seq + i}, {tasks.start, run->lease_number + i}, run->attempt, *spec};
      ++received_;
      const bool is_new = task.id.seq > highest || !is_here(task);
      highest = std::max(highest, task.id.seq);
      if (is_new)
        receive(task, rest.substr(0, rest.size() - specs.rest().size()), is_inline, batch);
    }
    received += run->count;
  }
  return true;
}

// The same task again: the later lease counts, and it is never started twice. But the next
// attempt of a task that failed here is new; the failure is on its way to the sink.
bool Core::is_here(const Task& task) {
  if (planted("second-copy-started")) return false;
  if (auto* finished = find_finished(task.id)) {
    if (!finished->is_final && task.lease > finished->lease)
      return !(finished->is_tried_again = true);
    finished->lease = std::max(finished->lease, task.lease);
    return true;
  }
  for (const auto& batch : batches_)
    for (auto& started : batch->tasks)
      if (started.id == task.id) {
        started.lease = std::max(started.lease, task.lease);
        return true;
      }
  const auto found = held_.find(task.id);
  if (found == held_.end()) return false;
  auto& entry = found->second;
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

void Core::receive(const Task& task, std::string_view raw_spec, bool is_inline, Batch& batch) {
  const bool is_cancelled = !early_cancels_.empty() && early_cancels_.erase(task.id) > 0;
  if (is_inline && !is_draining_ && !is_cancelled) {
    ++unfinished_;
    batch.tasks.push_back(task);
    return;
  }
  auto& entry = held_[task.id] = {};
  entry.lease = task.lease;
  entry.attempt = task.attempt;
  entry.spec = raw_spec;
  if (is_draining_ || !config_.kinds.contains(task.spec.kind)) {
    entry.state = HeldState::kReturned;
    wants_beat_ = true;
    return;
  }
  entry.is_cancelled = is_cancelled;
  ++unfinished_;
  waiting_.push_back(task.id);
}

void Core::start_tasks(TimePoint now, Actions& out) {
  while (!waiting_.empty()) {
    const auto id = waiting_.front();
    const auto found = held_.find(id);
    if (found == held_.end() || found->second.state != HeldState::kWaiting) {
      waiting_.pop_front();
      continue;
    }
    auto& entry = found->second;
    entry.has_slot = !entry.is_cancelled;
    if (entry.has_slot && running_ >= config_.slots) break;
    waiting_.pop_front();
    entry.state = HeldState::kStarted;
    entry.started = now;
    if (entry.has_slot) ++running_;
    out.push_back(StartTask{id, entry.lease, entry.attempt, entry.is_cancelled, entry.spec});
  }
}

void Core::on(OrdersReceived& event, TimePoint now, Actions& out) {
  const auto& orders = event.orders;
  if (Link{orders.start, orders.run, orders.hello} != link_) return;
  ventilator_heard_ = now;
  if (orders.ask_beat != 0) wants_beat_ = true;
  for (const auto& order : event.list) obey(order, out);
}

void Core::obey(const protocol::Order& order, Actions& out) {
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
        held_.erase(found);
      }
      return;
    case OrderKind::kReleased:
      if (entry.state == HeldState::kReturned && entry.lease <= order.lease) held_.erase(found);
      return;
    case OrderKind::kRecall:
      if (!is_waiting || entry.lease != order.lease) return;
      entry.state = HeldState::kReturned;
      --unfinished_;
      wants_beat_ = true;
      return;
  }
}

void Core::on(DrainAsked&, TimePoint, Actions&) {
  if (is_draining_) return;
  is_draining_ = true;
  wants_beat_ = true;
  for (auto& [id, entry] : held_) {
    if (entry.state != HeldState::kWaiting) continue;
    entry.state = HeldState::kReturned;
    --unfinished_;
  }
  waiting_.clear();
}

// ---- Credit and beats.

std::uint64_t Core::prefetch() const {
  if (config_.prefetch > 0) return std::uint64_t{config_.prefetch} * config_.slots;
  if (run_seconds_ == 0) return config_.slots;
  const auto ahead = std::chrono::duration<double>(config_.prefetched_time).count() / run_seconds_;
  const auto per_slot = 1 + std::floor(ahead);
  return std::min<std::uint64_t>(config_.prefetch_max,
                                 static_cast<std::uint64_t>(per_slot * config_.slots));
}

// Credit is a level: the highest pipe number that may be sent. It is never lowered (rule V3).
void Core::raise_limit() {
  if (is_draining_ || state_ != LinkState::kLinked) return;
  const auto room_for = [](std::uint64_t most, std::uint64_t now) {
    return most > now ? most - now : 0;
  };
  if (outbox_bytes_ > config_.result_bytes_max) return;
  const auto unfinished = planted("credit-forgets-the-unfinished") ? 0 : unfinished_;
  const auto room =
      std::min(room_for(prefetch(), unfinished), room_for(config_.results_max, unacknowledged()));
  limit_ = std::max(limit_, received_ + room);
}

// When half of what may be held here could come anew; a beat brings the rest.
bool Core::is_credit_urgent() const {
  const auto most = std::min<std::uint64_t>(prefetch(), config_.results_max);
  return limit_ > limit_sent_ && limit_ - limit_sent_ >= most / 2;
}

void Core::beat(TimePoint now, Actions& out) {
  protocol::Beat beat{
      link_.start, run_, link_.hello, ++beats_, received_, limit_, encode_held(held_list())};
  out.push_back(SendBeat{std::move(beat)});
  limit_sent_ = limit_;
  wants_beat_ = false;
  next_beat_ = now + heartbeat_;
}

void Core::on_deadline(TimePoint now, Actions& out) {
  if (is_done_) return;
  start_tasks(now, out);
  // While tasks wait for a slot, results that end close together travel together.
  if (parcels_sent_ < outbox_.size() && (waiting_.empty() || now >= results_due_)) {
    if (parcels_sent_ == 0) next_resend_ = now + config_.retry;
    send_parcels(parcels_sent_, outbox_.size(), out);
    parcels_sent_ = outbox_.size();
  } else if (parcels_sent_ > 0 && now >= next_resend_ && !planted("results-sent-once")) {
    next_resend_ = now + config_.retry;
    is_resending_ = true;  // The oldest first; what follows once the sink answers.
    send_parcels(0, 1, out);
  }
  if (state_ == LinkState::kLinked &&
      now >= ventilator_heard_ + heartbeat_ * kSilentHalfBeatsMax / 2 &&
      !planted("silence-not-noticed"))
    return say_hello(now, out);
  if (state_ != LinkState::kLinked) {
    if (now < next_hello_) return;
    if (is_draining_ && is_empty()) {  // Nobody to say goodbye to.
      is_done_ = true;
      out.push_back(Exit{});
      return;
    }
    return say_hello(now, out);
  }
  raise_limit();
  if (wants_beat_ || now >= next_beat_) {
    beat(now, out);
  } else if (is_credit_urgent()) {
    out.push_back(SendCredit{{link_.start, run_, link_.hello, received_, limit_}});
    limit_sent_ = limit_;
  }
  if (is_draining_ && is_empty()) {
    is_done_ = true;
    out.push_back(SendGoodbye{{link_.start, run_, link_.hello}});
    out.push_back(Exit{});
  }
}

std::optional<TimePoint> Core::next_deadline() const {
  if (is_done_) return std::nullopt;
  auto next = state_ == LinkState::kLinked
                  ? std::min(next_beat_, ventilator_heard_ + heartbeat_ * kSilentHalfBeatsMax / 2)
                  : next_hello_;
  if (parcels_sent_ > 0) next = std::min(next, next_resend_);
  if (parcels_sent_ < outbox_.size()) next = std::min(next, results_due_);
  return next;
}

}  // namespace eole::worker
