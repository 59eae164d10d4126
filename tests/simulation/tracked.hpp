#pragma once
#include "tests/simulation/asker.hpp"

namespace eole::simulation {

/// Who opens a project, with a last task, and closes it: by wish, or because all are there that
/// were expected, or with all its tasks.
class Tracked final : public Asker {
 public:
  using Asker::Asker;
  void open(Origin origin);
  bool is_done() const { return origin_ == 0 || is_closed_; }

 private:
  void ask_open(const protocol::Value& wish);
  void close();
  Origin origin_ = 0;
  bool is_closed_ = false;
};

}  // namespace eole::simulation
