#include <algorithm>
#include <utility>

#include "common/base/expected.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "ventilator/core/core.hpp"

// Links, leases and what workers say that they hold (ring rules V1 to V12).
namespace eole::ventilator {

using protocol::Held;
using protocol::HeldState;
using protocol::Order;
using protocol::OrderKind;

// Any message of the current link is a beat; one of any other link is answered with hello again.
Worker* Core::heard(const Link& link, const Peer& peer, const std::string& user, TimePoint now,
                    Actions& out) {
  auto* worker = fleet_.find(link, peer, user);
  if (worker == nullptr) {
    out.push_back(SendHelloAgain{peer, link.run});
    return nullptr;
  }
  worker->beats.was_heard = true;
  worker->silence.hear(now);
  return worker;
}

void Core::on(HelloReceived& event, TimePoint now, Actions& out) {
  using Is = Fleet::Admission::Is;
  const auto& hello = event.hello;
  const Link link{durable_.start, hello.run, hello.hello};
  auto admission = fleet_.admit(event.peer, event.user, hello, now);
  if (admission.is == Is::kLate) return;
  if (admission.is == Is::kRepeated) return out.push_back(WelcomeWorker{event.peer, link});
  if (admission.is == Is::kRefused)
    return out.push_back(Reply{event.peer, protocol::Refused{0, std::move(admission.reason)}});
  if (admission.in_place_of)
    lose_worker(*admission.in_place_of, "lost", "its place was needed", out);

  Worker before;
  bool is_same_life = false;
  if (auto* known = fleet_.find(hello.run)) {
    before = std::move(*known);
    is_same_life = before.link == Link{hello.last_start, hello.run, hello.last_hello};
    out.push_back(ClosePipe{before.link});
  } else {
    tell({{"joined", "worker", hello.name}}, out);
  }
  const auto received = is_same_life ? std::optional(hello.received) : std::nullopt;
  auto& worker = fleet_.put(
      Worker(event.peer, event.user, link, std::move(event.hello), std::move(event.runners), now),
      before, now);
  worker.is_paused = limits_.pauses().is_paused({Scope::Of::kWorker, worker.about.name});
  auto left = worker.leases.take_over(before.leases, received, event.held, durable_.origin, tasks_);
  for (const auto seq : left.never_arrived)
    give_back(seq, *tasks_.find(seq), {.cause = Cause::kReturned}, "", now, out);
  for (const auto seq : left.uncopied) note_unbegun(seq, *tasks_.find(seq), out);
  follower_.suspect(
      {std::move(left.gone), text("worker ", worker.about.name, " lost it on reconnecting")});
  auto orders = judge_held(worker, event.held, now, out);
  const auto* kept = before.alone ? tasks_.find(*before.alone) : nullptr;
  if (kept != nullptr && kept->is(State::kLeased) && kept->run == link.run)
    worker.alone = before.alone;
  out.push_back(WelcomeWorker{event.peer, link});
  if (!orders.empty()) out.push_back(SendOrders{event.peer, link, false, std::move(orders)});
  follower_.follow(now, out);
}

void Core::on(BeatReceived& event, TimePoint now, Actions& out) {
  const auto& beat = event.beat;
  auto* worker = heard({beat.start, beat.run, beat.hello}, event.peer, event.user, now, out);
  if (worker == nullptr) return;
  if (worker->silence.has_pipe_ended()) {  // What was in the pipe is gone: a new link tells what.
    out.push_back(SendHelloAgain{event.peer, beat.run});
    return;
  }
  fleet_.take_levels(*worker, beat.received, beat.limit);
  if (beat.number <= worker->beats.last) return;  // Overtaken by a later one.
  worker->beats.last = beat.number;
  worker->beats.is_draining = beat.is_draining != 0;
  if (worker->credit.is_stuck(beat.received)) {
    out.push_back(SendHelloAgain{event.peer, beat.run});
    return;
  }
  auto orders = judge_held(*worker, event.held, now, out);
  if (beat.received < worker->beats.strays_to) worker->beats.has_strays = true;
  if (planted("settled-without-the-log"))
    for (const auto& held : event.held)
      if (held.state == HeldState::kFinished && held.id.origin == durable_.origin) {
        settle({held.id.seq, held.id.seq}, out);
        out.push_back(Forget{{{held.id.seq, held.id.seq}}});
      }
  suspect_missing(*worker, event, now);
  count_started(*worker, event.held);
  // It gave something back unasked, and does not leave: perhaps it was asked before its hello.
  if (worker->credit.is_closed() && !worker->beats.is_draining)
    out.push_back(SendHelloAgain{event.peer, beat.run});
  // Whom nothing is ordered hears of every other beat: that is what an idle worker costs.
  if (!orders.empty() || now >= worker->beats.answered + config_.heartbeat * 3 / 2) {
    worker->beats.answered = now;
    out.push_back(SendOrders{event.peer, worker->link, false, std::move(orders)});
  }
  follower_.follow(now, out);
}

void Core::on(CreditReceived& event, TimePoint now, Actions& out) {
  const auto& credit = event.credit;
  auto* worker = heard({credit.start, credit.run, credit.hello}, event.peer, event.user, now, out);
  if (worker != nullptr && !worker->silence.has_pipe_ended())
    fleet_.take_levels(*worker, credit.received, credit.limit);
}

void Core::on(GoodbyeReceived& event, TimePoint, Actions& out) {
  if (fleet_.find(event.link, event.peer, event.user) != nullptr)
    lose_worker(event.link.run, "left", "its worker left", out);
}

void Core::on(PipeEnded& event, TimePoint now, Actions& out) {
  auto* worker = fleet_.find(event.link);
  if (worker == nullptr || worker->silence.has_pipe_ended()) return;
  fleet_.end_pipe(*worker, now);
  out.push_back(SendOrders{worker->peer, worker->link, true, {}});
}

// What to do about each task that the worker says it holds.
std::vector<Order> Core::judge_held(Worker& worker, const std::vector<Held>& held, TimePoint now,
                                    Actions& out) {
  std::vector<Order> orders;
  worker.waiting.clear();
  worker.beats.has_strays = false;
  for (const auto& task : held) {
    if (task.id.origin != durable_.origin) {  // Another journal's task: it may finish.
      worker.beats.has_strays = true;
      continue;
    }
    const auto order = judge_one(worker, task, now, out);
    if (!order) continue;
    orders.push_back({*order, task.id, task.lease});
    const bool is_its = tasks_.leased_as(task.id.seq, task.lease, worker.link.run) != nullptr;
    if (*order != OrderKind::kReleased && !is_its) worker.beats.has_strays = true;
  }
  return orders;
}

std::optional<OrderKind> Core::judge_one(Worker& worker, const Held& held, TimePoint now,
                                         Actions& out) {
  const auto seq = held.id.seq;
  auto* task = tasks_.find(seq);
  const bool is_over = !durable_.is_known(held.id) || durable_.settled.contains(seq);
  switch (judge(held, task, worker.link.run, is_over)) {
    case Holding::kFinished:
      if (held.state != HeldState::kFinished) worker.beats.has_strays = true;  // An old attempt.
      return std::nullopt;
    case Holding::kDrop:
      return OrderKind::kDrop;
    case Holding::kCancel:
      return OrderKind::kCancel;
    case Holding::kReturned:
      if (!task->is_recalled || planted("recall-taken-for-leaving")) {
        fleet_.end_credit(worker);
        ++task->told().returns;
      }
      if (task->has_elder()) {
        worker.release(1);
        if (tasks_.end_unbegun(*task, held.lease)) note_unbegun(seq, *task, out);
        return OrderKind::kReleased;
      }
      release(*task);
      give_back(seq, *task, {.cause = Cause::kReturned}, "", now, out);
      return OrderKind::kReleased;
    case Holding::kReleased:
      return OrderKind::kReleased;
    case Holding::kAdopted:
      adopt(worker, seq, held.lease, out);
      task = tasks_.find(seq);
      break;
    case Holding::kKept:
      break;
  }
  if (held.state == HeldState::kWaiting) worker.waiting.push_back(seq);
  if (task->is_cancelled && held.state != HeldState::kFinished) return OrderKind::kCancel;
  return std::nullopt;
}

void Core::adopt(Worker& worker, Seq seq, const Lease& lease, Actions& out) {
  auto& task = tasks_.at(seq);
  if (task.is(State::kLeased)) doubt_holders(task, out);
  release(task);
  const auto id = durable_.classes.of(seq);
  if (const auto* task_class = class_of(seq)) {
    tasks_.placement().add(id, *task_class);
    if (task_class->speculate != 0) stragglers_.on_leased(seq, id, *task_class, moment_.now);
  }
  tasks_.adopt(task, worker.link.run, lease, id);
  worker.leases.adopt(seq, lease);
}

// Received, no longer held, and not settled as far as we read: read on, then judge (rule V6).
// `received` is the beat's own: a later message may have told a higher one already.
void Core::suspect_missing(Worker& worker, const BeatReceived& event, TimePoint now) {
  auto missing =
      worker.leases.take_missing(event.beat.received, event.held, durable_.origin, tasks_);
  worker.release(missing.size());
  if (planted("missing-means-lost")) {
    Actions ignored;
    for (const auto& [seq, lease] : missing)
      give_back(seq, *tasks_.find(seq), {.cause = Cause::kLost}, "", now, ignored);
    return;
  }
  follower_.suspect({std::move(missing), text("worker ", worker.about.name, " no longer had it")});
}

void Core::release(Task& task) {
  if (!task.is(State::kLeased)) return;
  if (task.has_elder()) end_elder(task);
  auto* worker = fleet_.find(task.run);
  if (worker != nullptr) worker->release(1);
}

// Who runs it, or is yet to get it, is told to drop it when it next says what it holds: so it is
// asked to say so now. Until then nothing that takes of a resource joins what it has.
void Core::doubt_holders(const Task& task, Actions& out) {
  for (const auto run : {task.has_elder() ? task.story->elder.run : 0, task.run}) {
    auto* worker = fleet_.find(run);
    if (worker == nullptr) continue;
    auto& beats = worker->beats;
    if (beats.has_strays && beats.strays_to == worker->credit.sent()) continue;  // It is asked.
    beats.has_strays = true;
    beats.strays_to = worker->credit.sent();
    out.push_back(SendOrders{worker->peer, worker->link, true, {}});
  }
}

void Core::lose_worker(RunId run, const char* event, const std::string& reason, Actions& out) {
  auto worker = fleet_.take(run);
  out.push_back(ClosePipe{worker.link});
  tell({{event, "worker", worker.about.name, {}, {}, {{"reason", reason}}}}, out);
  auto leases = worker.leases.take_all(tasks_);
  for (const auto& [seq, lease] : leases) {
    auto& task = *tasks_.find(seq);
    task.is_unconfirmed = true;
    if (!task.is(State::kLeased)) continue;
    task.told().is_feared = true;  // Its other copy goes on; who had this one is lost.
  }
  follower_.suspect({std::move(leases), text("worker ", worker.about.name, ": ", reason)});
}

void Core::judge_workers(TimePoint now, Actions& out) {
  std::vector<std::string> suspects;
  const auto lost = fleet_.judge(now, suspects);
  for (auto& name : suspects) tell({{"suspect", "worker", std::move(name)}}, out);
  for (const auto& [run, reason] : lost) lose_worker(run, "lost", reason, out);
  if (!lost.empty()) follower_.follow(now, out);
}

// A worker with a free slot gets what another one only stores, or else a copy of what is late
// there.
void Core::use_free_slots(TimePoint now, Actions& out) {
  if (now < next_.recall || fleet_.size() < 2) return;
  next_.recall = now + config_.heartbeat / 4;
  invariant(fleet_.outstanding() == tasks_.leased() + tasks_.copies(),
            "each lease is one worker's");
  auto wanting = fleet_.free();
  std::erase_if(wanting, [&](const Worker* worker) {
    return last_attempts_.reserved() == worker->link.run || waiting_for(*worker) > 0;
  });
  if (wanting.empty() || recall_for(wanting, now, out)) return;
  copy_stragglers(wanting, now, out);
}

bool Core::recall_for(const std::vector<const Worker*>& wanting, TimePoint now, Actions& out) {
  // What would not be leased anew at once stays where it is.
  const auto movable = [&](Seq seq) -> const protocol::TaskClass* {
    const auto* task_class = class_of(seq);
    return task_class == nullptr || limits_.room(*task_class, now) == 0 ? nullptr : task_class;
  };
  Worker* from = nullptr;
  auto orders = fleet_.recall(durable_.origin, wanting, movable, tasks_, from);
  if (orders.empty()) return false;
  out.push_back(SendOrders{from->peer, from->link, false, std::move(orders)});
  return true;
}

}  // namespace eole::ventilator
