#include "tests/simulation/world.hpp"

#include <cstdio>

namespace eole::simulation {

namespace {
constexpr std::uint64_t kStepsMax = 400'000;  // Some fifty times what a run needs.
// At one moment, which never passes if what happens in it goes on by itself.
constexpr std::uint64_t kStepsAtOnceMax = 10'000;
}  // namespace

void World::at(TimePoint when, std::function<void()> what) {
  due_.push({std::max(when, now_), ++order_, std::move(what)});
}

void World::run(TimePoint until) {
  while (!due_.empty() && due_.top().when <= until) {
    auto due = std::move(const_cast<Due&>(due_.top()));
    due_.pop();
    steps_at_once_ = now_ == due.when ? steps_at_once_ + 1 : 0;
    now_ = due.when;
    if (++steps_ > kStepsMax) throw Violation{"events without end"};
    if (steps_at_once_ > kStepsAtOnceMax) throw Violation{"events without end at one moment"};
    due.what();
  }
  now_ = until;
}

void World::trace(const std::string& line) {
  for (const char letter : line) {
    hash_ ^= static_cast<unsigned char>(letter);
    hash_ *= 1099511628211ULL;
  }
  if (!keeps_trace_) return;
  char time[32];
  std::snprintf(time, sizeof time, "%10.4f ",
                std::chrono::duration<double>(now_.time_since_epoch()).count());
  lines_.push_back(time + line);
}

}  // namespace eole::simulation
