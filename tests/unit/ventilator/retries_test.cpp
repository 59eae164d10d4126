#include "ventilator/core/retries.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;
using Fate = Decision::Fate;
using protocol::TaskClass;

namespace {

Decision decided(std::uint16_t attempt, std::uint8_t attempts_max, Cause cause, bool is_feared,
                 std::uint16_t returns = 0) {
  AttemptEnd end{{kOrigin, 7}, attempt, cause};
  end.is_feared = is_feared;
  end.returns = returns;
  return decide({}, attempts_max, end);
}

AttemptEnd failed(Seq seq, std::uint16_t attempt, std::string_view failure = "exit:1",
                  std::uint32_t retry_after_ms = 0) {
  return {{kOrigin, seq}, attempt, Cause::kFailed, failure, retry_after_ms};
}

/// The longest and the shortest pause of many tasks.
std::pair<Duration, Duration> pauses(const TaskClass& task_class, std::uint16_t attempt) {
  auto least = Duration::max();
  auto most = Duration::min();
  for (Seq seq = 1; seq <= 1000; ++seq) {
    const auto pause = decide(task_class, 255, failed(seq, attempt)).pause;
    least = std::min(least, pause);
    most = std::max(most, pause);
  }
  return {least, most};
}

void require_spread_up_to(const TaskClass& task_class, std::uint16_t attempt, Duration ceiling) {
  const auto [least, most] = pauses(task_class, attempt);
  REQUIRE(least > 0s);
  REQUIRE(least < ceiling / 10);
  REQUIRE(most > ceiling * 9 / 10);
  REQUIRE(most <= ceiling);
}

}  // namespace

TEST_CASE("attempts that are used up end a task; only a feared one's last runs alone",
          "[ventilator]") {
  REQUIRE(decided(0, 5, Cause::kReturned, true) == Decision{Fate::kAgain, {}});
  REQUIRE(decided(3, 5, Cause::kLost, true) == Decision{Fate::kAgain, {}});
  REQUIRE(decided(4, 5, Cause::kLost, true) == Decision{Fate::kAlone, {}});
  REQUIRE(decided(4, 5, Cause::kLost, false) == Decision{Fate::kAgain, {}});
  REQUIRE(decided(5, 5, Cause::kLost, true) == Decision{Fate::kDead, {}});
  REQUIRE(decided(1, 1, Cause::kFailed, false) == Decision{Fate::kDead, {}});
  REQUIRE(decided(4, 5, Cause::kFailed, true).fate == Fate::kAlone);
  REQUIRE(decided(0, 1, Cause::kReturned, false) == Decision{Fate::kAgain, {}});
  REQUIRE(decided(0, 1, Cause::kReturned, false, 1) == Decision{Fate::kAgain, {}});
  REQUIRE(decided(0, 1, Cause::kReturned, false, 2) == Decision{Fate::kAgain, kPauseFirst});
  REQUIRE(decided(0, 1, Cause::kReturned, false, 60) == Decision{Fate::kAgain, kPauseMax});
  REQUIRE(decide({.kind = "work", .attempts_max = 2}, 5, failed(1, 2)).fate == Fate::kDead);
}

TEST_CASE("the pause behind a failure is any time up to a ceiling that doubles", "[ventilator]") {
  require_spread_up_to({}, 1, 250ms);
  require_spread_up_to({}, 2, 500ms);
  require_spread_up_to({}, 3, 1s);
  require_spread_up_to({}, 8, 32s);
  require_spread_up_to({}, 9, 60s);
  require_spread_up_to({}, 254, 60s);
  const TaskClass own{.kind = "work", .backoff_ms = 2'000, .backoff_max_ms = 5'000};
  require_spread_up_to(own, 1, 2s);
  require_spread_up_to(own, 2, 4s);
  require_spread_up_to(own, 3, 5s);
  require_spread_up_to({.kind = "work", .backoff_ms = 300'000}, 1, 300s);  // Over the usual most.
}

TEST_CASE("who decides again on the same attempt decides the same", "[ventilator]") {
  REQUIRE(decide({}, 5, failed(3, 2)) == decide({}, 5, failed(3, 2)));
  std::set<Duration> differ;
  for (std::uint16_t attempt = 20; attempt < 40; ++attempt)
    differ.insert(decide({}, 255, failed(3, attempt)).pause);
  REQUIRE(differ.size() == 20);
}

TEST_CASE("a failure says after how long another attempt makes sense", "[ventilator]") {
  const auto pause = decide({}, 5, failed(3, 1, "http:503", 30'000)).pause;
  REQUIRE(pause > 30s);
  REQUIRE(pause <= 30s + 250ms);
}

TEST_CASE("only the failures that a class names are tried again, and what was lost",
          "[ventilator]") {
  const TaskClass picky{.kind = "work", .retry = 1, .retry_on = "exit:75,timeout"};
  REQUIRE(decide(picky, 5, failed(1, 1, "exit:75")).fate == Fate::kAgain);
  REQUIRE(decide(picky, 5, failed(1, 1, "timeout")).fate == Fate::kAgain);
  REQUIRE(decide(picky, 5, failed(1, 1, "lost")).fate == Fate::kAgain);
  REQUIRE(decide(picky, 5, failed(1, 1, "exit:1")) == Decision{Fate::kUnwanted, {}});
  REQUIRE(decide(picky, 5, failed(1, 1, "")) == Decision{Fate::kUnwanted, {}});
  REQUIRE(decide(picky, 5, {{kOrigin, 1}, 1, Cause::kLost}).fate == Fate::kAgain);
  REQUIRE(decide(picky, 5, {{kOrigin, 1}, 0, Cause::kReturned}).fate == Fate::kAgain);
  REQUIRE(decide(picky, 5, failed(1, 5, "exit:1")).fate == Fate::kDead);
}

TEST_CASE("a failure that is not to be tried again makes a dead letter that says so",
          "[ventilator]") {
  Rig rig;
  rig.worker(1, 2);
  Bytes groups;
  protocol::put_task_group(
      groups, {protocol::encode_class({.kind = "work", .retry = 1, .retry_on = "exit:75"}), 2, ""});
  rig.step(Submitted{"client", {7, 1, 0, "", 2, groups}, "", false});
  rig.settle({}, {{1, {1, 1}, "exit code 3", "exit:3"}, {2, {1, 2}, "exit code 75", "exit:75"}});
  const auto verdict = rig.last<PushVerdict>();
  REQUIRE(verdict.seq == 1);
  REQUIRE(verdict.state == TaskState::kDead);
  REQUIRE(verdict.reasons ==
          std::vector<std::string>{"attempt 1: failed: exit code 3",
                                   "not tried again: exit:3 is none of exit:75"});
  REQUIRE(rig.core.explain().task(2)->state == "waiting");
}
