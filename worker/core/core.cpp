#include "worker/core/core.hpp"

#include <algorithm>
#include <utility>

#include "common/base/expected.hpp"
#include "common/base/planted.hpp"

namespace eole::worker {

using protocol::TaskState;

Core::Core(const Config& config, RunId run, TimePoint now)
    : held_bytes_max_(config.held_bytes_max),
      result_bytes_max_(config.result_bytes_max),
      link_(config, run, now),
      inbox_(config),
      credit_(config),
      outbox_(config, run) {}

void Core::on_event(Event event, TimePoint now, Actions& out) {
  std::visit([&](auto& concrete) { on(concrete, now, out); }, event);
}

// ---- The link.

void Core::on(WelcomeReceived& event, TimePoint now, Actions& out) {
  if (link_.on_welcome(event.welcome, now, out)) credit_.start_anew();
}

void Core::on(HelloAgainReceived& event, TimePoint now, Actions& out) {
  if (planted("hello-again-ignored")) return;
  if (event.run == run()) doubt_link(now, out);
}

void Core::on(PipeUp&, TimePoint now, Actions&) { link_.on_pipe_up(now); }

void Core::on(PipeDown&, TimePoint now, Actions& out) { doubt_link(now, out); }

void Core::doubt_link(TimePoint now, Actions& out) {
  if (link_.has_pipe()) say_hello(now, out);
}

void Core::say_hello(TimePoint now, Actions& out) {
  if (link_.close(out)) inbox_.forget_early_cancels();
  link_.say_hello(held(), now, out);
}

// ---- Tasks and results.

void Core::on(TasksReceived& event, TimePoint now, Actions& out) {
  auto& tasks = event.tasks;
  if (!link_.has_pipe() || !link_.hear({tasks.start, tasks.run, tasks.hello}, now)) return;
  if (!link_.is_next(tasks.first) && !planted("pipe-gap-ignored")) return doubt_link(now, out);
  const auto received = inbox_.receive(std::move(tasks), outbox_, now, out);
  link_.receive(received.count);
  credit_.learn_size(received.bytes, received.count);
  if (!received.is_whole || is_overfull()) doubt_link(now, out);
}

// Tasks larger than those before them have used up the credit of many small ones. What is still in
// the pipe goes with it, and the next one's credit is of what there is room for.
bool Core::is_overfull() const {
  if (planted("overfull-goes-on")) return false;
  return inbox_.bytes() > held_bytes_max_ || outbox_.bytes() > result_bytes_max_ + held_bytes_max_;
}

void Core::on(OrdersReceived& event, TimePoint now, Actions& out) {
  const auto& orders = event.orders;
  if (!link_.hear({orders.start, orders.run, orders.hello}, now)) return;
  if (orders.ask_beat != 0) link_.ask_beat();
  for (const auto& order : event.list) inbox_.obey(order, out);
}

void Core::on(TaskFinished& event, TimePoint now, Actions&) {
  const auto ended = inbox_.end(event.id, now);
  if (!ended) return;
  if (ended->took) credit_.learn(*ended->took, 1);
  if (!ended->is_wanted) return;
  ByteReader reader(ended->spec);
  const auto spec = protocol::read_task_spec(reader);
  invariant(spec.has_value(), "a held task has a spec");
  Task task{event.id, ended->lease, ended->attempt, *spec};
  task.spec.retry = task.spec.retry || (event.is_lost && !planted("lost-means-failed"));
  if (ended->is_cancelled && event.state != TaskState::kDone) event.state = TaskState::kCancelled;
  outbox_.add(task, event, now);
}

void Core::on(BatchFinished& event, TimePoint now, Actions&) {
  const auto ended = inbox_.end(event.batch, now);
  if (!ended) return;
  const auto& tasks = ended->batch->tasks;
  invariant(event.ends.size() == tasks.size(), "each task of a batch has ended");
  outbox_.add(tasks, event, now);
  credit_.learn(ended->took, tasks.size());
}

void Core::on(AckReceived& event, TimePoint now, Actions& out) {
  outbox_.on_ack(event.ack, now, out);
}

void Core::on(DrainAsked&, TimePoint, Actions&) {
  if (std::exchange(is_draining_, true)) return;
  inbox_.drain();
}

// Every task received and not yet gone.
Bytes Core::held() const {
  std::vector<protocol::Held> held;
  inbox_.append_held(held);
  outbox_.append_held(held);
  std::sort(held.begin(), held.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return encode_held(held);
}

// ---- Time.

void Core::on_deadline(TimePoint now, Actions& out) {
  if (is_done_) return;
  inbox_.start(now, outbox_.bytes() <= result_bytes_max_, out);
  outbox_.on_deadline(now, inbox_.has_waiting(), out);
  const bool is_over = is_draining_ && is_empty();
  if (link_.is_silent(now)) return say_hello(now, out);
  if (!link_.is_linked()) {
    if (!link_.is_hello_due(now)) return;
    if (!is_over) return say_hello(now, out);
  } else {
    grant(now, out);
    if (!is_over) return;
    link_.say_goodbye(out);
  }
  is_done_ = true;
  out.push_back(Exit{});
}

void Core::grant(TimePoint now, Actions& out) {
  if (!is_draining_)
    credit_.raise(
        {link_.received(), inbox_.unfinished(), outbox_.count(), outbox_.bytes(), inbox_.bytes()});
  if (link_.is_beat_due(now) || inbox_.has_news()) {
    link_.beat(credit_.tell(), held(), now, out);
    inbox_.note_beat();
  } else if (credit_.is_urgent()) {
    link_.grant(credit_.tell(), out);
  }
}

std::optional<TimePoint> Core::next_deadline() const {
  if (is_done_) return std::nullopt;
  return std::min(link_.next_deadline(), outbox_.next_deadline());
}

}  // namespace eole::worker
