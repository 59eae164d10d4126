#include "tests/simulation/limit_rules.hpp"

#include <algorithm>

#include "common/base/text.hpp"

namespace eole::simulation {

namespace {

// What of a rate is not used adds up for a tenth of a second, and to one task at least.
double burst(double per_second) { return std::max(1.0, per_second * 0.1); }

}  // namespace

void LimitRules::on_begin(Origin origin, const std::string& kind) {
  const auto running = ++running_[{origin, kind}];
  const auto cap = caps_.find({origin, kind});
  if (is_calm_ && cap != caps_.end() && running > cap->second)
    throw Violation{text(running, " tasks of kind ", kind, " run, the cap is ", cap->second)};
}

void LimitRules::on_rate(Origin origin, const std::string& scope, double per_second,
                         TimePoint now) {
  rates_[{origin, scope}] = {per_second, burst(per_second), now};
}

// It begins with one.
void LimitRules::on_ventilator_starts(Origin origin) {
  for (auto& [scope, rate] : rates_)
    if (scope.first == origin) rate.left = std::max(rate.left, 1.0);
}

void LimitRules::on_send(Origin origin, const std::string& scope, std::uint64_t count,
                         TimePoint now) {
  const auto found = rates_.find({origin, scope});
  if (found == rates_.end()) return;
  auto& [per_second, left, at] = found->second;
  const auto seconds = std::chrono::duration<double>(now - at).count();
  left = std::min(burst(per_second), left + per_second * seconds) - static_cast<double>(count);
  at = now;
  if (left < -1e-6)
    throw Violation{
        text(-left, " tasks of ", scope, " were sent beyond ", per_second, " a second")};
}

}  // namespace eole::simulation
