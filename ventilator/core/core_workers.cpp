#include <algorithm>
#include <unordered_set>
#include <utility>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "ventilator/core/core.hpp"

// Links, leases and what workers say that they hold (ring rules V1 to V11).
namespace eole::ventilator {

using protocol::Held;
using protocol::HeldState;
using protocol::Order;
using protocol::OrderKind;

namespace {
constexpr std::uint32_t kStuckBeatsMax = 3;
constexpr std::uint8_t kRecallsMax = 3;  // A recalled task must not wander for ever.
constexpr std::size_t kRecalledMax = 64;
}  // namespace

Core::Worker* Core::find_worker(RunId run) {
  const auto found = workers_.find(run);
  return found == workers_.end() ? nullptr : &found->second;
}

Core::Worker* Core::find_link(const Link& link) {
  auto* worker = find_worker(link.run);
  const bool is_its = worker != nullptr && (worker->link == link || planted("old-link-believed"));
  return is_its ? worker : nullptr;
}

// Any message of the current link is a beat; one of any other link is answered with hello again.
Core::Worker* Core::heard(const Link& link, const Peer& peer, TimePoint now, Actions& out) {
  auto* worker = find_link(link);
  if (worker == nullptr) {
    out.push_back(SendHelloAgain{peer, link.run});
    return nullptr;
  }
  worker->peer = peer;
  worker->last_heard = now;
  worker->is_suspect = false;
  return worker;
}

void Core::take_levels(Worker& worker, std::uint64_t received, std::uint64_t limit) {
  worker.received = std::max(worker.received, std::min(received, worker.sent));
  worker.limit =
      planted("credit-as-a-difference") ? worker.limit + limit : std::max(worker.limit, limit);
  if (worker.is_open || worker.limit <= worker.sent) return;
  worker.is_open = true;
  open_.push_back(worker.link.run);
}

void Core::on(HelloReceived& event, TimePoint now, Actions& out) {
  const auto& hello = event.hello;
  const Link link{durable_.start, hello.run, hello.hello};
  const auto known = workers_.find(hello.run);
  std::deque<InPipe> old_pipe;
  std::optional<Seq> alone;
  if (known != workers_.end()) {
    auto& old = known->second;
    if (hello.hello < old.link.hello) return;
    if (hello.hello == old.link.hello) {
      out.push_back(WelcomeWorker{event.peer, link});
      return;
    }
    old_pipe = std::move(old.pipe);
    alone = old.alone;
    out.push_back(ClosePipe{old.link});
  } else {
    order_.push_back(hello.run);
  }
  const auto last_link = Link{hello.last_start, hello.run, hello.last_hello};
  const bool is_same_life = known != workers_.end() && known->second.link == last_link;

  Worker worker;
  worker.peer = event.peer;
  worker.link = link;
  worker.name = hello.name;
  worker.pid = hello.pid;
  worker.slots = hello.slots;
  worker.kinds = hello.kinds;
  worker.last_heard = now;
  worker.is_open = known != workers_.end() && known->second.is_open;
  next_judgement_ = std::min(next_judgement_, now + config_.suspect_after);
  auto& slot = workers_[hello.run] = std::move(worker);

  // The old link's tasks: above `received` they never arrived; below it the held list decides.
  std::unordered_set<Seq> held;
  for (const auto& task : event.held)
    if (task.id.origin == durable_.origin) held.insert(task.id.seq);
  std::vector<std::pair<Seq, Lease>> gone;
  for (const auto& entry : old_pipe)
    for (std::uint32_t i = 0; i < entry.count; ++i) {
      const auto seq = entry.seq + i;
      const Lease lease{entry.lease.start, entry.lease.number + i};
      auto* task = leased_as(seq, lease, hello.run);
      if (task == nullptr) continue;
      if (is_same_life && entry.number != 0 && entry.number + i > hello.received) {
        --leased_;
        give_back(seq, *task, false, "", out);
      } else if (held.contains(seq)) {
        ++slot.outstanding;
        slot.pipe.push_back({0, seq, lease, 1});
      } else {
        --leased_;
        task->state = State::kBarrier;
        gone.emplace_back(seq, lease);
      }
    }
  suspect(std::move(gone), text("worker ", hello.name, " lost it on reconnecting"));
  std::vector<Order> orders;
  judge_held(slot, event.held, orders, out);
  const auto* kept = alone ? active_.find(*alone) : nullptr;
  if (kept != nullptr && kept->state == State::kLeased && kept->run == hello.run)
    slot.alone = alone;
  out.push_back(WelcomeWorker{event.peer, link});
  if (!orders.empty()) out.push_back(SendOrders{event.peer, link, false, std::move(orders)});
  unpark();
  follow(now, out);
}

void Core::on(BeatReceived& event, TimePoint now, Actions& out) {
  const auto& beat = event.beat;
  auto* worker = heard({beat.start, beat.run, beat.hello}, event.peer, now, out);
  if (worker == nullptr) return;
  if (worker->pipe_ended) {  // Alive, but what was in the pipe is gone: a new link tells what.
    out.push_back(SendHelloAgain{event.peer, beat.run});
    return;
  }
  take_levels(*worker, beat.received, beat.limit);
  if (beat.number <= worker->last_beat) return;  // Overtaken by a later one.
  worker->last_beat = beat.number;
  const bool is_stuck = beat.received < worker->sent && worker->sent == worker->sent_at_last_beat;
  worker->stuck_beats = is_stuck ? worker->stuck_beats + 1 : 0;
  worker->sent_at_last_beat = worker->sent;
  if (worker->stuck_beats >= kStuckBeatsMax) {
    worker->stuck_beats = 0;
    out.push_back(SendHelloAgain{event.peer, beat.run});
    return;
  }
  std::vector<Order> orders;
  judge_held(*worker, event.held, orders, out);
  if (planted("settled-without-the-log"))
    for (const auto& held : event.held)
      if (held.state == HeldState::kFinished && held.id.origin == durable_.origin) {
        settle({held.id.seq, held.id.seq});
        out.push_back(Forget{{{held.id.seq, held.id.seq}}});
      }
  suspect_missing(*worker, beat.received, event.held);
  // Whom nothing is ordered hears of every other beat: that is what an idle worker costs.
  if (!orders.empty() || now >= worker->answered_beat + config_.heartbeat * 3 / 2) {
    worker->answered_beat = now;
    out.push_back(SendOrders{event.peer, worker->link, false, std::move(orders)});
  }
  follow(now, out);
}

void Core::on(CreditReceived& event, TimePoint now, Actions& out) {
  const auto& credit = event.credit;
  auto* worker = heard({credit.start, credit.run, credit.hello}, event.peer, now, out);
  if (worker != nullptr && !worker->pipe_ended) take_levels(*worker, credit.received, credit.limit);
}

void Core::on(GoodbyeReceived& event, TimePoint, Actions& out) {
  if (find_link(event.link) != nullptr) lose_worker(event.link.run, "its worker left", out);
}

void Core::on(PipeEnded& event, TimePoint now, Actions& out) {
  auto* worker = find_link(event.link);
  if (worker == nullptr || worker->pipe_ended) return;
  worker->pipe_ended = now;
  worker->is_suspect = true;
  worker->limit = worker->sent;
  next_judgement_ = std::min(next_judgement_, now + config_.grace);
  out.push_back(SendOrders{worker->peer, worker->link, true, {}});
}

// What to do about each task that the worker says it holds.
void Core::judge_held(Worker& worker, const std::vector<Held>& held, std::vector<Order>& orders,
                      Actions& out) {
  worker.waiting.clear();
  for (const auto& task : held) {
    if (task.id.origin != durable_.origin) continue;  // Another journal's task: it may finish.
    const auto order = judge_one(worker, task, out);
    if (order) orders.push_back({*order, task.id, task.lease});
  }
}

std::optional<OrderKind> Core::judge_one(Worker& worker, const Held& held, Actions& out) {
  const auto seq = held.id.seq;
  const bool is_unfinished = held.state == HeldState::kWaiting || held.state == HeldState::kStarted;
  if (!is_known(held.id) || durable_.settled.contains(seq)) {
    if (held.state == HeldState::kReturned) return OrderKind::kReleased;
    if (is_unfinished) return OrderKind::kDrop;
    return std::nullopt;  // Finished: it goes when the sink acknowledges it.
  }
  auto* known = active_.find(seq);
  const bool is_current = known != nullptr && known->state == State::kLeased &&
                          known->lease == held.lease && known->run == worker.link.run;
  if (held.state == HeldState::kReturned) {
    if (is_current) {
      auto& task = *known;
      if (!task.is_recalled || planted("recall-taken-for-refusal"))
        story_of(task).refused_by.push_back(worker.link.run);
      release(task);
      give_back(seq, task, false, "", out);
    }
    return OrderKind::kReleased;
  }
  auto& task = make_active(seq);
  if (!is_current) {
    if (task.story && held.lease <= task.story->failed)
      return std::nullopt;  // Its failure is known; only the ack lacks.
    // A task of an earlier link or start, or one that we took for lost: its holder keeps it,
    // unless a later lease of it is out.
    const bool is_leased_later = task.state == State::kLeased && task.lease > held.lease;
    if (is_leased_later) return is_unfinished ? std::optional(OrderKind::kDrop) : std::nullopt;
    if (task.state == State::kVerdict) {
      return is_unfinished
                 ? std::optional(task.is_cancelled ? OrderKind::kCancel : OrderKind::kDrop)
                 : std::nullopt;
    }
    adopt(worker, seq, held);
  }
  if (held.state == HeldState::kWaiting) worker.waiting.push_back(seq);
  if (task.is_cancelled && is_unfinished) return OrderKind::kCancel;
  return std::nullopt;
}

void Core::adopt(Worker& worker, Seq seq, const Held& held) {
  auto& task = *active_.find(seq);
  if (task.state == State::kLeased) release(task);
  task.state = State::kLeased;
  task.lease = held.lease;
  task.run = worker.link.run;
  task.attempt = std::max<std::uint16_t>(task.attempt, 1);
  ++leased_;
  ++worker.outstanding;
  const auto is_it = [&](const InPipe& entry) {
    return seq >= entry.seq && seq < entry.seq + entry.count &&
           held.lease == Lease{entry.lease.start, entry.lease.number + (seq - entry.seq)};
  };
  if (std::none_of(worker.pipe.begin(), worker.pipe.end(), is_it))
    worker.pipe.push_front({0, seq, held.lease, 1});
}

Core::Task* Core::leased_as(Seq seq, const Lease& lease, RunId run) {
  auto* task = active_.find(seq);
  const bool is_its =
      task != nullptr && task->state == State::kLeased && task->run == run && task->lease == lease;
  return is_its ? task : nullptr;
}

bool Core::is_any_leased(const InPipe& entry, RunId run) {
  for (std::uint32_t i = 0; i < entry.count; ++i)
    if (leased_as(entry.seq + i, {entry.lease.start, entry.lease.number + i}, run) != nullptr)
      return true;
  return false;
}

// Received, no longer held, and not settled as far as we read: read on, then judge (rule V6).
// `received` is the beat's own: a later message may have told a higher one already.
void Core::suspect_missing(Worker& worker, std::uint64_t received, const std::vector<Held>& held) {
  std::unordered_set<Seq> holds;
  for (const auto& task : held)
    if (task.id.origin == durable_.origin) holds.insert(task.id.seq);
  std::vector<std::pair<Seq, Lease>> missing;
  std::erase_if(worker.pipe, [&](const InPipe& entry) {
    bool is_over = true;
    for (std::uint32_t i = 0; i < entry.count; ++i) {
      const auto seq = entry.seq + i;
      const Lease lease{entry.lease.start, entry.lease.number + i};
      if (leased_as(seq, lease, worker.link.run) == nullptr) continue;
      const bool is_in_pipe = entry.number != 0 && entry.number + i > received;
      if (holds.contains(seq) || (is_in_pipe && !planted("in-the-pipe-means-lost"))) {
        is_over = false;
      } else {
        missing.emplace_back(seq, lease);
      }
    }
    return is_over;
  });
  if (planted("missing-means-lost")) {
    Actions ignored;
    for (const auto& [seq, lease] : missing) {
      release(*active_.find(seq));
      give_back(seq, *active_.find(seq), true, "", ignored);
    }
    return;
  }
  for (const auto& [seq, lease] : missing) {  // Not while the pipe is walked: it may be cleared.
    auto& task = *active_.find(seq);
    release(task);
    task.state = State::kBarrier;
  }
  suspect(std::move(missing), text("worker ", worker.name, " no longer had it"));
}

void Core::release(const Task& task) {
  if (task.state == State::kLeased) release_from(find_worker(task.run));
}

void Core::release_from(Worker* worker) {
  --leased_;
  if (worker == nullptr) return;
  if (worker->outstanding > 0) --worker->outstanding;
  if (worker->outstanding == 0) {
    if (std::exchange(worker->alone, {})) worker->is_others_turn = true;
    worker->pipe.clear();
  }
}

void Core::lose_worker(RunId run, const std::string& reason, Actions& out) {
  auto node = workers_.extract(run);
  auto& worker = node.mapped();
  std::erase(order_, run);
  std::erase(open_, run);
  out.push_back(ClosePipe{worker.link});
  std::vector<std::pair<Seq, Lease>> leases;
  for (const auto& entry : worker.pipe)
    for (std::uint32_t i = 0; i < entry.count; ++i) {
      const Lease lease{entry.lease.start, entry.lease.number + i};
      auto* task = leased_as(entry.seq + i, lease, run);
      if (task == nullptr) continue;
      --leased_;
      task->state = State::kBarrier;
      task->is_unconfirmed = true;
      leases.emplace_back(entry.seq + i, lease);
    }
  suspect(std::move(leases), text("worker ", worker.name, ": ", reason));
}

void Core::judge_workers(TimePoint now, Actions& out) {
  // A loop that comes late has not read its input yet: its lateness is nobody's silence.
  constexpr Duration kLate = 500ms;
  if (now - last_now_ > config_.heartbeat + kLate && !planted("late-loop-blames-others")) {
    const auto lateness = now - last_now_;
    for (auto& [run, worker] : workers_) {
      worker.last_heard = std::min(now, worker.last_heard + lateness);
      if (worker.pipe_ended) *worker.pipe_ended = std::min(now, *worker.pipe_ended + lateness);
    }
  }
  if (now < next_judgement_) return;
  next_judgement_ = now + config_.suspect_after;
  std::vector<std::pair<RunId, std::string>> lost;
  for (auto& [run, worker] : workers_) {
    const auto silence = now - worker.last_heard;
    const bool answered = worker.pipe_ended && worker.last_heard > *worker.pipe_ended;
    if (worker.pipe_ended && !answered && now >= *worker.pipe_ended + config_.grace) {
      lost.emplace_back(run, "its connection ended");
    } else if (silence >= config_.lost_after) {
      lost.emplace_back(run, "it fell silent");
    } else if (silence >= config_.suspect_after) {
      worker.is_suspect = true;
    }
    next_judgement_ = std::min(
        next_judgement_,
        worker.last_heard + (worker.is_suspect ? config_.lost_after : config_.suspect_after));
    if (worker.pipe_ended && !answered)
      next_judgement_ = std::min(next_judgement_, *worker.pipe_ended + config_.grace);
  }
  for (const auto& [run, reason] : lost) lose_worker(run, reason, out);
  if (!lost.empty()) follow(now, out);
}

// An idle worker gets what another one only stores.
void Core::recall_for_idle(TimePoint now, Actions& out) {
  if (now < next_recall_ || workers_.size() < 2) return;
  next_recall_ = now + config_.heartbeat / 4;
  if (has_tasks()) return;
  const auto is_idle = [](const auto& entry) {
    const auto& worker = entry.second;
    return worker.outstanding == 0 && worker.limit > worker.sent && !worker.is_suspect;
  };
  const auto idle = std::count_if(workers_.begin(), workers_.end(), is_idle);
  if (idle == 0) return;
  auto richest =
      std::max_element(workers_.begin(), workers_.end(), [](const auto& a, const auto& b) {
        return a.second.waiting.size() < b.second.waiting.size();
      });
  auto& worker = richest->second;
  std::vector<Order> orders;
  const auto wanted = std::min(kRecalledMax, (worker.waiting.size() + 1) / 2);
  while (orders.size() < wanted) {
    const auto seq = worker.waiting.back();
    worker.waiting.pop_back();
    auto* task = active_.find(seq);
    if (task != nullptr && task->state == State::kLeased && task->run == worker.link.run &&
        task->recalls < kRecallsMax) {
      ++task->recalls;
      task->is_recalled = true;
      orders.push_back({OrderKind::kRecall, {durable_.origin, seq}, task->lease});
    }
    if (worker.waiting.empty()) break;
  }
  if (!orders.empty())
    out.push_back(SendOrders{worker.peer, worker.link, false, std::move(orders)});
}

std::vector<WorkerView> Core::workers() const {
  std::vector<WorkerView> views;
  for (const auto run : order_) {
    const auto& worker = workers_.at(run);
    views.push_back({worker.name, run, worker.pid, worker.slots, worker.kinds,
                     worker.is_suspect ? "suspect" : "ready", worker.outstanding});
  }
  return views;
}

}  // namespace eole::ventilator
