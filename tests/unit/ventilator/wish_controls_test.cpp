#include "ventilator/core/wish_controls.hpp"

#include "rig.hpp"

using namespace eole;
using namespace eole::ventilator;
using protocol::Value;

namespace {

/// The parts that wishes are about, and what was written.
struct Parts {
  Wishes wishes;
  TaskClasses classes;
  Projects projects;
  Limits limits{wishes, kStart};
  Gates gates{kOrigin, projects, classes};
  Fleet fleet{Config{}, kStart};
  WishControls controls{wishes, limits, gates, fleet};
  Actions out;
};
const protocol::TaskClass kPhotos{"work", "photos"};
const Value kScope = Value::Map{{"scope", "project:photos"}};

}  // namespace

TEST_CASE("a pause holds from now on, is written once, and is taken back", "[ventilator]") {
  Parts parts;
  auto& [wishes, classes, projects, limits, gates, fleet, controls, out] = parts;
  const auto told = [](bool is_paused, bool was_paused) {
    return Value(
        Value::Map{{"scope", "project:photos"}, {"paused", is_paused}, {"was_paused", was_paused}});
  };
  REQUIRE(*controls.pause(kScope, true, out) == told(true, false));
  REQUIRE(limits.room(kPhotos, kStart) == 0);
  REQUIRE(*controls.pause(kScope, true, out) == told(true, true));
  REQUIRE(*controls.pause(kScope, false, out) == told(false, true));
  REQUIRE(limits.room(kPhotos, kStart) > 0);
  REQUIRE(out == Actions{JournalWish{"pause", "project:photos", Value(true).to_msgpack()},
                         JournalWish{"pause", "project:photos", ""}});
  REQUIRE(wishes.find("pause", "project:photos") == nullptr);
}

TEST_CASE("keys and tenants have limits, and are not paused", "[ventilator]") {
  Parts parts;
  auto& out = parts.out;
  const auto pause = [&](const std::string& scope) {
    return parts.controls.pause(Value::Map{{"scope", scope}}, true, out).error().message;
  };
  REQUIRE(pause("key:alice") == "key:alice: a key has a rate, and is not paused");
  REQUIRE(pause("tenant:acme/") == "a tenant has limits, and its projects are paused one by one");
  REQUIRE_FALSE(pause("nonsense").empty());
  REQUIRE(out.empty());
}

TEST_CASE("a limit holds from now on, and without a number it is gone", "[ventilator]") {
  Parts parts;
  auto& [wishes, classes, projects, limits, gates, fleet, controls, out] = parts;
  const Value two = Value::Map{{"scope", "project:photos"}, {"running", 2}};
  const Value kept = Value::Map{{"running", std::uint64_t{2}}};
  auto told = kept;
  told.set("scope", "project:photos");
  REQUIRE(*controls.limit(two, kStart, out) == told);
  limits.begin_turn(classes, {}, kStart);
  REQUIRE(limits.room(kPhotos, kStart) == 2);
  REQUIRE(*controls.limit(kScope, kStart, out) == kScope);
  limits.begin_turn(classes, {}, kStart);
  REQUIRE(limits.room(kPhotos, kStart) > 2);
  REQUIRE(out == Actions{JournalWish{"limit", "project:photos", kept.to_msgpack()},
                         JournalWish{"limit", "project:photos", ""}});
}

TEST_CASE("a key's rate is its gate's", "[ventilator]") {
  Parts parts;
  auto& [wishes, classes, projects, limits, gates, fleet, controls, out] = parts;
  REQUIRE(controls.limit(Value::Map{{"scope", "key:alice"}, {"rate", 1.0}}, kStart, out));
  const SeqRanges settled;
  Released released;
  gates.enter(1, 0, {.key = "alice"}, {}, {kStart, 0}, settled, released);
  REQUIRE(released == Released{{1}, {}});
  gates.on_leased(1, 1, kStart);
  REQUIRE(gates.hold_again(1, kStart));
}

TEST_CASE("what is declared is kept as it was said, until it is removed", "[ventilator]") {
  Parts parts;
  auto& [wishes, classes, projects, limits, gates, fleet, controls, out] = parts;
  Value said = Value::Map{
      {"id", "a"}, {"name", "nightly"}, {"state", "added"}, {"group", "mail"}, {"from", "#"}};
  const Value kept = Value::Map{{"name", "nightly"}, {"group", "mail"}, {"from", "#"}};
  auto told = kept;
  told.set("was_there", false);
  REQUIRE(*controls.declare("chain", said, out) == told);
  REQUIRE(out == Actions{JournalWish{"chain", "nightly", kept.to_msgpack()}});
  out.clear();
  const Value removed = Value::Map{{"name", "nightly"}, {"state", "removed"}};
  REQUIRE(*controls.declare("chain", removed, out) ==
          Value(Value::Map{{"name", "nightly"}, {"was_there", true}}));
  REQUIRE(out == Actions{JournalWish{"chain", "nightly", ""}});
  out.clear();
  said.set("within", "acme/");
  REQUIRE(controls.declare("alert", said, out).error().code == ErrorCode::kOutside);
  REQUIRE_FALSE(controls.declare("chain", Value::Map{{"name", "nightly"}, {"state", "odd"}}, out));
  REQUIRE_FALSE(controls.declare("chain", Value::Map{{"state", "added"}}, out));
  REQUIRE(out.empty());
}

TEST_CASE("a chain says from which topics", "[ventilator]") {
  Parts parts;
  const auto why_not = [&](const Value& from) {
    const Value said = Value::Map{{"name", "thumbs"}, {"state", "added"}, {"from", from}};
    return parts.controls.declare("chain", said, parts.out).error().message;
  };
  for (const Value& none : {Value(""), Value(), Value(5)})
    REQUIRE(why_not(none) == "chain thumbs: from: topic: is empty, which none fits; # is for all");
  REQUIRE(why_not("shop/ech*").starts_with("chain thumbs: from: topic: ech*: "));
  REQUIRE(parts.out.empty());
}
