#pragma once
#include <functional>
#include <optional>
#include <string>

#include "tests/simulation/network.hpp"
#include "tests/simulation/world.hpp"

namespace eole::simulation {

class Fabric;

/// Why a process ends by itself.
struct ProcessEnds {
  std::string why;
};

/// A process: alive or not, perhaps paused. It takes a turn when something came or is due.
class Process : public Party {
 public:
  Process(Fabric& fabric, std::string name) : fabric_(fabric), name_(std::move(name)) {}
  void start();
  void crash();
  void pause(Duration time);
  bool is_alive() const { return is_alive_; }
  const std::string& name() const override { return name_; }
  void wake() override;
  /// Later, if this life of it lasts so long.
  void after(Duration time, std::function<void()> what);

 protected:
  virtual void boot() = 0;  // May throw StorageFailure: then it is started again later.
  /// Takes what came, decides, acts; when the next turn is due. May throw ProcessEnds.
  virtual std::optional<TimePoint> turn() = 0;
  virtual void die() = 0;
  virtual void on_refusal(const std::string&) {}  // Its storage would not open.
  Fabric& fabric_;

 private:
  void schedule(TimePoint when);
  void take_turn();
  std::string name_;
  bool is_alive_ = false;
  std::uint64_t life_ = 0;
  TimePoint paused_until_{};
  TimePoint scheduled_ = TimePoint::max();
};

}  // namespace eole::simulation
