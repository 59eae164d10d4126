#include "worker/runners/part.hpp"

#include "common/protocol/another.hpp"
#include "common/protocol/result_view.hpp"
#include "common/protocol/trace.hpp"

namespace eole::worker {

using protocol::TaskState;

void tell_part(const StartTask& task, TaskState state, protocol::Value& body) {
  if (!task.trace.empty()) body.set("traceparent", protocol::traceparent_of(task.trace));
  if (!task.lost.empty() &&
      body.to_msgpack().size() + 2 * task.lost.size() <= protocol::kInlineBytesMax)
    if (auto lost = protocol::Value::from_msgpack(task.lost)) body.set("reasons", std::move(*lost));
  // Of a failure that is not the last one the ventilator has the task.
  const bool is_over = state != TaskState::kFailed || task.task_class.retry == 0;
  const bool is_of_project = !task.task_class.project.empty();
  if (const auto part = is_of_project ? protocol::instead_of(task.conditions) : 0; part != 0)
    body.set("instead_of", to_text(TaskId{task.id.origin, part}));
  if (!is_over) return;
  protocol::tell_args(task.args, body);
  if (state == TaskState::kDone || !is_of_project) return;
  auto spec =
      protocol::as_another(task.task_class, {task.args, task.conditions, task.trace}, task.id);
  if (body.to_msgpack().size() + spec.size() + protocol::kClassBytesMax <=
      protocol::kInlineBytesMax)
    body.set("spec", protocol::Blob{std::move(spec)});
}

}  // namespace eole::worker
