#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace eole::ventilator {

constexpr std::size_t kSharesMax = 65536;  // Projects of which it is known how much they had.

/// How many tasks of each project were served: of equals the least served goes first, so that a
/// million tasks of one do not delay ten of another. Who comes anew, or back after a while, begins
/// where the others are: what it did not use does not add up.
class Shares {
 public:
  struct Project {
    std::string name = {};
    std::uint64_t served = 0;
    std::uint64_t entered = 0;  // So often, and not left.
  };
  /// Stays where it is until it was left as often.
  Project& enter(const std::string& name);
  void leave(Project& project);
  void on_leased(Project& project, std::uint64_t tasks);
  std::size_t size() const { return projects_.size(); }

 private:
  std::unordered_map<std::string, Project> projects_;
  std::uint64_t entered_ = 0;  // By all.
  std::uint64_t floor_ = 0;    // What the one that was served last had before.
};

}  // namespace eole::ventilator
