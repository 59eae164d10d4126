#include "tests/simulation/process.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "tests/simulation/fabric.hpp"

namespace eole::simulation {

void Process::wake() {
  if (is_alive_) schedule(fabric_.world.now());
}

void Process::after(Duration time, std::function<void()> what) {
  fabric_.world.after(time, [this, life = life_, what = std::move(what)] {
    if (is_alive_ && life == life_) what();
  });
}

void Process::schedule(TimePoint when) {
  when = std::max({when, paused_until_, fabric_.world.now()});
  if (when >= scheduled_) return;
  scheduled_ = when;
  fabric_.world.at(when, [this, life = life_, when] {
    if (!is_alive_ || life != life_ || scheduled_ != when) return;
    scheduled_ = TimePoint::max();
    if (fabric_.world.now() < paused_until_) return schedule(paused_until_);
    take_turn();
  });
}

void Process::take_turn() {
  try {
    if (const auto next = turn()) schedule(*next);
  } catch (const storage::StorageFailure& failure) {  // Somebody starts it again.
    fabric_.world.trace(name_ + " ends: " + failure.what());
    crash();
  } catch (const ProcessEnds& end) {
    fabric_.world.trace(name_ + " ends: " + end.why);
    crash();
  }
}

void Process::start() {
  ++life_;
  scheduled_ = TimePoint::max();
  try {
    boot();
  } catch (const storage::StorageFailure& failure) {
    fabric_.world.trace(name_ + " cannot start: " + failure.what());
    die();
    on_refusal(failure.what());
    fabric_.world.after(500ms, [this, life = life_] {
      if (!is_alive_ && life == life_) start();
    });
    return;
  }
  fabric_.world.trace(name_ + " starts");
  is_alive_ = true;
  schedule(fabric_.world.now());
}

void Process::crash() {
  if (!is_alive_) return;
  fabric_.world.trace(name_ + " crashes");
  is_alive_ = false;
  ++life_;
  die();
  fabric_.world.after(fabric_.world.between(10ms, 3s), [this, life = life_] {
    if (!is_alive_ && life == life_) start();
  });
}

void Process::pause(Duration time) {
  fabric_.world.trace(name_ + " pauses");
  paused_until_ = fabric_.world.now() + time;
}

}  // namespace eole::simulation
