#include "worker/core/core.hpp"

#include <algorithm>
#include <utility>

#include "common/base/expected.hpp"
#include "common/base/planted.hpp"

namespace eole::worker {

using protocol::TaskState;

Core::Core(const Config& config, RunId run, TimePoint now)
    : config_(config), link_(config, run, now), inbox_(config), credit_(config) {}

void Core::on_event(Event&& event, TimePoint now, Actions& out) {
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
  if (has_too_many_origins(tasks.origin)) {  // The next run begins with none.
    drain();
    return doubt_link(now, out);
  }
  auto& outbox = outbox_of(tasks.origin);
  const auto received = inbox_.receive(std::move(tasks), outbox, now, out);
  link_.receive(received.count);
  credit_.learn_size(received.bytes, received.count);
  if (!received.is_whole || is_overfull()) doubt_link(now, out);
}

// Tasks larger than those before them have used up the credit of many small ones. What is still in
// the pipe goes with it, and the next one's credit is of what there is room for.
bool Core::is_overfull() const {
  if (planted("overfull-goes-on")) return false;
  return inbox_.bytes() > config_.held_bytes_max ||
         inbox_.bytes() + result_bytes() > config_.result_bytes_max + config_.held_bytes_max;
}

void Core::on(OrdersReceived& event, TimePoint now, Actions& out) {
  const auto& orders = event.orders;
  if (!link_.hear({orders.start, orders.run, orders.hello}, now)) return;
  if (orders.ask_beat != 0) link_.ask_beat();
  for (const auto& order : event.list) inbox_.obey(order, out);
}

void Core::on(TaskFinished& event, TimePoint now, Actions&) {
  if (event.is_unbegun && !planted("unbegun-means-failed"))
    if (const auto again = inbox_.wait_again(event.id); again != Inbox::Again::kNot) {
      // Given back with a beat it would end this worker's credit.
      should_renew_ = should_renew_ || (again == Inbox::Again::kElsewhere && !is_draining_);
      return;
    }
  auto ended = inbox_.end(event.id, now);
  if (!ended) return;
  if (ended->shared_slot) ended->took = std::chrono::microseconds(event.run_us);
  if (ended->took) credit_.learn(*ended->took, 1);
  auto& task_class = ended->task_class;
  const bool is_copy = !ended->is_wanted && task_class.speculate != 0;
  if (!ended->is_wanted && !is_copy) return;
  if (event.is_lost && !planted("lost-means-failed")) task_class.retry = 1;
  const Task task{event.id,    ended->lease, ended->attempt,
                  &task_class, {},           ended->submitted_unix_ms,
                  ended->key,  is_copy};
  if (ended->is_cancelled && event.state != TaskState::kDone) event.state = TaskState::kCancelled;
  outbox_of(event.id.origin).add(task, event, now);
}

void Core::on(BatchFinished& event, TimePoint now, Actions&) {
  const auto ended = inbox_.end(event.batch, now);
  if (!ended) return;
  const auto& tasks = ended->batch->tasks;
  invariant(event.ends.size() == tasks.size(), "each task of a batch has ended");
  outbox_of(tasks.front().id.origin).add(tasks, event, now);
  credit_.learn(ended->took, tasks.size());
}

void Core::on(AckReceived& event, TimePoint now, Actions& out) {
  const auto outbox = outboxes_.find(event.ack.origin);
  if (outbox != outboxes_.end()) outbox->second.on_ack(event.ack, now, out);
}

Outbox& Core::outbox_of(Origin origin) {
  return outboxes_.try_emplace(origin, config_, run(), origin).first->second;
}

std::uint64_t Core::result_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [origin, outbox] : outboxes_) sum += outbox.bytes();
  return sum;
}

std::uint64_t Core::unacknowledged() const {
  std::uint64_t sum = 0;
  for (const auto& [origin, outbox] : outboxes_) sum += outbox.count();
  return sum;
}

bool Core::has_too_many_origins(Origin next) const {
  return outboxes_.size() >= config_.origins_max && !outboxes_.contains(next) &&
         !planted("origins-without-a-bound");
}

void Core::on(SlotsChanged& event, TimePoint, Actions&) {
  inbox_.set_slots(event.slots);
  credit_.set_slots(event.slots);
}

// The ventilator hears of it with another hello: what else it is told goes by what that one said.
void Core::on(RunnersChanged& event, TimePoint, Actions&) {
  inbox_.offer(event.runners, std::move(event.ahead));
  link_.offer(event.runners);
  should_renew_ = !is_draining_;
}

void Core::on(DrainAsked&, TimePoint, Actions&) { drain(); }

void Core::drain() {
  if (std::exchange(is_draining_, true)) return;
  inbox_.drain();
}

// Every task received and not yet gone.
Bytes Core::held() const {
  std::vector<protocol::Held> held;
  inbox_.append_held(held);
  for (const auto& [origin, outbox] : outboxes_) outbox.append_held(held);
  std::sort(held.begin(), held.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return encode_held(held);
}

// ---- Time.

void Core::on_deadline(TimePoint now, Actions& out) {
  if (is_done_) return;
  inbox_.end_overdue(now, out);
  give_back_hoarded(now, out);
  inbox_.start(now, result_bytes() <= config_.result_bytes_max, credit_.together(), out);
  for (auto& [origin, outbox] : outboxes_) outbox.on_deadline(now, inbox_.has_waiting(), out);
  const bool is_over = is_draining_ && is_empty();
  if (std::exchange(should_renew_, false)) {
    link_.renew();
    return say_hello(now, out);
  }
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

// Tasks longer than those before them have used up the credit of many short ones. What is still in
// the pipe goes with it, and the next one's credit is of what is worth holding now.
void Core::give_back_hoarded(TimePoint now, Actions& out) {
  const auto kept = credit_.kept_of(inbox_.waiting());
  if (kept == inbox_.waiting()) return;
  inbox_.give_back_beyond(kept);
  doubt_link(now, out);
}

void Core::grant(TimePoint now, Actions& out) {
  if (!is_draining_)
    credit_.raise(
        {link_.received(), inbox_.unfinished(), unacknowledged(), result_bytes(), inbox_.bytes()});
  if (link_.is_beat_due(now) || inbox_.has_news()) {
    link_.beat(credit_.tell(), is_draining_, held(), now, out);
    inbox_.note_beat();
  } else if (credit_.is_urgent()) {
    link_.grant(credit_.tell(), out);
  }
}

std::optional<TimePoint> Core::next_deadline() const {
  if (is_done_) return std::nullopt;
  auto next = std::min(link_.next_deadline(), inbox_.next_deadline());
  for (const auto& [origin, outbox] : outboxes_) next = std::min(next, outbox.next_deadline());
  return next;
}

}  // namespace eole::worker
