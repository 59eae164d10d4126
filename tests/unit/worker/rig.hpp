#pragma once
#include <catch2/catch.hpp>

#include "worker/core/core.hpp"

namespace eole::worker {

using protocol::HeldState;
using protocol::OrderKind;
using protocol::TaskState;

inline constexpr Origin kOrigin = 5;
inline constexpr RunId kRun = 77;
inline const TimePoint kStart = TimePoint(1000s);

/// A run of one task: `run` without its class and spec.
inline void put_task(Bytes& out, protocol::TaskRun run, const std::string& kind, bool retry = false,
                     const std::string& project = "", std::string_view args = "\x80") {
  const auto task_class =
      protocol::encode_class({kind, project, 0, static_cast<std::uint8_t>(retry ? 1 : 0)});
  Bytes spec;
  protocol::put_task_spec(spec, {args});
  run.task_class = task_class;
  run.specs = spec;
  protocol::put_task_run(out, run);
}

/// A worker whose link stands, and the last actions of each kind.
struct Rig {
  TimePoint now = kStart;
  Core core;
  Actions out;

  explicit Rig(Config config) : core(std::move(config), kRun, kStart) {}
  static Config config(std::uint32_t slots = 1, std::uint32_t prefetch = 1) {
    Config config;
    config.name = "w1";
    config.slots = slots;
    config.prefetch = prefetch;
    config.kinds = {"work", "quick"};
    config.inline_kinds = {"quick"};
    return config;
  }
  Actions& step(Event event) {
    out.clear();
    core.on_event(std::move(event), now, out);
    core.on_deadline(now, out);
    return out;
  }
  Actions& pass(Duration time) {
    now += time;
    out.clear();
    core.on_deadline(now, out);
    return out;
  }
  void link() {
    pass(0s);
    step(WelcomeReceived{{1, kRun, 1, kOrigin, "pipe", 1000}});
    step(PipeUp{});
  }
  Actions& tasks(std::uint64_t first, const std::vector<Seq>& seqs, std::string kind = "work",
                 bool retry = false) {
    Bytes payload;
    for (const auto seq : seqs) {
      put_task(payload, {seq, seq * 10, 1, 1, {}, {}}, kind, retry);
    }
    return step(TasksReceived{
        {1, kRun, 1, kOrigin, first, static_cast<std::uint32_t>(seqs.size()), payload}});
  }
  Actions& finish(Seq seq, TaskState state = TaskState::kDone) {
    return step(TaskFinished{{kOrigin, seq}, {1, seq * 10}, state, 0, 0, {}, "\xc0"});
  }
  Actions& order(OrderKind kind, Seq seq) {
    return step(OrdersReceived{{1, kRun, 1, 0, {}}, {{kind, {kOrigin, seq}, {1, seq * 10}}}});
  }
  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const auto& action : out)
      if (const auto* one = std::get_if<T>(&action)) found.push_back(*one);
    return found;
  }
  std::vector<Seq> started() const {
    std::vector<Seq> seqs;
    for (const auto& start : all<StartTask>()) seqs.push_back(start.id.seq);
    return seqs;
  }
  /// The tasks of the batch that was started last.
  std::vector<Seq> batch() {
    batches.push_back(all<StartBatch>().at(0).batch);
    std::vector<Seq> seqs;
    for (const auto& task : batches.back()->tasks) seqs.push_back(task.id.seq);
    return seqs;
  }
  Actions& finish_batch(std::size_t which) {
    BatchFinished finished{batches.at(which), 0, 1, {}, {}};
    for (std::size_t i = 0; i < finished.batch->tasks.size(); ++i) {
      finished.ends.push_back({TaskState::kDone, 5});
      protocol::put_body(finished.bodies, "\xc0");
    }
    return step(std::move(finished));
  }
  std::vector<std::shared_ptr<const Batch>> batches;
  std::vector<protocol::Held> held() {
    step(OrdersReceived{{1, kRun, 1, 0, {}}, {}});  // The ventilator is there.
    pass(2s);                                       // A beat is due.
    return *protocol::decode_held(all<SendBeat>().at(0).beat.payload);
  }
  protocol::ResultRecord result() {
    const auto sent = all<SendResults>();
    keep = *sent.at(0).records;
    return *protocol::ResultReader(keep).next();
  }
  Bytes keep;
};

}  // namespace eole::worker
