#pragma once
#include <deque>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "common/base/time.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/runner_offers.hpp"
#include "common/protocol/task_class.hpp"

/// What may happen to a worker, and what it may want done.
namespace eole::worker {

/// A task as it was received; class and arguments are kept elsewhere.
struct Task {
  TaskId id;
  Lease lease;
  std::uint16_t attempt = 1;
  const protocol::TaskClass* task_class = nullptr;
  std::string_view args;
  std::int64_t submitted_unix_ms = 0;
  std::string_view key = {};  // That orders it; of few.
  bool is_copy = false;       // It was dropped: another attempt of it counts.
};

/// Tasks so short that the node runs them itself, at once and together. Core and node share it.
struct Batch {
  Bytes payload;  // What the tasks' arguments point into.
  /// One for each run, unless it is that of the run before.
  std::deque<protocol::TaskClass> classes;
  std::deque<std::string> keys;  // Of those that have one.
  std::vector<Task> tasks;
};

// Events.
struct WelcomeReceived {
  protocol::Welcome welcome;
};
struct HelloAgainReceived {
  RunId run = 0;
};
/// The pipe's connection stands, or ended.
struct PipeUp {};
struct PipeDown {};
struct TasksReceived {
  protocol::Tasks tasks;
};
struct OrdersReceived {
  protocol::Orders orders;  // Without its payload.
  std::vector<protocol::Order> list;
};
struct AckReceived {
  protocol::Ack ack;
};
/// What a result says of so much time of so many tasks: what was run took a microsecond at least.
inline std::uint64_t run_time_us(Duration time, std::size_t tasks = 1) {
  const auto each = time / std::chrono::microseconds(1) / static_cast<Duration::rep>(tasks);
  return each < 1 ? 1 : static_cast<std::uint64_t>(each);
}
/// A task that was started has ended. `artifacts` are durable in the sink already.
struct TaskFinished {
  TaskId id;
  Lease lease;  // As started.
  protocol::TaskState state = protocol::TaskState::kDone;
  std::int64_t finished_unix_ms = 0;
  std::uint64_t run_us = 0;
  std::string artifacts;
  Bytes body;
  bool is_lost = false;     // Not the task's own failure: tried again whether it asked or not.
  bool is_unbegun = false;  // Nobody took it: it waits again, and that was no attempt.
};
/// All tasks of a batch have ended: how each of them did, in the batch's order.
struct BatchFinished {
  struct End {
    protocol::TaskState state = protocol::TaskState::kDone;
    std::uint32_t bytes = 0;  // Of its body and the body's size.
  };
  std::shared_ptr<const Batch> batch;
  std::int64_t finished_unix_ms = 0;
  std::uint64_t run_us = 0;  // Each of them, on an average.
  std::vector<End> ends;
  Bytes bodies;  // As a run of results has them.
};
/// So many tasks may run at the same time from now on, who asks for them elsewhere; what runs
/// beyond that runs on, and what has come waits.
struct SlotsChanged {
  std::uint32_t slots = 0;
};
/// A runner cannot start any more, or can again: what all of them offer from now on.
struct RunnersChanged {
  std::vector<protocol::RunnerOffer> runners;
  std::map<std::string, std::uint32_t, std::less<>> ahead = {};  // As in Config.
};
/// Finish what runs, give back what waits, leave.
struct DrainAsked {};

using Event = std::variant<WelcomeReceived, HelloAgainReceived, PipeUp, PipeDown, TasksReceived,
                           OrdersReceived, AckReceived, TaskFinished, BatchFinished, SlotsChanged,
                           RunnersChanged, DrainAsked>;

// Actions.
struct SendHello {
  protocol::Hello hello;
  bool is_afresh = false;  // Over a new connection: what waits in the old one goes with it.
  bool operator==(const SendHello&) const = default;
};
struct OpenPipe {
  std::string endpoint;
  bool operator==(const OpenPipe&) const = default;
};
struct ClosePipe {
  bool operator==(const ClosePipe&) const = default;
};
struct SendBeat {
  protocol::Beat beat;
  bool operator==(const SendBeat&) const = default;
};
struct SendCredit {
  protocol::Credit credit;
  bool operator==(const SendCredit&) const = default;
};
struct SendGoodbye {
  protocol::Goodbye goodbye;
  bool operator==(const SendGoodbye&) const = default;
};
struct StartTask {
  TaskId id;
  Lease lease;
  std::uint16_t attempt = 1;
  bool is_cancelled = false;  // Do not run it: only report that it was cancelled.
  protocol::TaskClass task_class;
  Bytes args;
  Bytes conditions = {};  // As it was submitted.
  Bytes trace = {};       // Likewise.
  /// So many of those that follow share its slot: short ones that a runner takes at once, and runs
  /// one after another.
  std::uint32_t more = 0;
  Bytes lost = {};  // As the run told it.
  bool operator==(const StartTask&) const = default;
};
/// Run these now; their BatchFinished comes before any other event.
struct StartBatch {
  std::shared_ptr<const Batch> batch;
  bool operator==(const StartBatch&) const = default;
};
/// The task must not go on; a TaskFinished is still wanted.
struct KillTask {
  TaskId id;
  bool is_timeout = false;  // Its time limit is over; else it was cancelled, or is not wanted.
  bool operator==(const KillTask&) const = default;
};
struct SendResults {
  protocol::Results results;  // Without its payload.
  std::shared_ptr<const Bytes> records;
  bool operator==(const SendResults&) const = default;
};
/// Drained: nothing is held, nothing is unacknowledged.
struct Exit {
  bool operator==(const Exit&) const = default;
};

using Action = std::variant<SendHello, OpenPipe, ClosePipe, SendBeat, SendCredit, SendGoodbye,
                            StartTask, StartBatch, KillTask, SendResults, Exit>;
using Actions = std::vector<Action>;

}  // namespace eole::worker
