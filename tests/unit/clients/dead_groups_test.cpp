#include "clients/cpp/tasks/dead_groups.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"

using namespace eole;
using namespace eole::client;
using protocol::Value;

namespace {

Value letter(std::vector<std::string> reasons, const std::string& id = "k3f9qz-1") {
  return Value::Map{{"id", id},
                    {"kind", "exec"},
                    {"error", "dead after 5 attempts"},
                    {"finished", "2026-01-31T12:00:00.000Z"},
                    {"reasons", Value::Array(reasons.begin(), reasons.end())}};
}

std::string group(const std::string& reason) {
  return group_of(letter({"attempt 1: failed: another one", "attempt 2: failed: " + reason}));
}

}  // namespace

TEST_CASE("reasons that differ by their numbers and paths only are one group", "[cli]") {
  CHECK(group("download http://127.0.0.1:1/0: Failed to connect to 127.0.0.1 port 1 after 12 ms: "
              "Couldn't connect") ==
        "download …: Failed to connect to # port # after # ms: Couldn't connect");
  CHECK(group("exec: /srv/a/7: No such file or directory") ==
        group("exec: ./b: No such file or directory"));
  CHECK(group("over its time limit of 0.1s") == "over its time limit of #s");
  CHECK(group("sha256 of 0123abcd4567 is not 89abcdef01") == "sha# of # is not #");
  CHECK(group("$result k3f9qz-17: it is failed") == "$result #: it is failed");
  CHECK(group("worker w3 left") == "worker w# left");
}

TEST_CASE("a number that says which failure it is stays", "[cli]") {
  CHECK(group("exit code 3") == "exit code 3");
  CHECK(group("killed by signal 9") != group("killed by signal 11"));
  CHECK(group("download https://a.org/b: HTTP 503 Busy") == "download …: HTTP 503 Busy");
}

TEST_CASE("a letter's group is why its last attempt failed", "[cli]") {
  CHECK(group_of(letter({"attempt 1: failed: exit code 4",
                         "not tried again: exit:4 is none of exit:5"})) == "exit code 4");
  CHECK(group_of(letter({"its task was lost: the journal was damaged, and salvaged"})) ==
        "its task was lost: the journal was damaged, and salvaged");
  CHECK(group_of(letter({})) == "dead after # attempts");
  CHECK(group(std::string(1000, 'x')).size() == kDeadReasonBytesMax);
}

TEST_CASE("a group says when its letters died, and how many in which hour", "[cli]") {
  DeadGroups dead;
  const auto died = [&](std::string when) {
    auto one = letter({"attempt 1: failed: exit code 1"});
    one.set("finished", std::move(when));
    dead.add(one);
  };
  died("2026-01-30T09:59:59Z");
  for (int hour = 0; hour < 24; ++hour)
    died(text("2026-01-31T", hour < 10 ? "0" : "", hour, ":30:00Z"));
  died("2026-01-31T23:31:00Z");
  const auto& group = dead.groups().at("exit code 1");
  CHECK(group.oldest == "2026-01-30T09:59:59Z");
  CHECK(group.newest == "2026-01-31T23:31:00Z");
  CHECK(group.hours.size() == kDeadHoursMax);
  CHECK(!group.hours.contains("2026-01-30T09"));
  CHECK(group.hours.at("2026-01-31T00") == 1);
  CHECK(group.hours.at("2026-01-31T23") == 2);
}

TEST_CASE("more reasons than are kept apart are counted together", "[cli]") {
  DeadGroups dead;
  for (std::size_t i = 0; i < kDeadGroupsMax + 2; ++i)
    dead.add(letter({text("attempt 1: failed: exit code ", i)}));
  dead.add(letter({"attempt 1: failed: exit code 7"}, "k3f9qz-2"));
  CHECK(dead.groups().size() == kDeadGroupsMax);
  CHECK(dead.others() == 2);
  CHECK(dead.groups().at("exit code 7").count == 2);
  CHECK(dead.groups().at("exit code 7").example == "k3f9qz-2");
  CHECK(dead.groups().at("exit code 7").kinds.at("exec") == 2);
}
