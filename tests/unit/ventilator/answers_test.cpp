#include "ventilator/core/answers.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::ventilator;

namespace {

constexpr TimePoint kStart = TimePoint(1000s);

}  // namespace

TEST_CASE("answers are forgotten by age, and only then", "[answers]") {
  Answers answers;
  answers.add({"old", "", {1, 1}, kStart});
  answers.add({"new", "", {2, 1}, kStart + 10s});
  answers.add(1, 1, 0, {3, 1}, kStart);
  answers.add(2, 1, 0, {4, 1}, kStart + 10s);
  answers.forget_before(kStart + 5s);
  REQUIRE_FALSE(answers.find("old"));
  REQUIRE(answers.find("new")->answered == Answered{2, 1});
  REQUIRE_FALSE(answers.find(1, 1));
  REQUIRE(*answers.find(2, 1) == Answered{4, 1});
  answers.forget_before(kStart + 15s);
  REQUIRE(answers.bytes() == 0);
}

TEST_CASE("a request is answered again until its client confirms that it has the answer",
          "[answers]") {
  Answers answers;
  answers.add(1, 1, 0, {10, 2}, kStart);
  answers.add(1, 2, 0, {12, 1}, kStart);
  REQUIRE(answers.find(1, 1) == Answered{10, 2});
  REQUIRE(answers.find(2, 1) == std::nullopt);
  REQUIRE(answers.unconfirmed(1) == 2);
  answers.add(1, 3, 1, {13, 1}, kStart);
  REQUIRE(answers.find(1, 1) == std::nullopt);
  REQUIRE(answers.is_confirmed(1, 1));
  REQUIRE_FALSE(answers.is_confirmed(1, 2));
  REQUIRE(answers.find(1, 2) == Answered{12, 1});
  answers.add(1, 4, 0, {14, 1}, kStart);  // An old level takes nothing back.
  REQUIRE(answers.is_confirmed(1, 1));
  REQUIRE(answers.unconfirmed(1) == 3);
  REQUIRE(answers.find(1, 4) == Answered{14, 1});
}
