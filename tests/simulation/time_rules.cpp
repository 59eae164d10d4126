#include "tests/simulation/time_rules.hpp"

#include "common/base/text.hpp"

namespace eole::simulation {

namespace {

constexpr Duration kRounding = 2ms;  // Of moments that are said in milliseconds.

Duration milliseconds(std::uint64_t count) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(count));
}

}  // namespace

void TimeRules::on_send(const TaskId& id, const Plan& plan, bool was_restarted,
                        const World& world) const {
  const auto& conditions = plan.conditions;
  const auto now = world.now();
  if (do_clocks_jump_ && was_restarted) return;
  if (now + kRounding < plan.submitted + milliseconds(conditions.delay_ms))
    throw Violation{text(to_text(id), " was sent before its delay was over")};
  if (do_clocks_jump_) return;
  const auto unix_ms = static_cast<std::uint64_t>(world.wall_ms());
  if (unix_ms < conditions.not_before_unix_ms)
    throw Violation{text(to_text(id), " was sent before its time")};
}

bool TimeRules::has_expired(const SeenTask& task, const World& world) const {
  if (do_clocks_jump_ || task.plan == nullptr || task.end) return false;
  const auto& conditions = task.plan->conditions;
  const auto unix_ms = static_cast<std::uint64_t>(world.wall_ms());
  if (conditions.expires_unix_ms != 0 && unix_ms > conditions.expires_unix_ms) return true;
  return conditions.expires_in_ms != 0 && task.answered &&
         world.now() > *task.answered + milliseconds(conditions.expires_in_ms) + kRounding;
}

}  // namespace eole::simulation
