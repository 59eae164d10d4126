#include "tests/simulation/process.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "tests/simulation/fabric.hpp"

namespace eole::simulation {

void Process::deliver(std::function<void()> input) {
  if (!is_alive_) return;
  inbox_.push_back(std::move(input));
  schedule(fabric_.world.now());
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
    while (!inbox_.empty()) {
      const auto input = std::move(inbox_.front());
      inbox_.pop_front();
      input();
    }
    turn();
  } catch (const storage::StorageFailure& failure) {  // The process ends; somebody restarts it.
    fabric_.world.trace(name_ + " ends: " + failure.what());
    crash();
    return;
  }
  if (!is_alive_) return;
  if (const auto next = next_deadline()) schedule(*next);
}

void Process::start() {
  ++life_;
  scheduled_ = TimePoint::max();
  inbox_.clear();
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
  inbox_.clear();
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
