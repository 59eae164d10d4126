#include "ventilator/core/follower.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::ventilator;

namespace {

const TimePoint kNow = TimePoint(100s);
constexpr std::uint64_t kLog = 9;

protocol::Settled told(std::uint64_t request, std::uint64_t from, std::uint64_t to,
                       std::uint64_t head) {
  return {request, kLog, from, to, head, {}};
}

Follower introduced() {
  Follower follower(1s);
  REQUIRE(follower.on_introduced(kLog, 10));
  return follower;
}

}  // namespace

TEST_CASE("a ventilator introduces itself until it is answered", "[ventilator]") {
  Follower follower(1s);
  Actions out;
  follower.on_deadline(kNow, 5, false, out);
  follower.on_deadline(kNow + 900ms, 5, false, out);
  follower.on_deadline(kNow + 1s, 6, false, out);
  REQUIRE(out == Actions{SendIntroduce{5}, SendIntroduce{6}});
  REQUIRE(follower.on_introduced(kLog, 0));
  REQUIRE_FALSE(follower.on_introduced(kLog, 0));
  REQUIRE(follower.next_deadline() == std::nullopt);
}

TEST_CASE("what was given out is announced at once, and again while something is not settled",
          "[ventilator]") {
  auto follower = introduced();
  Actions out;
  follower.on_deadline(kNow, 5, false, out);
  follower.on_deadline(kNow, 5, false, out);
  REQUIRE(out == Actions{SendAnnounce{5, 10}});
  REQUIRE(follower.next_deadline() == kNow + 1s);
  follower.on_deadline(kNow + 500ms, 7, false, out);
  follower.on_deadline(kNow + 1500ms, 7, false, out);
  REQUIRE(out == Actions{SendAnnounce{5, 10}, SendAnnounce{7, 10}, SendAnnounce{7, 10}});
  follower.on_deadline(kNow + 2s, 7, true, out);
  REQUIRE(follower.next_deadline() == std::nullopt);
  REQUIRE(out.size() == 3);
}

TEST_CASE("another log hears the announcement anew", "[ventilator]") {
  auto follower = introduced();
  Actions out;
  follower.on_deadline(kNow, 5, true, out);
  auto settled = told(0, 10, 10, 10);
  settled.log = kLog + 1;
  follower.on_settled(settled);
  REQUIRE(follower.on_introduced(kLog + 1, 0));
  out.clear();
  follower.on_deadline(kNow, 5, true, out);
  REQUIRE(out == Actions{SendAnnounce{5, 0}});
}

TEST_CASE("one read at a time, and again if it is not answered", "[ventilator]") {
  auto follower = introduced();
  REQUIRE(follower.on_settled(told(0, 12, 15, 15)) == Follower::News{});
  Actions out;
  follower.follow(kNow, out);
  follower.follow(kNow, out);
  follower.on_deadline(kNow + 1s, 0, true, out);
  REQUIRE(out == Actions{SendFollow{1, kLog, 10}, SendFollow{1, kLog, 10}});
  REQUIRE(follower.on_settled(told(1, 10, 15, 15)) == Follower::News{true, {}});
  REQUIRE(follower.is_caught_up());
}

TEST_CASE("what is suspected while a read is under way is judged after the next one",
          "[ventilator]") {
  auto follower = introduced();
  Actions out;
  const Suspicion first{{{1, {1, 1}}}, "lost"};
  const Suspicion second{{{2, {1, 2}}}, "lost, too"};
  follower.suspect(first);
  follower.follow(kNow, out);
  follower.suspect(second);
  REQUIRE(follower.on_settled(told(1, 10, 10, 12)) == Follower::News{});  // Not to its head.
  follower.follow(kNow, out);
  REQUIRE(follower.on_settled(told(2, 10, 12, 12)) == Follower::News{true, {first}});
  follower.follow(kNow, out);
  REQUIRE(follower.on_settled(told(3, 12, 12, 12)) == Follower::News{false, {second}});
}

TEST_CASE("of another log nothing is believed before an introduction", "[ventilator]") {
  auto follower = introduced();
  auto other = told(0, 10, 11, 11);
  other.log = kLog + 1;
  REQUIRE(follower.on_settled(other) == Follower::News{});
  REQUIRE_FALSE(follower.is_introduced());
  REQUIRE(follower.on_introduced(kLog + 1, 0));
}

TEST_CASE("a ventilator whose place in the log is gone introduces itself anew", "[ventilator]") {
  auto follower = introduced();
  Actions out;
  follower.on_settled(told(0, 12, 15, 15));
  follower.follow(kNow, out);
  REQUIRE(out == Actions{SendFollow{1, kLog, 10}});
  REQUIRE(follower.on_settled(told(1, 14, 14, 15)) == Follower::News{});
  REQUIRE_FALSE(follower.is_introduced());
  out.clear();
  follower.on_deadline(kNow, 5, false, out);
  REQUIRE(out == Actions{SendIntroduce{5}});
  REQUIRE(follower.on_introduced(kLog, 15));
  REQUIRE(follower.cursor() == 15);
}
