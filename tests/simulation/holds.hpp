#pragma once
#include "tests/simulation/asker.hpp"

namespace eole::simulation {

/// An operator who pauses a project for a while, again and again, and sets a cap and rates.
class Holds final : public Asker {
 public:
  using Asker::Asker;
  /// `then`: once they hold. Nothing is submitted before.
  void limit_some(Origin origin, std::function<void()> then);
  void pause_some(Origin origin);
  bool is_done() const { return paused_.empty() || is_resumed_; }

 private:
  void limit(Origin origin, const std::string& scope, double rate, std::function<void()> then);
  void pause();
  void resume();

  Origin origin_ = 0;
  std::string paused_;       // The project, for a while; empty: none.
  bool is_resumed_ = false;  // For good.
};

}  // namespace eole::simulation
