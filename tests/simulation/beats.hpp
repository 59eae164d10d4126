#pragma once
#include "tests/simulation/asker.hpp"

namespace eole::simulation {

/// A schedule, from the start until the faults are over.
class Beats final : public Asker {
 public:
  using Asker::Asker;
  void set_up();
  bool is_done() const { return !has_beats_; }

 private:
  void end();
  void ask(protocol::Value schedule, client::Asks::OnAnswer on_answer);
  bool has_beats_ = false;
};

}  // namespace eole::simulation
