#include "relay/core/alerts.hpp"

#include <algorithm>

namespace eole::relay {

using protocol::Value;

std::vector<AlertChange> judge(const std::vector<AlertRule>& rules,
                               const std::vector<GroupLag>& groups, const Raised& raised,
                               std::int64_t unix_ms) {
  std::vector<AlertChange> changes;
  const auto lag_of = [&](const std::string& group) {
    const auto found = std::find_if(groups.begin(), groups.end(),
                                    [&](const GroupLag& one) { return one.group == group; });
    return found == groups.end() ? GroupLag{group} : *found;
  };
  for (const auto& [which, since] : raised) {
    const auto& name = which.first;
    const auto& group = which.second;
    const auto lag = lag_of(group);
    const bool holds = std::any_of(rules.begin(), rules.end(), [&](const AlertRule& rule) {
      return rule.name == name && (rule.group == kEveryGroup || rule.group == group) &&
             lag.seconds > rule.seconds;
    });
    if (!holds) changes.push_back({name, lag, false, since});
  }
  for (const auto& rule : rules)
    for (const auto& lag : groups) {
      if (rule.group != kEveryGroup && rule.group != lag.group) continue;
      if (lag.seconds > rule.seconds && !raised.contains({rule.name, lag.group}))
        changes.push_back({rule.name, lag, true, unix_ms});
    }
  return changes;
}

std::vector<AlertRule> rules_of(const Value& declared) {
  std::vector<AlertRule> rules;
  if (const auto* list = declared.as<Value::Array>())
    for (const auto& each : *list)
      rules.push_back({each["name"].text_or(""), each["group"].text_or(""),
                       each["seconds"].int_or(kLagSeconds)});
  const bool is_said = std::any_of(rules.begin(), rules.end(), [](const AlertRule& rule) {
    return rule.group == kEveryGroup;
  });
  if (!is_said) rules.push_back({"lag", std::string(kEveryGroup), kLagSeconds});
  return rules;
}

}  // namespace eole::relay
