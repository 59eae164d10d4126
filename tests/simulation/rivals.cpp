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
void Rivals::begin(Origin origin) {
  auto& world = fabric_.world;
  origin_ = origin;
  const auto count = 2 + world.below(2);
  for (std::uint64_t i = 0; i < count; ++i) {
    ++feeding_;
    const Rival rival{text(kRival, i), std::uint64_t{world.chance(0.5) ? 150U : 600U}};
    client_.after(world.between(Duration(0), 10s), [this, rival] { feed(rival); });
  }
}

void Rivals::feed(Rival rival) {
  if (!fabric_.is_rough() || rival.given >= kGivenMost) return void(--feeding_);
  if (is_answered_(rival.request) &&
      fabric_.ledger.shares().waiting(origin_, rival.project) < kWaiting) {
    std::vector<TaskDraw::Drawn> tasks;
    for (std::size_t i = 0; i < kAtOnce; ++i)
      tasks.push_back({text(kRival, " ", rival.length_ms, " ", fabric_.world.draw(),
                            class_mark("work", rival.project)),
                       Plan{{"work", rival.project}}});
    rival.request = submit_(std::move(tasks));
    rival.given += kAtOnce;
  }
  client_.after(100ms, [this, rival] { feed(rival); });
}

}  // namespace eole::simulation
