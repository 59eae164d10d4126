#include "ventilator/core/core.hpp"

#include <algorithm>

#include "common/base/expected.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/value.hpp"

// Submits, cancels and the log. Workers are in core_workers.cpp, the queue in core_queue.cpp.
namespace eole::ventilator {

using protocol::Settlement;
using protocol::Value;

namespace {

constexpr std::size_t kUnconfirmedAlways = 1024;  // As no client that confirms ever has.

protocol::Answer answer(std::uint64_t request, Value value) {
  return {request, value.to_msgpack()};
}

// [[first, last], …]
Value list(const Settlement& settlement) {
  Value::Array ranges;
  for (const auto& [first, last] : settlement.ranges) ranges.push_back(Value::Array{first, last});
  return ranges;
}

}  // namespace

Core::Core(Config config, Durable durable, TimePoint now)
    : config_(config), durable_(std::move(durable)), started_(now), last_now_(now) {
  recovered_ = {1, durable_.last};
  fresh_ = {durable_.last + 1, durable_.last};
  for (const auto& [first, note] : durable_.notes.runs())
    for (std::uint32_t i = 0; i < note.count; ++i) {
      if (durable_.settled.contains(first + i)) continue;
      auto& task = make_active(first + i);
      task.state = State::kNoted;
      if (planted("restart-runs-at-once")) enqueue(first + i, task, false);
      task.attempt = note.attempt;
      task.lease = {note.lease.start, note.lease.number + i};
      task.run = note.run;
    }
  for (const auto seq : durable_.cancelled) {
    if (durable_.settled.contains(seq)) continue;
    auto& task = make_active(seq);
    task.is_cancelled = true;
    task.state = State::kNoted;
  }
  durable_.notes = {};
  durable_.answers.take_for_new(now);
}

std::optional<PartRecord> Core::save(SavePlace& place) const {
  return save_next(place, [&](SavePlace& at, Bytes& out) {
    at.part == Part::kNotes ? save_notes(at, out) : durable_.save(at, out);
  });
}

// Neighbours that are leased together are one entry.
void Core::save_notes(SavePlace& place, Bytes& out) const {
  Seq first = 0;
  Note note;
  const auto put_last = [&] {
    if (first != 0) put_note(out, first, note);
    first = 0;
  };
  for (auto seq = place.number; const auto* task = active_.next(seq); ++seq) {
    if (out.size() + 2 * kNoteBytes > kPartBytesMax) break;
    place.number = seq + 1;
    if (task->attempt == 0) continue;
    const bool follows = first + note.count == seq && note.run == task->run &&
                         note.attempt == task->attempt &&
                         task->lease == Lease{note.lease.start, note.lease.number + note.count};
    if (first != 0 && follows && note.count < protocol::kTasksPerMessageMax) {
      ++note.count;
      continue;
    }
    put_last();
    first = seq;
    note = {task->run, task->lease, task->attempt, 1};
  }
  put_last();
}

void Core::on_event(Event event, TimePoint now, Actions& out) {
  std::visit([&](auto& concrete) { on(concrete, now, out); }, event);
}

// ---- Clients.

const Answered* Core::find_answer(const Submitted& event, std::string& conflict) const {
  const auto& submit = event.submit;
  if (!submit.key.empty()) {
    const auto* known = durable_.answers.find(submit.key);
    if (known == nullptr) return nullptr;
    if (known->hash != event.hash)
      conflict = text("key ", submit.key, ": was used for other tasks");
    return &known->answered;
  }
  if (planted("repeat-answered-anew")) return nullptr;
  return durable_.answers.find(submit.run, submit.request);
}

// A client that confirms is not in the way of others, however much they have it remember.
bool Core::is_remembering_too_much(const Submitted& event) const {
  const auto& [peer, submit, hash, is_full, unix_ms] = event;
  if (durable_.answers.bytes() < config_.answer_bytes_max || planted("answers-without-a-bound"))
    return false;
  return !submit.key.empty() || durable_.answers.unconfirmed(submit.run) >= kUnconfirmedAlways;
}

void Core::on(Submitted& event, TimePoint now, Actions& out) {
  auto& submit = event.submit;
  const auto refuse = [&](std::string reason) {
    out.push_back(Reply{event.peer, protocol::Refused{submit.request, std::move(reason)}});
  };
  std::string conflict;
  if (const auto* known = find_answer(event, conflict)) {
    if (!conflict.empty()) return refuse(std::move(conflict));
    out.push_back(
        Reply{event.peer, protocol::Acceptance{submit.request, known->first, known->count}});
    return;
  }
  const bool is_over =
      submit.key.empty() && durable_.answers.is_confirmed(submit.run, submit.request);
  if (is_over && !planted("late-copy-taken-for-news")) return;  // Its client has had the answer.
  if (event.is_storage_full) return refuse("storage full: the ventilator's disk has no room");
  if (submit.count == 0) return refuse("submit: no tasks");
  if (queued() + submit.count > config_.queued_max)
    return refuse(text("queue full: ", queued(), " tasks queued, limit ", config_.queued_max));
  if (is_remembering_too_much(event))
    return refuse(text(
        "answers to earlier submits take ", durable_.answers.bytes(), " bytes, limit ",
        config_.answer_bytes_max,
        submit.key.empty() ? ": this client confirms none of them" : ": keys are kept for a day"));

  const auto first = durable_.last + 1;
  durable_.last += submit.count - (planted("sequence-number-twice") && submit.count > 1 ? 1 : 0);
  fresh_.last = durable_.last;
  // Kept also where it is the default of today: a later start may have another.
  if (submit.attempts_max != 0) durable_.limits[first] = {submit.count, submit.attempts_max};

  const Answered answered{first, submit.count};
  if (!submit.key.empty()) {
    durable_.answers.add({submit.key, event.hash, answered, now});
  } else {
    durable_.answers.add(submit.run, submit.request, submit.confirmed, answered, now);
  }
  out.push_back(Reply{event.peer, protocol::Acceptance{submit.request, first, submit.count}});
  out.push_back(JournalTasks{first, std::move(event.hash), std::move(submit), event.unix_ms});
}

void Core::forget_old_answers(TimePoint now) {
  if (now < next_prune_) return;
  next_prune_ = now + config_.request_retention / 24;
  durable_.answers.forget_before(now - config_.request_retention);
}

std::uint8_t Core::attempts_max_of(Seq seq) const {
  const auto after = durable_.limits.upper_bound(seq);
  if (after == durable_.limits.begin()) return config_.attempts_max;
  const auto& [first, limit] = *std::prev(after);
  return seq < first + limit.first ? limit.second : config_.attempts_max;
}

bool Core::is_known(const TaskId& id) const {
  return id.origin == durable_.origin && id.seq >= 1 && id.seq <= durable_.last;
}

void Core::on(CancelAsked& event, TimePoint, Actions& out) {
  Settlement cancelling;
  Settlement settled;
  Settlement unknown;
  for (const auto& [first, last] : event.ranges)
    for (auto seq = first; seq <= last; ++seq) {
      const bool is_settled = durable_.settled.contains(seq);
      (!is_known({event.origin, seq}) ? unknown
       : is_settled                   ? settled
                                      : cancelling)
          .add({seq, seq});
    }
  out.push_back(Reply{event.peer, answer(event.request, Value::Map{{"cancelling", list(cancelling)},
                                                                   {"settled", list(settled)},
                                                                   {"unknown", list(unknown)}})});
  for (const auto& [first, last] : cancelling.ranges)
    for (auto seq = first; seq <= last; ++seq) cancel(seq, out);
}

void Core::cancel(Seq seq, Actions& out) {
  if (!durable_.cancelled.insert(seq).second) return;
  out.push_back(JournalCancel{seq});
  const bool is_fresh = active_.find(seq) == nullptr;
  auto& task = make_active(seq);
  // An earlier start may have sent it: its worker has the rest of the grace to say so.
  if (is_fresh && seq <= recovered_.last && !is_noted_open_) task.state = State::kNoted;
  task.is_cancelled = true;
  if (task.state == State::kReady || task.state == State::kParked) {
    pass_verdict(seq, task, protocol::TaskState::kCancelled);
  } else if (task.state == State::kLeased) {
    const auto* worker = find_worker(task.run);
    if (worker == nullptr) return;
    const TaskId id{durable_.origin, seq};
    out.push_back(SendOrders{
        worker->peer, worker->link, false, {{protocol::OrderKind::kCancel, id, task.lease}}});
  }
}

std::optional<TaskView> Core::task(Seq seq) const {
  if (seq < 1 || seq > durable_.last || durable_.settled.contains(seq)) return std::nullopt;
  TaskView view;
  view.state = "queued";
  const auto* found = active_.find(seq);
  if (found == nullptr) return view;
  const auto& task = *found;
  view.attempt = task.attempt;
  if (task.story) view.reasons = task.story->reasons;
  if (task.state == State::kLeased || task.state == State::kBarrier) {
    view.state = "running";
    const auto worker = workers_.find(task.run);
    if (worker != workers_.end()) view.worker = worker->second.name;
  }
  if (task.state == State::kParked) view.reasons.push_back("refused by every connected worker");
  if (task.is_cancelled) view.state = "cancelling";
  return view;
}

// ---- The log.

void Core::on(IntroducedReceived& event, TimePoint now, Actions& out) {
  if (event.start != durable_.start) return;  // An answer to the life before.
  if (event.settled.highest() > durable_.last && !planted("journal-may-go-back")) {
    out.push_back(Stop{text("the journal went back: its highest task is ", durable_.last,
                            ", the sink knows ", event.settled.highest())});
    return;
  }
  if (is_introduced_ && log_ == event.log) return;  // A late second answer.
  is_introduced_ = true;
  log_ = event.log;
  cursor_ = event.offset;
  head_seen_ = event.offset;
  reading_.reset();
  Forget forget;
  for (const auto& [first, last] : event.settled.ranges()) {
    settle({first, last});
    forget.ranges.push_back({first, last});
  }
  if (!forget.ranges.empty()) out.push_back(std::move(forget));
  bury_lost();
  // What barriers waited for is answered by another log, or by this reading of the ranges.
  for (auto& barrier : barriers_) barrier.after_request = next_request_;
  follow(now, out);
  next_verdicts_ = {};  // This log may have none of them.
}

// What damage took from the journal, and the log does not know as settled, is dead.
void Core::bury_lost() {
  for (const auto& [first, last] : durable_.lost.ranges()) {
    for (auto seq = durable_.settled.first_missing(first); seq <= last;
         seq = durable_.settled.first_missing(seq + 1)) {
      auto& task = make_active(seq);
      if (task.state == State::kVerdict) continue;
      story_of(task).reasons.push_back("its task was lost: the journal was damaged, and salvaged");
      task.state = State::kVerdict;
      task.verdict = protocol::TaskState::kDead;
      verdicts_.insert(seq);
    }
  }
}

void Core::on(SettledReceived& event, TimePoint now, Actions& out) {
  const auto& settled = event.settled;
  if (!is_introduced_) return;
  if (settled.log != log_) {  // The log was lost or replaced: make ourselves known to the new one.
    is_introduced_ = false;
    reading_.reset();
    asked_ = {};
    return;
  }
  head_seen_ = std::max(head_seen_, settled.head);
  const bool is_reply = reading_ && settled.request == *reading_;
  const bool is_next = settled.from <= cursor_ || planted("skip-lost-settlements");
  if (is_next && settled.to > cursor_) {
    Forget forget;
    for (const auto& range : event.settlement.ranges) {
      if (range.last > durable_.last) continue;
      settle(range);
      forget.ranges.push_back(range);
    }
    if (!forget.ranges.empty()) out.push_back(std::move(forget));
    for (const auto& failure : event.settlement.failures) {
      auto* found = active_.find(failure.seq);
      if (found == nullptr || found->lease != failure.lease) continue;
      auto& task = *found;
      if (task.state != State::kLeased && task.state != State::kBarrier &&
          task.state != State::kNoted)
        continue;
      release(task);
      story_of(task).failed = failure.lease;
      if (planted("failure-not-retried")) continue;
      give_back(failure.seq, task, true, "failed: " + failure.reason, out);
    }
    cursor_ = settled.to;
  }
  if (is_reply) {
    if (goal_ == 0) goal_ = settled.head;
    reading_.reset();
    if (cursor_ >= goal_ || planted("barrier-not-followed-to-the-head")) pass_barriers(chain_, out);
  }
  follow(now, out);
}

void Core::on(SinkRefused& event, TimePoint, Actions& out) { out.push_back(Stop{event.reason}); }

void Core::settle(const Range& range) {
  if (durable_.settled.add(range.first, range.last) == 0) return;
  Worker* holder = nullptr;  // Neighbours mostly share it.
  const auto end_one = [&](Seq seq, const Task& task) {
    if (task.state == State::kLeased) {
      if (holder == nullptr || holder->link.run != task.run) holder = find_worker(task.run);
      release_from(holder);
    }
    if (!verdicts_.empty()) verdicts_.erase(seq);
    active_.erase(seq);
  };
  if (range.last - range.first > active_.size()) {  // A restart may settle millions at once.
    std::vector<Seq> over;
    active_.for_each([&](Seq seq, Task&) {
      if (seq >= range.first && seq <= range.last) over.push_back(seq);
    });
    for (const auto seq : over) end_one(seq, *active_.find(seq));
  } else {
    for (auto seq = range.first; seq <= range.last; ++seq)
      if (auto* task = active_.find(seq)) end_one(seq, *task);
  }
  auto& cancelled = durable_.cancelled;
  cancelled.erase(cancelled.lower_bound(range.first), cancelled.upper_bound(range.last));
  auto& limits = durable_.limits;
  for (auto limit = limits.begin(); limit != limits.end() && limit->first <= range.last;) {
    const auto last = limit->first + limit->second.first - 1;
    const bool is_over = durable_.settled.count_within(limit->first, last) == limit->second.first;
    limit = is_over ? limits.erase(limit) : std::next(limit);
  }
}

void Core::suspect(std::vector<std::pair<Seq, Lease>> leases, std::string reason) {
  if (leases.empty()) return;
  const auto after = planted("barrier-by-an-earlier-read") ? 0 : next_request_;
  barriers_.push_back({after, std::move(reason), std::move(leases)});
}

void Core::pass_barriers(std::uint64_t request, Actions& out) {
  while (!barriers_.empty() && barriers_.front().after_request <= request) {
    const auto barrier = std::move(barriers_.front());
    barriers_.pop_front();
    for (const auto& [seq, lease] : barrier.leases) {
      auto* task = active_.find(seq);
      if (task == nullptr || task->lease != lease || task->state != State::kBarrier) continue;
      // Whoever lives was not killed by it.
      if (find_worker(task->run) == nullptr) story_of(*task).is_feared = true;
      give_back(seq, *task, true, barrier.reason, out);
    }
  }
}

// Asks for the log whenever something waits for it; one question at a time.
void Core::follow(TimePoint now, Actions& out) {
  if (!is_introduced_ || reading_) return;
  const bool continues = goal_ != 0 && cursor_ < goal_;
  if (!continues && barriers_.empty() && cursor_ >= head_seen_) return;
  reading_ = next_request_++;
  if (!continues) {
    chain_ = *reading_;
    goal_ = 0;
  }
  asked_ = now;
  out.push_back(SendFollow{*reading_, log_, cursor_});
}

void Core::open_recovered(TimePoint now, Actions& out) {
  const bool is_caught_up = is_introduced_ && cursor_ >= head_seen_;
  const bool is_grace_over = now >= started_ + config_.grace_start;
  if (!is_recovered_open_ && is_caught_up && (is_grace_over || !durable_.is_power_cut))
    is_recovered_open_ = true;
  if (is_noted_open_ || !is_grace_over) return;
  is_noted_open_ = true;
  std::vector<std::pair<Seq, Lease>> leases;
  active_.for_each([&](Seq seq, Task& task) {
    if (task.state != State::kNoted) return;
    task.state = State::kBarrier;
    task.is_unconfirmed = task.attempt > 0;
    leases.emplace_back(seq, task.lease);
  });
  suspect(std::move(leases), "no worker had it after a restart");
  follow(now, out);
}

void Core::on_deadline(TimePoint now, Actions& out) {
  judge_workers(now, out);
  if (!is_introduced_) {
    if (asked_ == TimePoint{} || now >= asked_ + config_.retry) {
      asked_ = now;
      out.push_back(SendIntroduce{durable_.last});
    }
  } else {
    if (reading_ && now >= asked_ + config_.retry) {
      asked_ = now;
      out.push_back(SendFollow{*reading_, log_, cursor_});
    }
    follow(now, out);
    push_verdicts(now, out);
  }
  open_recovered(now, out);
  dispatch(now, out);
  recall_for_idle(now, out);
  forget_old_answers(now);
  last_now_ = now;
}

std::optional<TimePoint> Core::next_deadline() const {
  std::optional<TimePoint> next;
  const auto consider = [&](TimePoint when) { next = next ? std::min(*next, when) : when; };
  if (!is_introduced_ || reading_) consider(asked_ + config_.retry);
  if (is_introduced_ && !verdicts_.empty()) consider(next_verdicts_);
  if (!is_noted_open_) consider(started_ + config_.grace_start);
  if (!workers_.empty()) consider(next_judgement_);
  if (workers_.size() > 1) consider(next_recall_);
  if (reserved_) consider(reserved_until_);
  if (!reserved_ && !alone_.empty() && last_now_ < next_reserved_) consider(next_reserved_);
  return next;
}

}  // namespace eole::ventilator
