#include "cli/run/halt.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using cli::Halt;
using cli::HaltPolicy;

namespace {

// How many ends until it is enough, of so many.
int ends_until(const std::string& written, const std::string& ends) {
  auto policy = *HaltPolicy::parse(written);
  for (std::size_t i = 0; i < ends.size(); ++i)
    if (policy.on_end(ends[i] == '+') != Halt::kNone) return static_cast<int>(i) + 1;
  return 0;
}

}  // namespace

TEST_CASE("it is enough after so many of a sort", "[run]") {
  REQUIRE(ends_until("soon,fail=1", "++-+") == 3);
  REQUIRE(ends_until("soon,fail=2", "-++-") == 4);
  REQUIRE(ends_until("now,success=2", "-+-+") == 4);
  REQUIRE(ends_until("now,done=3", "-+-+") == 3);
  REQUIRE(ends_until("never", "----") == 0);
}

TEST_CASE("a share needs three of the sort at least", "[run]") {
  REQUIRE(ends_until("soon,fail=10%", "--++-") == 5);
  REQUIRE(ends_until("soon,fail=50%", "+++++---") == 0);
  REQUIRE(ends_until("soon,fail=50%", "+++++-----") == 10);
}

TEST_CASE("now and soon are told apart, and what was hoped for", "[run]") {
  auto now = *HaltPolicy::parse("now,success=1");
  REQUIRE(now.on_end(true) == Halt::kNow);
  REQUIRE(now.is_met_by_success());
  auto soon = *HaltPolicy::parse("soon,fail=1");
  REQUIRE(soon.on_end(false) == Halt::kSoon);
  REQUIRE_FALSE(soon.is_met_by_success());
}

TEST_CASE("what is no halt is refused with what one is", "[run]") {
  for (const auto* bad : {"", "soon", "now", "soon,fail", "later,fail=1", "soon,bad=1",
                          "soon,fail=0", "soon,fail=x", "soon,fail=-1", "soon,fail=1%%",
                          "soon,fail=101%", "soon,fail=%", "soon=1,fail", "soon,fail=1 "})
    CHECK_FALSE(HaltPolicy::parse(bad));
  REQUIRE(HaltPolicy::parse("later,fail=1").error().message.starts_with("--halt later,fail=1: is"));
}
