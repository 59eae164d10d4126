#include "worker/runners/process/talk.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using worker::Talk;

namespace {

std::string problem(const Expected<void>& heard) {
  return heard ? std::string() : heard.error().message;
}
std::string hear(Talk& talk, const std::string& name) {
  frames::Kind kind{{name}};
  return problem(talk.hear(kind));
}
Talk introduced(std::uint64_t ahead = 4) {
  Talk talk;
  REQUIRE(talk.hear(frames::Hello{2, ahead, 1}));
  REQUIRE(hear(talk, "work").empty());
  return talk;
}

}  // namespace

TEST_CASE("a child is introduced once it has said hello and all of its kinds", "[talk]") {
  Talk talk({"resize"});
  CHECK(hear(talk, "resize") == "no hello before all else");
  REQUIRE(talk.hear(frames::Hello{2, 8, 2}));
  CHECK_FALSE(talk.is_introduced());
  CHECK(hear(talk, "crop").empty());
  CHECK_FALSE(talk.is_introduced());
  CHECK(hear(talk, "resize").empty());
  CHECK(talk.is_introduced());
  CHECK(talk.ahead() == 8);
  CHECK(talk.kinds().size() == 2);
  CHECK(hear(talk, "third") == "more kinds than the 2 of its hello");
  CHECK(problem(talk.hear(frames::Hello{})) == "a second hello");
}

TEST_CASE("a hello that cannot be meant is refused", "[talk]") {
  const auto hello = [](std::uint64_t version, std::uint64_t ahead, std::uint64_t kinds) {
    return problem(Talk().hear(frames::Hello{version, ahead, kinds}));
  };
  CHECK(hello(1, 1, 1) == "version 1, this is 2");
  CHECK(hello(2, 1, 0) == "0 kinds, allowed are 1 to 256");
  CHECK(hello(2, 1, 257) == "257 kinds, allowed are 1 to 256");
  CHECK(hello(2, 0, 1) == "0 runs ahead, allowed are 1 to 256");
  CHECK(hello(2, 257, 1) == "257 runs ahead, allowed are 1 to 256");
  CHECK(hello(2, 256, 256).empty());
}

TEST_CASE("a kind has a name that may stand between commas", "[talk]") {
  Talk talk;
  REQUIRE(talk.hear(frames::Hello{2, 1, 256}));
  CHECK(hear(talk, "shop.tasks.größer").empty());
  CHECK(hear(talk, "shop.tasks.größer") == "the kind shop.tasks.größer twice");
  for (const std::string bad : {"a,b", "a b", "a\n", "a\x7f", "\xff"})
    CHECK(hear(talk, bad).find("its name has a comma") != std::string::npos);
  CHECK(hear(talk, "") == "a kind whose name has 0 bytes, allowed are 1 to 255");
  CHECK(hear(talk, std::string(255, 'k')).empty());
  CHECK_FALSE(hear(talk, std::string(256, 'k')).empty());
}

TEST_CASE("a child must offer what it offered before", "[talk]") {
  Talk talk({"work"});
  REQUIRE(talk.hear(frames::Hello{2, 1, 1}));
  CHECK(hear(talk, "play") == "a hello without the kind work");
}

TEST_CASE("runs end in the order in which they began", "[talk]") {
  auto talk = introduced();
  for (std::uint64_t number = 1; number <= 3; ++number) REQUIRE(talk.begin() == number);
  CHECK(talk.meant(1)->value() == 0);
  CHECK(talk.meant(3)->value() == 2);
  CHECK(talk.meant(4).error().message == "run 4, this is run 3");
  CHECK(talk.end(2).error().message == "the end of run 2 before that of run 1");
  CHECK(*talk.end(1));
  CHECK_FALSE(*talk.end(1));  // What comes late is nobody's.
  CHECK_FALSE(talk.meant(1)->has_value());
  CHECK(talk.meant(2)->value() == 0);
  CHECK(*talk.end(2));
}

TEST_CASE("a child that starts again takes as many runs as before", "[talk]") {
  const auto hello = [](std::uint64_t ahead) {
    return problem(Talk({"work"}, 8).hear(frames::Hello{2, ahead, 1}));
  };
  CHECK(hello(7) == "7 runs ahead, there were 8 before");
  CHECK(hello(8).empty());
  CHECK(hello(9).empty());
}
