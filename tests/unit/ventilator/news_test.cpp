#include <catch2/catch.hpp>

#include "common/protocol/task_class.hpp"
#include "ventilator/core/core.hpp"

using namespace eole;
using namespace eole::ventilator;

namespace {

std::vector<TellNews> told(const Actions& actions) {
  std::vector<TellNews> news;
  for (const auto& action : actions)
    if (const auto* one = std::get_if<TellNews>(&action)) news.push_back(*one);
  return news;
}

}  // namespace

TEST_CASE("what happens is told only while somebody listens", "[news]") {
  Durable durable;
  durable.origin = 5;
  durable.start = 1;
  const TimePoint now(1000s);
  Core core(Config{}, std::move(durable), {now, 1000});
  protocol::TaskClass echo;
  echo.kind = "echo";
  echo.project = "shop";
  Bytes specs;
  for (int i = 0; i < 3; ++i) protocol::put_task_spec(specs, {"\x80"});
  Bytes groups;
  protocol::put_task_group(groups, {protocol::encode_class(echo), 3, specs});
  const auto submitted = [&](std::uint64_t request) {
    Actions out;
    core.on_event(Submitted{"peer", {7, request, 0, {}, 3, groups}, ""}, now, out);
    return told(out);
  };
  REQUIRE(submitted(1).empty());
  core.read_clock({now, 1000, false, true});
  REQUIRE(submitted(2) ==
          std::vector{TellNews{{"accepted", "task", {}, "shop", "echo", {{"count", 3}}}, 4}});
  REQUIRE(submitted(2).empty());  // A copy is accepted once.
}
