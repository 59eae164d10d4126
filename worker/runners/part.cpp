#include "worker/runners/part.hpp"

#include "common/protocol/another.hpp"
#include "common/protocol/trace.hpp"

namespace eole::worker {

using protocol::TaskState;

void tell_part(const StartTask& task, TaskState state, protocol::Value& body) {
  if (!task.trace.empty()) body.set("traceparent", protocol::traceparent_of(task.trace));
  if (task.task_class.project.empty()) return;
  if (const auto part = protocol::instead_of(task.conditions); part != 0)
    body.set("instead_of", to_text(TaskId{task.id.origin, part}));
  // Of a failure that is not the last one the ventilator has the task.
  const bool is_over =
      state == TaskState::kCancelled || (state == TaskState::kFailed && task.task_class.retry == 0);
  if (!is_over) return;
  auto spec =
      protocol::as_another(task.task_class, {task.args, task.conditions, task.trace}, task.id);
  if (body.to_msgpack().size() + spec.size() + protocol::kClassBytesMax <=
      protocol::kInlineBytesMax)
    body.set("spec", protocol::Blob{std::move(spec)});
}

}  // namespace eole::worker
