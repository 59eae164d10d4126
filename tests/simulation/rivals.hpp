#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tests/simulation/process.hpp"
#include "tests/simulation/task_draw.hpp"

namespace eole::simulation {

/// Some projects of which each always has work waiting, with tasks of different lengths.
class Rivals {
 public:
  /// The number of its request, which `is_answered` then knows.
  using Submit = std::function<std::uint64_t(std::vector<TaskDraw::Drawn> tasks)>;
  using IsAnswered = std::function<bool(std::uint64_t request)>;
  Rivals(Fabric& fabric, Process& client, Submit submit, IsAnswered is_answered)
      : fabric_(fabric),
        client_(client),
        submit_(std::move(submit)),
        is_answered_(std::move(is_answered)) {}
  void begin(Origin origin);
  bool is_done() const { return feeding_ == 0; }

 private:
  struct Rival {
    std::string project;
    std::uint64_t length_ms = 0;  // Of its tasks, in the middle.
    std::uint64_t request = 0;
    std::size_t given = 0;
  };
  void feed(Rival rival);

  Fabric& fabric_;
  Process& client_;
  Submit submit_;
  IsAnswered is_answered_;
  Origin origin_ = 0;
  int feeding_ = 0;
};

}  // namespace eole::simulation
