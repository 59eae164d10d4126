#include "worker/core/core.hpp"

#include <algorithm>
#include <cmath>

#include "common/base/expected.hpp"
#include "common/base/planted.hpp"

namespace eole::worker {

using protocol::HeldState;
using protocol::OrderKind;
using protocol::put_result;
using protocol::read_task_record;
using protocol::read_task_spec;
using protocol::TaskState;

namespace {
constexpr std::size_t kEarlyCancelsMax = 65536;
}

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
  hello.payload = held_records();
  return hello;
}

Bytes Core::held_records() const {
  std::vector<protocol::Held> held;
  held.reserve(held_.size());
  for (const auto& [id, entry] : held_)
    if (!entry.is_dropped) held.push_back({id, entry.lease, entry.state});
  std::sort(held.begin(), held.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return encode_held(held);
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
  received_ = limit_ = limit_sent_ = received_sent_ = 0;
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
  ByteReader reader(tasks.payload);
  for (std::uint32_t i = 0; i < tasks.count; ++i) {
    const auto record = read_task_record(reader);
    if (!record) return say_hello(now, out);
    ++received_;
    receive(*record, tasks.origin, tasks.start);
  }
}

void Core::receive(const protocol::TaskRecord& record, Origin origin, std::uint32_t start) {
  const TaskId id{origin, record.seq};
  const Lease lease{start, record.lease_number};
  auto [found, is_new] = held_.try_emplace(id);
  auto& entry = found->second;
  // The next attempt of a task that failed here; the failure is on its way to the sink.
  const bool is_retry = entry.state == HeldState::kFinished && !entry.is_final;
  if (!is_new && ((is_retry && lease > entry.lease) || planted("second-copy-started"))) {
    entry = {};
    is_new = true;
  }
  if (!is_new) {  // The same task again: the later lease counts, and it is never started twice.
    entry.lease = std::max(entry.lease, lease);
    entry.attempt = std::max(entry.attempt, record.attempt);
    entry.is_last = entry.is_last || record.is_last;
    if (entry.state == HeldState::kReturned) {
      entry.state = HeldState::kWaiting;
      waiting_.push_back(id);
      ++unfinished_;
    }
    return;
  }
  entry.lease = lease;
  entry.attempt = record.attempt;
  entry.is_last = record.is_last;
  entry.spec = record.spec;
  ByteReader reader(entry.spec);
  const auto spec = read_task_spec(reader);
  const std::string kind(spec ? spec->kind : "");
  if (is_draining_ || !config_.kinds.contains(kind)) {
    entry.state = HeldState::kReturned;
    wants_beat_ = true;
    return;
  }
  entry.is_inline = config_.inline_kinds.contains(kind);
  entry.is_cancelled = !early_cancels_.empty() && early_cancels_.erase(id) > 0;
  ++unfinished_;
  waiting_.push_back(id);
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
    entry.is_inline = entry.is_inline || entry.is_cancelled;
    if (!entry.is_inline && running_ >= config_.slots) break;
    waiting_.pop_front();
    entry.state = HeldState::kStarted;
    entry.started = now;
    if (!entry.is_inline) ++running_;
    out.push_back(
        StartTask{id, entry.lease, entry.attempt, entry.is_inline, entry.is_cancelled, entry.spec});
  }
}

void Core::on(TaskFinished& event, TimePoint now, Actions&) {
  const auto found = held_.find(event.id);
  if (found == held_.end() || found->second.state != HeldState::kStarted) return;
  auto& entry = found->second;
  if (!entry.is_inline) --running_;
  const auto seconds = std::max(1e-6, std::chrono::duration<double>(now - entry.started).count());
  // A long task counts at once, a short one slowly: hoarding hurts more than a late pipe.
  run_seconds_ =
      run_seconds_ == 0 ? seconds : std::max(seconds, run_seconds_ * 0.8 + seconds * 0.2);
  if (entry.is_inline) run_seconds_ = std::min(run_seconds_, 1e-5);
  if (entry.is_dropped) {
    --unfinished_;
    held_.erase(found);
    return;
  }
  finish(event.id, entry, event);
}

void Core::finish(const TaskId& id, Entry& entry, const TaskFinished& how) {
  ByteReader reader(entry.spec);
  const auto spec = read_task_spec(reader);
  invariant(spec.has_value(), "a held task has a spec");
  protocol::ResultRecord result;
  result.id = id;
  result.lease = entry.lease;
  result.attempt = entry.attempt;
  result.state =
      entry.is_cancelled && how.state != TaskState::kDone ? TaskState::kCancelled : how.state;
  result.is_final = planted("every-failure-is-final") || result.state != TaskState::kFailed ||
                    !spec->retry || entry.is_last;
  if (result.state == TaskState::kFailed && spec->retry && entry.is_last)
    result.state = TaskState::kDead;
  result.finished_unix_ms = how.finished_unix_ms;
  result.run_ms = how.run_ms;
  result.kind = spec->kind;
  result.project = spec->project;
  result.artifacts = how.artifacts;
  result.body = how.body;
  Outgoing outgoing{id, entry.lease, {}};
  entry.is_final = result.is_final;
  put_result(outgoing.record, result);
  outbox_bytes_ += outgoing.record.size();
  outbox_.push_back(std::move(outgoing));
  entry.state = HeldState::kFinished;
  entry.spec.clear();
  --unfinished_;
  if (planted("finished-means-gone")) held_.erase(id);
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
      if (is_started && !entry.is_dropped) {
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

// ---- Results.

void Core::on(AckReceived& event, TimePoint now, Actions& out) {
  const auto& ack = event.ack;
  if (ack.run != run_) return;
  if (log_ != 0 && ack.log != log_ &&
      !planted(
          "another-log-not-noticed")) {  // Another log: it may have none of what we still hold.
    log_ = ack.log;
    send_results(floor_ + 1, sent_results(), out);
    return;
  }
  log_ = ack.log;
  const auto level = std::min(ack.level, sent_results());
  if (level <= floor_) return;
  for (; floor_ < level; ++floor_) {
    const auto& front = outbox_.front();
    const auto held = held_.find(front.id);
    const bool is_retried = held != held_.end() && held->second.lease != front.lease &&
                            held->second.state != HeldState::kFinished;
    if (!is_retried && held != held_.end()) held_.erase(held);
    outbox_bytes_ -= front.record.size();
    outbox_.pop_front();
    --sent_in_outbox_;
  }
  next_resend_ = now + config_.retry;
  if (is_resending_) {
    is_resending_ = false;
    send_results(floor_ + 1, sent_results(), out);
  }
}

// Sends the numbers from … until again or for the first time, in messages of bounded size.
void Core::send_results(std::uint64_t from, std::uint64_t until, Actions& out) const {
  while (from <= until) {
    protocol::Results results;
    results.run = run_;
    results.first = from;
    results.floor = floor_;
    results.worker = config_.name;
    while (from <= until && results.count < config_.results_per_message &&
           results.payload.size() < config_.message_bytes) {
      results.payload += outbox_[from - floor_ - 1].record;
      ++results.count;
      ++from;
    }
    out.push_back(SendResults{std::move(results)});
  }
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
      std::min(room_for(prefetch(), unfinished), room_for(config_.results_max, outbox_.size()));
  limit_ = std::max(limit_, received_ + room);
}

bool Core::is_credit_urgent() const {
  if (limit_ <= limit_sent_) return false;
  const auto usable = limit_sent_ > received_ ? limit_sent_ - received_ : 0;
  return usable <= (limit_ - received_) / 2;
}

void Core::beat(TimePoint now, Actions& out) {
  protocol::Beat beat{link_.start, run_, link_.hello, ++beats_, received_, limit_, held_records()};
  out.push_back(SendBeat{std::move(beat)});
  limit_sent_ = limit_;
  received_sent_ = received_;
  wants_beat_ = false;
  next_beat_ = now + heartbeat_;
}

void Core::on_deadline(TimePoint now, Actions& out) {
  if (is_done_) return;
  start_tasks(now, out);
  if (sent_in_outbox_ < outbox_.size()) {
    if (sent_in_outbox_ == 0) next_resend_ = now + config_.retry;
    const auto from = sent_results() + 1;
    sent_in_outbox_ = outbox_.size();
    send_results(from, sent_results(), out);
  } else if (sent_in_outbox_ > 0 && now >= next_resend_ && !planted("results-sent-once")) {
    next_resend_ = now + config_.retry;
    is_resending_ = true;  // The oldest first; what follows once the sink answers.
    send_results(floor_ + 1,
                 std::min<std::uint64_t>(sent_results(), floor_ + config_.results_per_message),
                 out);
  }
  if (state_ == LinkState::kLinked && now >= ventilator_heard_ + heartbeat_ * 7 / 2 &&
      !planted("silence-not-noticed"))
    return say_hello(now, out);
  if (state_ != LinkState::kLinked) {
    if (now < next_hello_) return;
    if (is_draining_ && held_.empty() && outbox_.empty()) {  // Nobody to say goodbye to.
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
    received_sent_ = received_;
  }
  if (is_draining_ && held_.empty() && outbox_.empty()) {
    is_done_ = true;
    out.push_back(SendGoodbye{{link_.start, run_, link_.hello}});
    out.push_back(Exit{});
  }
}

std::optional<TimePoint> Core::next_deadline() const {
  if (is_done_) return std::nullopt;
  auto next = state_ == LinkState::kLinked
                  ? std::min(next_beat_, ventilator_heard_ + heartbeat_ * 7 / 2)
                  : next_hello_;
  if (sent_in_outbox_ > 0) next = std::min(next, next_resend_);
  return next;
}

}  // namespace eole::worker
