#pragma once
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "tests/simulation/world.hpp"

namespace eole::simulation {

class Fabric;

/// A process: alive or not, perhaps paused, with the input that waits for its next turn.
class Process {
 public:
  Process(Fabric& fabric, std::string name) : fabric_(fabric), name_(std::move(name)) {}
  virtual ~Process() = default;
  void deliver(std::function<void()> input);
  void start();
  void crash();
  void pause(Duration time);
  bool is_alive() const { return is_alive_; }
  const std::string& name() const { return name_; }

 protected:
  virtual void boot() = 0;  // May throw StorageFailure: then it is started again later.
  virtual void turn() = 0;  // All input was handed over: decide and act.
  virtual void die() = 0;
  virtual void on_refusal(const std::string&) {}  // Its storage would not open.
  virtual std::optional<TimePoint> next_deadline() const = 0;
  void schedule(TimePoint when);
  Fabric& fabric_;
  std::string name_;

 private:
  void take_turn();
  bool is_alive_ = false;
  std::uint64_t life_ = 0;
  TimePoint paused_until_{};
  TimePoint scheduled_ = TimePoint::max();
  std::deque<std::function<void()>> inbox_;
};

}  // namespace eole::simulation
