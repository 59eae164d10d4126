#include "tests/simulation/rivals.hpp"

#include "common/base/text.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/task_bodies.hpp"

namespace eole::simulation {

namespace {
constexpr std::size_t kWaiting = 24;  // More than workers take between two looks.
constexpr std::size_t kAtOnce = 12;
constexpr std::size_t kGivenMost = 600;  // What one slot does of three rivals in the time to settle.
}

// One after the other: who comes later has no more because of that.
void Rivals::begin(Origin origin, bool has_far, bool are_limited) {
  auto& world = fabric_.world;
  origin_ = origin;
  const auto count = 2 + world.below(2);
  // With others' workers beside, who comes where nobody waits may begin where those are.
  const bool is_one_alone = !are_limited && !has_far && world.chance(0.5);
  for (std::uint64_t i = 0; i < count; ++i) {
    const Rival rival{text(kRival, i), i == 0 && is_one_alone ? kLoneKind : "work",
                      std::uint64_t{world.chance(0.5) ? 150U : 600U}};
    feed_after(has_far && i + 1 == count ? 40s : 10s, rival);
  }
  if (has_far) feed_after(1s, {kFarProject, kFarKind, 150});
  if (world.chance(0.5)) {
    ++feeding_;
    client_.after(world.between(10s, 20s), [this] { pause(text(kRival, 0)); });
  }
}

void Rivals::feed_after(Duration most, const Rival& rival) {
  ++feeding_;
  client_.after(fabric_.world.between(Duration(0), most), [this, rival] { feed(rival); });
}

void Rivals::pause(const std::string& project) {
  control("pause", protocol::Value::Map{{"scope", "project:" + project}},
          [this, project](const Expected<protocol::Value>& answer) {
            if (!answer) return void(--feeding_);
            fabric_.ledger.on_paused(origin_, project);
            fabric_.ledger.shares().on_paused(origin_, project);
            client_.after(fabric_.world.between(5s, 20s), [this, project] { resume(project); });
          });
}

void Rivals::resume(const std::string& project) {
  fabric_.ledger.on_resumed(origin_, project);
  control("resume", protocol::Value::Map{{"scope", "project:" + project}},
          [this, project](const Expected<protocol::Value>& answer) {
            if (!answer) return client_.after(1s, [this, project] { resume(project); });
            fabric_.ledger.shares().on_resumed(origin_, project, fabric_.world.now());
            --feeding_;
          });
}

void Rivals::feed(Rival rival) {
  if (!fabric_.is_rough() || rival.given >= kGivenMost) return void(--feeding_);
  if (is_answered_(rival.request) &&
      fabric_.ledger.shares().waiting(origin_, rival.project) < kWaiting) {
    std::vector<TaskDraw::Drawn> tasks;
    for (std::size_t i = 0; i < kAtOnce; ++i)
      tasks.push_back({text(kRival, " ", rival.length_ms, " ", fabric_.world.draw(),
                            class_mark(rival.kind, rival.project)),
                       Plan{{rival.kind, rival.project}}});
    rival.request = submit_(std::move(tasks));
    rival.given += kAtOnce;
  }
  client_.after(100ms, [this, rival] { feed(rival); });
}

}  // namespace eole::simulation
