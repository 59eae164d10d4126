#include "ventilator/core/heard_controls.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::ventilator;
using protocol::Value;

namespace {

const Value kAnswer = Value::Map{{"paused", true}};
const Error kWhy{"project photos: was closed", ErrorCode::kConflict};

}  // namespace

TEST_CASE("what was answered to a control is answered to a copy of it, of whom it was",
          "[ventilator]") {
  Wishes wishes;
  HeardControls heard(wishes, false);
  REQUIRE_FALSE(heard.answer_before("client", 1, "a"));
  Actions out;
  heard.remember("a", kAnswer, false, out);
  heard.remember("b", kWhy, false, out);
  const auto refused = Value(Value::Array{kWhy.message, "conflict"}).to_msgpack();
  REQUIRE(out == Actions{JournalWish{"heard", "a", kAnswer.to_msgpack()},
                         JournalWish{"heard", "b", refused}});
  REQUIRE(heard.answer_before("client", 1, "a") ==
          Reply{"client", protocol::Answer{1, kAnswer.to_msgpack()}});
  REQUIRE(heard.answer_before("other", 2, "b") ==
          Reply{"other", protocol::Refused{2, kWhy.message, "conflict"}});
  REQUIRE_FALSE(HeardControls(wishes, true).answer_before("client", 1, "a"));
}

TEST_CASE("a control without an id is not remembered", "[ventilator]") {
  Wishes wishes;
  HeardControls heard(wishes, true);
  Actions out;
  heard.remember("", kAnswer, false, out);
  REQUIRE(out.empty());
  REQUIRE_FALSE(heard.answer_before("client", 1, ""));
}

TEST_CASE("what a full disk has no room for is known, and not written", "[ventilator]") {
  Wishes wishes;
  HeardControls heard(wishes, true);
  Actions out;
  heard.remember("a", kWhy, true, out);
  REQUIRE(out.empty());
  REQUIRE(heard.answer_before("client", 1, "a"));
}

TEST_CASE("the oldest of many controls is forgotten first", "[ventilator]") {
  Wishes wishes;
  HeardControls heard(wishes, false);
  Actions out;
  for (int i = 0; i < 256; ++i) heard.remember("id" + std::to_string(i), kAnswer, false, out);
  HeardControls(wishes, true).remember("boss", kAnswer, false, out);
  REQUIRE(heard.answer_before("client", 1, "id0"));
  out.clear();
  heard.remember("one more", kAnswer, false, out);
  REQUIRE(out == Actions{JournalWish{"heard", "id0", ""},
                         JournalWish{"heard", "one more", kAnswer.to_msgpack()}});
  REQUIRE_FALSE(heard.answer_before("client", 1, "id0"));
  REQUIRE(heard.answer_before("client", 1, "id1"));
  REQUIRE(HeardControls(wishes, true).answer_before("client", 1, "boss"));
}
