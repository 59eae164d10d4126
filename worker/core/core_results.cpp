#include <algorithm>

#include "common/base/expected.hpp"
#include "common/base/planted.hpp"
#include "worker/core/core.hpp"

// How tasks end, and what is held until the sink has it.
namespace eole::worker {

using protocol::HeldState;
using protocol::put_result_run;
using protocol::read_task_spec;

namespace {

// Whether the results of two tasks that ended alike differ in their bodies only.
bool share_a_run(const Task& one, const Task& next) {
  return next.id.origin == one.id.origin && next.id.seq == one.id.seq + 1 &&
         next.lease.start == one.lease.start && next.lease.number == one.lease.number + 1 &&
         next.attempt == one.attempt && next.spec.retry == one.spec.retry &&
         next.spec.kind == one.spec.kind && next.spec.project == one.spec.project;
}

}  // namespace

// A long task counts at once, a short one slowly: hoarding hurts more than a late pipe.
void Core::learn_length(Duration took, std::size_t tasks) {
  const auto all = std::chrono::duration<double>(took).count();
  const auto seconds = std::max(1e-6, all / static_cast<double>(tasks));
  run_seconds_ =
      run_seconds_ == 0 ? seconds : std::max(seconds, run_seconds_ * 0.8 + seconds * 0.2);
}

void Core::on(TaskFinished& event, TimePoint now, Actions&) {
  const auto found = held_.find(event.id);
  if (found == held_.end() || found->second.state != HeldState::kStarted) return;
  if (parcels_sent_ == outbox_.size()) results_due_ = now + config_.results_within;
  auto& entry = found->second;
  if (entry.has_slot) {
    --running_;
    learn_length(now - entry.started, 1);
  }
  --unfinished_;
  if (entry.is_wanted_anew) return wait_anew(event.id, entry);
  if (!entry.is_dropped) {
    ByteReader reader(entry.spec);
    const auto spec = read_task_spec(reader);
    invariant(spec.has_value(), "a held task has a spec");
    const bool is_cancelled = entry.is_cancelled && event.state != TaskState::kDone;
    Task task{event.id, entry.lease, entry.attempt, *spec};
    task.spec.retry = task.spec.retry || (event.is_lost && !planted("lost-means-failed"));
    Bytes body;
    protocol::put_body(body, event.body);
    finish({&task, 1}, is_cancelled ? TaskState::kCancelled : event.state, event.finished_unix_ms,
           event.run_ms, event.artifacts, body);
  }
  held_.erase(found);
}

// A dropped task has ended that was leased again meanwhile.
void Core::wait_anew(const TaskId& id, Entry& entry) {
  entry.is_dropped = entry.is_wanted_anew = entry.has_slot = false;
  if (is_draining_) {
    --unfinished_;
    entry.state = HeldState::kReturned;
    wants_beat_ = true;
  } else {
    entry.state = HeldState::kWaiting;
    waiting_.push_back(id);
  }
}

void Core::on(BatchFinished& event, TimePoint now, Actions&) {
  if (batches_.empty() || batches_.front() != event.batch) return;
  const std::span<const Task> tasks = batches_.front()->tasks;
  invariant(event.ends.size() == tasks.size(), "each task of a batch has ended");
  std::string_view bodies = event.bodies;
  for (std::size_t i = 0; i < tasks.size();) {
    const auto& parcel = open_parcel();
    const auto room = config_.results_per_message - parcel.tasks.size();
    std::size_t bytes = event.ends[i].bytes;
    auto next = i + 1;
    for (; next < tasks.size() && next - i < room; ++next) {
      if (event.ends[next].state != event.ends[i].state) break;
      if (!share_a_run(tasks[next - 1], tasks[next])) break;
      if (parcel.records->size() + bytes >= config_.message_bytes) break;
      bytes += event.ends[next].bytes;
    }
    finish(tasks.subspan(i, next - i), event.ends[i].state, event.finished_unix_ms, 0, {},
           bodies.substr(0, bytes));
    bodies.remove_prefix(bytes);
    i = next;
  }
  learn_length(now - batches_started_, tasks.size());
  results_due_ = now;
  unfinished_ -= tasks.size();
  batches_.pop_front();
}

// The one that is not sent yet and has room.
Core::Parcel& Core::open_parcel() {
  if (outbox_.size() == parcels_sent_ ||
      outbox_.back().tasks.size() >= config_.results_per_message ||
      outbox_.back().records->size() >= config_.message_bytes)
    outbox_.emplace_back().first = last_result_ + 1;
  return outbox_.back();
}

// Gives the results of tasks that share a run their numbers.
void Core::finish(std::span<const Task> tasks, TaskState state, std::int64_t finished_unix_ms,
                  std::uint32_t run_ms, std::string_view artifacts, std::string_view bodies) {
  const auto& first = tasks.front();
  // Whether there is another attempt is for the ventilator to say.
  const bool wants_retry = state == TaskState::kFailed && first.spec.retry;
  const bool is_final = !wants_retry || planted("every-failure-is-final");
  auto& parcel = open_parcel();
  const auto before = parcel.records->size();
  put_result_run(*parcel.records, {{first.id,
                                    first.lease,
                                    first.attempt,
                                    state,
                                    is_final,
                                    false,
                                    finished_unix_ms,
                                    run_ms,
                                    first.spec.kind,
                                    first.spec.project,
                                    artifacts,
                                    {}},
                                   static_cast<std::uint32_t>(tasks.size()),
                                   bodies});
  outbox_bytes_ += parcel.records->size() - before;
  last_result_ += tasks.size();
  for (const auto& task : tasks) {
    parcel.tasks.push_back({task.id, task.lease, is_final, planted("finished-means-gone")});
    parcel.seq_min = std::min(parcel.seq_min, task.id.seq);
    parcel.seq_max = std::max(parcel.seq_max, task.id.seq);
  }
}

Core::Finished* Core::find_finished(const TaskId& id) {
  for (auto& parcel : outbox_) {
    if (id.seq < parcel.seq_min || id.seq > parcel.seq_max) continue;
    for (auto i = floor_ < parcel.first ? 0 : floor_ + 1 - parcel.first; i < parcel.tasks.size();
         ++i)
      if (auto& task = parcel.tasks[i]; task.id == id && !task.is_tried_again) return &task;
  }
  return nullptr;
}

void Core::on(AckReceived& event, TimePoint now, Actions& out) {
  const auto& ack = event.ack;
  if (ack.run != run_) return;
  // Another log: it may have none of what we still hold.
  if (log_ != 0 && ack.log != log_ && !planted("another-log-not-noticed")) {
    log_ = ack.log;
    send_parcels(0, parcels_sent_, out);
    return;
  }
  log_ = ack.log;
  const auto level = std::min(ack.level, sent_results());
  if (level <= floor_) return;
  floor_ = level;
  while (!outbox_.empty() && outbox_.front().last() <= floor_) {
    outbox_bytes_ -= outbox_.front().records->size();
    outbox_.pop_front();
    --parcels_sent_;
  }
  next_resend_ = now + config_.retry;
  if (is_resending_) {
    is_resending_ = false;
    send_parcels(0, parcels_sent_, out);
  }
}

void Core::send_parcels(std::size_t from, std::size_t until, Actions& out) const {
  for (; from < until; ++from) {
    const auto& parcel = outbox_[from];
    out.push_back(SendResults{{run_,
                               parcel.first,
                               floor_,
                               static_cast<std::uint32_t>(parcel.tasks.size()),
                               config_.name,
                               {}},
                              parcel.records});
  }
}

}  // namespace eole::worker
