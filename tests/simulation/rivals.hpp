#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tests/simulation/asker.hpp"
#include "tests/simulation/task_draw.hpp"

namespace eole::simulation {

/// Some projects of which each always has work waiting, with tasks of different lengths. One of
/// them may be paused for a while, or alone with its kind; and another project may have workers of
/// its own, and so more time than each of them.
class Rivals : private Asker {
 public:
  /// The number of its request, which `is_answered` then knows.
  using Submit = std::function<std::uint64_t(std::vector<TaskDraw::Drawn> tasks)>;
  using IsAnswered = std::function<bool(std::uint64_t request)>;
  Rivals(Fabric& fabric, Process& client, client::Asks& asks, Submit submit, IsAnswered is_answered)
      : Asker(fabric, client, asks),
        submit_(std::move(submit)),
        is_answered_(std::move(is_answered)) {}
  /// `has_far`: workers offer kFarKind; `are_limited`: those of kind work are.
  void begin(Origin origin, bool has_far, bool are_limited);
  bool is_done() const { return feeding_ == 0; }

 private:
  struct Rival {
    std::string project;
    std::string kind;
    std::uint64_t length_ms = 0;  // Of its tasks, in the middle.
    std::uint64_t request = 0;
    std::size_t given = 0;
  };
  void feed(Rival rival);
  void feed_after(Duration most, const Rival& rival);
  void pause(const std::string& project);
  void resume(const std::string& project);

  Submit submit_;
  IsAnswered is_answered_;
  Origin origin_ = 0;
  int feeding_ = 0;
};

}  // namespace eole::simulation
