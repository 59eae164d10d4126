#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/tasks.hpp"

namespace eole::simulation {

class Fabric;

/// What a client submits: tasks of every class and with all that may be said of one.
class TaskDraw {
 public:
  /// `name`: the client's, with which its bodies are its own.
  TaskDraw(Fabric& fabric, std::string name) : fabric_(fabric), name_(std::move(name)) {}
  struct Drawn {
    std::string body;
    Plan plan;
  };
  /// The task behind `before` others of its submit.
  Drawn draw(std::uint32_t before);
  /// Others may wait for it.
  void on_accepted(const TaskId& id);

 private:
  std::string draw_body();
  protocol::TaskClass draw_class(const std::string& body);
  void draw_place(protocol::TaskClass& task_class);
  void draw_conditions(Plan& plan, std::uint32_t before);
  void draw_parents(Plan& plan, std::uint32_t before);

  Fabric& fabric_;
  std::string name_;
  std::vector<TaskId> accepted_;  // The last ones.
};

}  // namespace eole::simulation
