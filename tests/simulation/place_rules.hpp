#pragma once
#include <map>
#include <string>

#include "common/protocol/messages.hpp"
#include "common/protocol/needs.hpp"
#include "common/protocol/task_class.hpp"
#include "tests/simulation/world.hpp"

namespace eole::simulation {

/// A worker is sent only what its link's hello says that it runs, what it has the labels and
/// resources for, and of what is pinned only what is pinned to it.
class PlaceRules {
 public:
  void on_hello(const protocol::Hello& hello);
  void on_send(const Link& link, const protocol::TaskClass& task_class) const;

 private:
  struct Worker {
    std::string name;
    std::string kinds;  // As it says.
    protocol::Offers offers;
  };
  std::map<std::pair<RunId, std::uint32_t>, Worker> workers_;  // As each hello of it says.
};

}  // namespace eole::simulation
