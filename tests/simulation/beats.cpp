#include "tests/simulation/beats.hpp"

#include "common/protocol/task_class.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/task_bodies.hpp"

namespace eole::simulation {

using protocol::Value;

void Beats::ask(Value schedule, client::Asks::OnAnswer on_answer) {
  schedule.set("name", "beat");
  control("schedule", schedule, std::move(on_answer));
}

void Beats::set_up() {
  has_beats_ = true;
  protocol::TaskGroups groups;
  const protocol::TaskClass task_class{"work", std::string(kBeats), 0, 0};
  groups.add(task_class, "plain beat" + class_mark(task_class.kind, task_class.project));
  ask(Value::Map{{"state", "added"},
                 {"every_ms", 1'000 + fabric_.world.below(5'000)},
                 {"missed", fabric_.world.chance(0.5) ? "once" : "skip"},
                 {"task", protocol::Blob{groups.take()}}},
      [this](const auto&) { end(); });
}

void Beats::end() {
  if (fabric_.is_rough()) return client_.after(1s, [this] { end(); });
  ask(Value::Map{{"state", "paused"}}, [this](const auto& answer) {
    if (!answer && answer.error().code == ErrorCode::kFull)
      return client_.after(1s, [this] { end(); });
    has_beats_ = false;  // Or there are none: a full disk refused them, too.
  });
}

}  // namespace eole::simulation
