#include "relay/core/alerts.hpp"

#include <catch2/catch.hpp>

using namespace eole::relay;
using eole::protocol::Value;
using Changes = std::vector<AlertChange>;

namespace {
const std::vector<AlertRule> kRules{{"lag", "*", 120}, {"soon", "billing", 10}};
}

TEST_CASE("a group that is behind raises an alert once, and one when it is no more", "[relay]") {
  const GroupLag behind{"billing", 60, 5};
  const GroupLag far{"mail", 121, 7};
  CHECK(judge(kRules, {behind, far}, {}, 9) ==
        Changes{{"lag", far, true, 9}, {"soon", behind, true, 9}});
  const Raised raised{{{"lag", "mail"}, 9}, {{"soon", "billing"}, 9}};
  CHECK(judge(kRules, {behind, far}, raised, 10).empty());
  const GroupLag at_limit{"mail", 120, 1};
  CHECK(judge(kRules, {behind, at_limit}, raised, 10) == Changes{{"lag", at_limit, false, 9}});
}

TEST_CASE("an alert is over when its group or its rule is gone", "[relay]") {
  const Raised raised{{{"lag", "mail"}, 9}, {{"old", "billing"}, 8}};
  const GroupLag behind{"billing", 9, 5};
  CHECK(judge(kRules, {behind}, raised, 10) ==
        Changes{{"lag", {"mail"}, false, 9}, {"old", behind, false, 8}});
}

TEST_CASE("every group has an alert, unless somebody says otherwise", "[relay]") {
  CHECK(rules_of(Value::Array{}) == std::vector<AlertRule>{{"lag", "*", 120}});
  const Value said = Value::Array{
      Value::Map{{"name", "all"}, {"group", "*"}, {"seconds", 5}},
  };
  CHECK(rules_of(said) == std::vector<AlertRule>{{"all", "*", 5}});
}
