#pragma once
#include <map>

#include "ventilator/core/limits/limit.hpp"
#include "ventilator/core/limits/scope.hpp"

namespace eole::ventilator {

/// So many tasks of a kind or project are leased at a time, at most. What is leased it is told anew
/// each turn: it counts nothing that could drift.
class Caps final : public Limit {
 public:
  /// Zero: none.
  void set(const Scope& scope, std::uint64_t most);
  bool is_empty() const { return caps_.empty(); }

  /// From here on the leased ones are counted anew.
  void recount();
  void count(const protocol::TaskClass& task_class, std::uint64_t leased);

  std::uint64_t room(const protocol::TaskClass& task_class, TimePoint now) const override;
  void on_leased(const protocol::TaskClass& task_class, std::uint64_t count, TimePoint) override {
    this->count(task_class, count);
  }
  std::optional<TimePoint> next_deadline() const override { return std::nullopt; }
  std::optional<Why> why(const protocol::TaskClass& task_class) const override;

 private:
  struct Cap {
    std::uint64_t most = 0;
    std::uint64_t leased = 0;
  };
  std::map<Scope, Cap> caps_;
};

}  // namespace eole::ventilator
