#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/protocol/value.hpp"

namespace eole::relay {

constexpr std::string_view kEveryGroup = "*";
constexpr std::int64_t kLagSeconds = 120;  // Of every group, unless somebody says otherwise.

/// Somebody wants to hear when this group, or every one, is so far behind.
struct AlertRule {
  std::string name;
  std::string group;
  std::int64_t seconds = kLagSeconds;
  bool operator==(const AlertRule&) const = default;
};

/// How far a group is behind: the age of the oldest record that it has not read.
struct GroupLag {
  std::string group;
  std::int64_t seconds = 0;
  std::uint64_t records = 0;
  bool operator==(const GroupLag&) const = default;
};

/// By the rule's name and the group's: since when, Unix milliseconds.
using Raised = std::map<std::pair<std::string, std::string>, std::int64_t>;

/// What changes: alerts that are raised now, and those that are over. Of a group that is gone they
/// are over, too, and of a rule that was taken back.
struct AlertChange {
  std::string rule;
  GroupLag lag;
  bool is_raised = false;
  std::int64_t since_unix_ms = 0;
  bool operator==(const AlertChange&) const = default;
};
std::vector<AlertChange> judge(const std::vector<AlertRule>& rules,
                               const std::vector<GroupLag>& groups, const Raised& raised,
                               std::int64_t unix_ms);

/// The rules that were declared, and that of every group unless it was.
std::vector<AlertRule> rules_of(const protocol::Value& declared);

}  // namespace eole::relay
