#pragma once
#include <map>

#include "ventilator/core/limits/limit.hpp"
#include "ventilator/core/limits/rate.hpp"
#include "ventilator/core/limits/scope.hpp"

namespace eole::ventilator {

/// So many tasks of a kind or project are leased a second, at most.
class Rates final : public Limit {
 public:
  /// Zero: none.
  void set(const Scope& scope, double per_second, TimePoint now);
  bool is_empty() const { return rates_.empty(); }
  /// Once a turn: what adds up.
  void refresh(TimePoint now);

  std::uint64_t room(const protocol::TaskClass& task_class, TimePoint now) const override;
  void on_leased(const protocol::TaskClass& task_class, std::uint64_t count,
                 TimePoint now) override;
  std::optional<TimePoint> next_deadline() const override;
  std::optional<Why> why(const protocol::TaskClass& task_class) const override;

 private:
  std::map<Scope, Rate> rates_;
};

}  // namespace eole::ventilator
