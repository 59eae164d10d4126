#include "gateway/core/pull/leases.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::gateway;

namespace {

constexpr auto kStart = TimePoint(1000s);

worker::StartTask task(Seq seq) {
  worker::StartTask task;
  task.id = {1, seq};
  return task;
}

}  // namespace

TEST_CASE("tasks go to who has waited longest, as many as it wants", "[leases]") {
  Leases leases;
  CHECK_FALSE(leases.give(task(1), "a", kStart));
  CHECK(leases.ask(7, 2, 30s));
  CHECK(leases.ask(8, 1, 10s));
  CHECK(leases.slots() == 3);
  const auto first = leases.give(task(1), "a", kStart);
  CHECK(first->ask == 7);
  CHECK(first->leased->until == kStart + 30s);
  CHECK(leases.slots() == 3);
  CHECK(leases.give(task(2), "b", kStart)->ask == 7);
  CHECK(leases.give(task(3), "c", kStart)->ask == 8);
  CHECK_FALSE(leases.give(task(4), "d", kStart));
  CHECK(leases.end("a")->task.id.seq == 1);
  CHECK(leases.slots() == 2);
}

TEST_CASE("who waits no more gets nothing, and keeps what it has", "[leases]") {
  Leases leases;
  leases.ask(7, 3, 30s);
  leases.give(task(1), "a", kStart);
  CHECK(leases.first() == 7);
  leases.forget(7);
  CHECK_FALSE(leases.first());
  leases.forget(7);
  CHECK(leases.slots() == 1);
  CHECK_FALSE(leases.give(task(2), "b", kStart));
  CHECK(leases.find("a") != nullptr);
}

TEST_CASE("a lease lapses unless it is renewed", "[leases]") {
  Leases leases;
  leases.ask(7, 2, 30s);
  leases.give(task(1), "a", kStart);
  leases.give(task(2), "b", kStart);
  CHECK(leases.next_deadline() == kStart + 30s);
  CHECK(leases.renew("b", {}, kStart + 20s)->until == kStart + 50s);
  CHECK(leases.take_lapsed(kStart + 29s).empty());
  const auto lapsed = leases.take_lapsed(kStart + 30s);
  REQUIRE(lapsed.size() == 1);
  CHECK(lapsed[0].task.id.seq == 1);
  CHECK(leases.renew("a", 5s, kStart + 31s) == nullptr);
  CHECK_FALSE(leases.end("a"));
  CHECK_FALSE(leases.has_ended("a"));
  CHECK(leases.renew("b", 5s, kStart + 40s)->until == kStart + 45s);
  CHECK(leases.take_lapsed(kStart + 45s).size() == 1);
  CHECK(leases.is_empty());
}

TEST_CASE("a task that must not go on is its holder's no more", "[leases]") {
  Leases leases;
  leases.ask(7, 1, 30s);
  leases.give(task(1), "a", kStart);
  CHECK(leases.revoke({1, 1})->lease == "a");
  CHECK_FALSE(leases.revoke({1, 1}));
  CHECK_FALSE(leases.end("a"));
  CHECK(leases.take_lapsed(kStart + 60s).empty());
  CHECK(leases.is_empty());
}

TEST_CASE("who says again that a lease has ended is believed for a while", "[leases]") {
  Leases leases;
  for (std::size_t i = 0; i <= Leases::kEndedMax; ++i) {
    leases.ask(i + 1, 1, 30s);
    leases.give(task(i + 1), std::to_string(i), kStart);
    leases.end(std::to_string(i));
  }
  CHECK_FALSE(leases.has_ended("0"));
  CHECK(leases.has_ended("1"));
  CHECK(leases.has_ended(std::to_string(Leases::kEndedMax)));
}

TEST_CASE("no more are given and waited for than there may be", "[leases]") {
  Leases leases;
  CHECK(leases.ask(1, 1000, 30s));
  CHECK_FALSE(leases.ask(2, 25, 30s));
  CHECK(leases.ask(3, 24, 30s));
}
