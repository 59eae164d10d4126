#include "worker/core/outbox.hpp"

#include <algorithm>

#include "common/base/planted.hpp"
#include "common/protocol/named_artifacts.hpp"

namespace eole::worker {

using protocol::TaskState;

namespace {

// Whether the results of two tasks that ended alike differ in their bodies only.
bool share_a_run(const Task& one, const Task& next) {
  return next.id.origin == one.id.origin && next.id.seq == one.id.seq + 1 &&
         next.lease.start == one.lease.start && next.lease.number == one.lease.number + 1 &&
         next.attempt == one.attempt && next.submitted_unix_ms == one.submitted_unix_ms &&
         one.key.empty() && next.key.empty() &&
         (next.task_class == one.task_class || *next.task_class == *one.task_class);
}

}  // namespace

Outbox::Outbox(const Config& config, RunId run, Origin origin)
    : retry_(config.retry),
      results_within_(config.results_within),
      results_per_message_(config.results_per_message),
      message_bytes_(config.message_bytes) {
  head_.run = run;
  head_.worker = config.name;
  head_.origin = origin;
  head_.pid = config.pid;
}

void Outbox::add(const Task& task, const TaskFinished& end, TimePoint now) {
  if (sent_ == parcels_.size()) due_ = now + results_within_;
  Bytes body;
  protocol::put_body(body, end.body);
  protocol::ResultRecord record;
  record.state = end.state;
  record.finished_unix_ms = end.finished_unix_ms;
  record.run_us = end.run_us;
  record.artifacts = end.artifacts;
  finish({&task, 1}, record, body);
}

void Outbox::add(std::span<const Task> tasks, const BatchFinished& end, TimePoint now) {
  std::string_view bodies = end.bodies;
  for (std::size_t i = 0; i < tasks.size();) {
    const auto& parcel = open_parcel();
    const auto room = results_per_message_ - parcel.tasks.size();
    std::size_t bytes = end.ends[i].bytes;
    auto next = i + 1;
    for (; next < tasks.size() && next - i < room; ++next) {
      if (end.ends[next].state != end.ends[i].state) break;
      if (!share_a_run(tasks[next - 1], tasks[next])) break;
      if (parcel.records->size() + bytes >= message_bytes_) break;
      bytes += end.ends[next].bytes;
    }
    protocol::ResultRecord record;
    record.state = end.ends[i].state;
    record.finished_unix_ms = end.finished_unix_ms;
    record.run_us = end.run_us;
    finish(tasks.subspan(i, next - i), record, bodies.substr(0, bytes));
    bodies.remove_prefix(bytes);
    i = next;
  }
  due_ = now;
}

// The one that is not sent yet and has room, also for results that name so many artifacts.
Outbox::Parcel& Outbox::open_parcel(std::size_t artifacts) {
  if (parcels_.size() == sent_ || parcels_.back().tasks.size() >= results_per_message_ ||
      parcels_.back().records->size() >= message_bytes_ ||
      parcels_.back().artifacts + artifacts > protocol::kArtifactsPerMessageMax)
    parcels_.emplace_back().first = last_ + 1;
  return parcels_.back();
}

// Gives the results of tasks that share a run their numbers.
void Outbox::finish(std::span<const Task> tasks, const protocol::ResultRecord& end,
                    std::string_view bodies) {
  const auto& first = tasks.front();
  auto record = end;
  record.id = first.id;
  record.lease = first.lease;
  record.attempt = first.attempt;
  record.submitted_unix_ms = first.submitted_unix_ms;
  record.kind = first.task_class->kind;
  record.project = first.task_class->project;
  record.key = first.key;
  // Whether there is another attempt is for the ventilator to say.
  const bool wants_retry = end.state == TaskState::kFailed && first.task_class->retry != 0;
  record.is_final = !first.is_copy && (!wants_retry || planted("every-failure-is-final"));
  record.is_copy = first.is_copy;
  record.may_have_copy = first.task_class->speculate != 0;
  const auto artifacts = end.artifacts.size() / 32;
  auto& parcel = open_parcel(artifacts);
  parcel.artifacts += artifacts;
  const auto before = parcel.records->size();
  protocol::put_result_run(*parcel.records,
                           {record, static_cast<std::uint32_t>(tasks.size()), bodies});
  bytes_ += parcel.records->size() - before;
  last_ += tasks.size();
  for (const auto& task : tasks) {
    parcel.tasks.push_back({task.id, task.lease, record.is_final, planted("finished-means-gone")});
    parcel.seq_min = std::min(parcel.seq_min, task.id.seq);
    parcel.seq_max = std::max(parcel.seq_max, task.id.seq);
  }
}

std::size_t Outbox::first_kept(const Parcel& parcel) const {
  return floor_ < parcel.first ? 0 : floor_ + 1 - parcel.first;
}

Outbox::Finished* Outbox::find(const TaskId& id) {
  for (auto& parcel : parcels_) {
    if (id.seq < parcel.seq_min || id.seq > parcel.seq_max) continue;
    for (auto i = first_kept(parcel); i < parcel.tasks.size(); ++i)
      if (auto& task = parcel.tasks[i]; task.id == id && !task.is_tried_again) return &task;
  }
  return nullptr;
}

bool Outbox::adopt(const Task& task) {
  auto* finished = find(task.id);
  if (finished == nullptr) return false;
  if (!finished->is_final && task.lease > finished->lease) {
    finished->is_tried_again = true;
    return false;
  }
  finished->lease = std::max(finished->lease, task.lease);
  return true;
}

void Outbox::append_held(std::vector<protocol::Held>& held) const {
  for (const auto& parcel : parcels_)
    for (auto i = first_kept(parcel); i < parcel.tasks.size(); ++i)
      if (const auto& task = parcel.tasks[i]; !task.is_tried_again)
        held.push_back({task.id, task.lease, protocol::HeldState::kFinished});
}

void Outbox::on_ack(const protocol::Ack& ack, TimePoint now, Actions& out) {
  if (ack.run != head_.run || ack.origin != head_.origin) return;
  // Another log: it may have none of what we still hold.
  if (log_ != 0 && ack.log != log_ && !planted("another-log-not-noticed")) {
    log_ = ack.log;
    send(0, sent_, out);
    return;
  }
  log_ = ack.log;
  const auto level = std::min(ack.level, last_sent());
  if (level <= floor_) return;
  floor_ = level;
  while (!parcels_.empty() && parcels_.front().last() <= floor_) {
    bytes_ -= parcels_.front().records->size();
    parcels_.pop_front();
    --sent_;
  }
  next_resend_ = now + retry_;
  if (is_resending_) {
    is_resending_ = false;
    send(0, sent_, out);
  }
}

void Outbox::on_deadline(TimePoint now, bool are_more_near, Actions& out) {
  if (sent_ < parcels_.size() && (!are_more_near || now >= due_)) {
    if (sent_ == 0) next_resend_ = now + retry_;
    send(sent_, parcels_.size(), out);
    sent_ = parcels_.size();
  } else if (sent_ > 0 && now >= next_resend_ && !planted("results-sent-once")) {
    next_resend_ = now + retry_;
    is_resending_ = true;  // The oldest first; what follows once the sink answers.
    send(0, 1, out);
  }
}

TimePoint Outbox::next_deadline() const {
  auto next = TimePoint::max();
  if (sent_ > 0) next = next_resend_;
  if (sent_ < parcels_.size()) next = std::min(next, due_);
  return next;
}

void Outbox::send(std::size_t from, std::size_t until, Actions& out) const {
  for (; from < until; ++from) {
    const auto& parcel = parcels_[from];
    auto results = head_;
    results.first = parcel.first;
    results.floor = floor_;
    results.count = static_cast<std::uint32_t>(parcel.tasks.size());
    out.push_back(SendResults{std::move(results), parcel.records});
  }
}

}  // namespace eole::worker
