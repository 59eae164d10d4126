#include "worker/runners/inline.hpp"

#include "common/process/system.hpp"
#include "common/protocol/value.hpp"
#include "worker/handlers/registry.hpp"

namespace eole::worker {

using protocol::TaskState;

BatchFinished run_inline(std::shared_ptr<const Batch> batch) {
  constexpr std::string_view kValue = "\x81\xa5value";  // {"value": …}, around what is encoded.
  BatchFinished finished;
  const auto started = process::now();
  finished.ends.reserve(batch->tasks.size());
  finished.bodies.reserve(batch->payload.size());
  const Handler* handler = nullptr;
  const protocol::TaskClass* task_class = nullptr;  // Of the task before.
  for (const auto& task : batch->tasks) {
    if (handler == nullptr || task.task_class != task_class) {
      task_class = task.task_class;
      handler = find_handler(task_class->kind);
    }
    const auto before = finished.bodies.size();
    put<std::uint32_t>(finished.bodies, 0);  // Its size, once it is known.
    finished.bodies += kValue;
    auto state = TaskState::kDone;
    if (auto ran = handler->run_inline(task.args, finished.bodies); !ran) {
      state = TaskState::kFailed;
      finished.bodies.resize(before + sizeof(std::uint32_t));
      finished.bodies += Value(Value::Map{{"error", ran.error().message}}).to_msgpack();
    }
    const auto bytes = static_cast<std::uint32_t>(finished.bodies.size() - before);
    write_at<std::uint32_t>(finished.bodies.data() + before, 0,
                            bytes - static_cast<std::uint32_t>(sizeof bytes));
    finished.ends.push_back({state, bytes});
  }
  finished.finished_unix_ms = process::unix_ms();
  finished.run_us = run_time_us(process::now() - started, batch->tasks.size());
  finished.batch = std::move(batch);
  return finished;
}

}  // namespace eole::worker
