#include <algorithm>
#include <iterator>
#include <utility>

#include "common/protocol/records.hpp"
#include "ventilator/core/core.hpp"

// Tasks with conditions, until they may be queued.
namespace eole::ventilator {

void Core::enter(Seq first, ClassId id, std::string_view specs, std::int64_t accepted_unix_ms) {
  const auto& task_class = durable_.classes.at(id);
  const auto on_failure = static_cast<protocol::OnParentFailure>(task_class.on_parent_failure);
  Released released;
  std::string_view read;  // Neighbours mostly wait for the same.
  protocol::Conditions conditions;
  auto seq = first;
  for (ByteReader reader(specs); !reader.is_done(); ++seq) {
    const auto spec = protocol::read_task_spec(reader);
    if (spec->conditions != read) conditions = conditions_of(spec->conditions, task_class);
    read = spec->conditions;
    gates_.enter(seq, accepted_unix_ms, conditions, on_failure, moment_, durable_.settled,
                 released);
  }
  let_go(std::move(released));
}

// Before anything new comes: a key's order is that of the numbers.
void Core::enter_recovered() {
  Released released;
  for (const auto& task : std::exchange(durable_.conditional, {})) {
    const auto* task_class = class_of(task.seq);
    if (task_class == nullptr) continue;
    gates_.enter(task.seq, task.accepted_unix_ms, conditions_of(task.conditions, *task_class),
                 static_cast<protocol::OnParentFailure>(task_class->on_parent_failure), moment_,
                 durable_.settled, released);
  }
  let_go(std::move(released));
}

void Core::let_go(Released released) {
  for (const auto seq : released.seqs) {
    if (queue_.is_recovered(seq) && !queue_.is_recovered_open()) {
      recovery_.let_go.seqs.push_back(seq);
    } else {
      let_go(seq);
    }
  }
  for (const auto& ended : released.ended) end_unbegun(ended);
}

// One that begins anew was held again for its key, and for no time of its own.
void Core::let_go(Seq seq) {
  auto* task = tasks_.find(seq);
  if (task != nullptr && task->is(State::kWaiting) && timers_.find(seq) == nullptr) {
    tasks_.give_back(*task);
    return enqueue(seq, *task, true);
  }
  const auto id = durable_.classes.of(seq);
  if (id != kNoClass) queue_.extend(seq, 1, id, durable_.classes.at(id));
}

// What has begun goes on.
void Core::end_unbegun(const Released::Ended& ended) {
  if (durable_.settled.contains(ended.seq)) return;
  auto& task = tasks_.at(ended.seq);
  const bool is_waiting = task.is(State::kReady) || task.is(State::kWaiting);
  if (!is_waiting || task.attempt > 0) return;
  task.told().why_ended = ended.why;
  end(ended.seq, task, ended.state);
}

// Of what expires before it is known what an earlier start has sent, only new tasks end.
void Core::open_gates() {
  if (queue_.is_recovered_open()) let_go(std::exchange(recovery_.let_go, {}));
  Released released;
  gates_.on_deadline(moment_, released);
  if (!queue_.is_recovered_open()) {
    const auto is_new = [&](const Released::Ended& ended) {
      return !queue_.is_recovered(ended.seq);
    };
    const auto earlier =
        std::stable_partition(released.ended.begin(), released.ended.end(), is_new);
    std::move(earlier, released.ended.end(), std::back_inserter(recovery_.let_go.ended));
    released.ended.erase(earlier, released.ended.end());
  }
  let_go(std::move(released));
}

}  // namespace eole::ventilator
