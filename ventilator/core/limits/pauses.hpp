#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ventilator/core/limits/limit.hpp"
#include "ventilator/core/limits/scope.hpp"

namespace eole::ventilator {

/// What is paused gets no new lease; what is leased goes on.
class Pauses final : public Limit {
 public:
  void set(const Scope& scope, bool is_paused);
  bool is_empty() const { return paused_.empty(); }
  bool is_paused(const Scope& scope) const { return paused_.contains(scope); }
  /// In the words of parse_scope.
  std::vector<std::string> list() const;

  std::uint64_t room(const protocol::TaskClass& task_class, TimePoint now) const override;
  void on_leased(const protocol::TaskClass&, std::uint64_t, TimePoint) override {}
  std::optional<TimePoint> next_deadline() const override { return std::nullopt; }
  std::optional<Why> why(const protocol::TaskClass& task_class) const override;

 private:
  std::set<Scope> paused_;
};

}  // namespace eole::ventilator
