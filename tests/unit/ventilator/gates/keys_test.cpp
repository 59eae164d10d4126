#include "ventilator/core/gates/keys.hpp"

#include "common/base/text.hpp"
#include "tests/unit/ventilator/gates/gate_rig.hpp"

using namespace eole;
using namespace eole::ventilator;

namespace {

const Conditions kAlice{.key = "alice"};
const Conditions kBob{.key = "bob"};
const std::uint64_t kHash = 77;  // Of a key.
const TimePoint kNow = TimePoint(1000s);

GateRig<Keys> keys() { return {Keys(kOrigin)}; }

}  // namespace

TEST_CASE("tasks of one key go one by one, in their order, and those of others beside them",
          "[gates]") {
  auto rig = keys();
  REQUIRE_FALSE(rig.enter(1, {}));
  REQUIRE_FALSE(rig.enter(2, kAlice));
  REQUIRE(rig.enter(3, kAlice));
  REQUIRE_FALSE(rig.enter(4, kBob));
  REQUIRE(rig.enter(5, kAlice));
  REQUIRE(rig.out == kNothing);
  REQUIRE(rig.gate.last_of("alice") == 5);
  REQUIRE(rig.end(2) == let_go({3}));
  REQUIRE(rig.end(4) == kNothing);
  REQUIRE(rig.end(3) == let_go({5}));
  REQUIRE(rig.end(5) == kNothing);
  REQUIRE(rig.gate.last_of("alice") == 0);
  REQUIRE_FALSE(rig.enter(6, kAlice));
}

TEST_CASE("who ends before its turn is passed over", "[gates]") {
  auto rig = keys();
  for (const Seq seq : {1, 2, 3, 4}) rig.enter(seq, kAlice);
  REQUIRE(rig.end(3) == kNothing);
  REQUIRE(rig.end(2) == kNothing);
  REQUIRE(rig.end(1) == let_go({4}));
  rig.enter(5, kAlice);
  REQUIRE(rig.end(5) == kNothing);
  REQUIRE(rig.end(4) == kNothing);
  REQUIRE_FALSE(rig.enter(6, kAlice));
}

TEST_CASE("who waits for its key says whose turn it is, and who comes behind it", "[gates]") {
  auto rig = keys();
  for (const Seq seq : {1, 2, 3}) rig.enter(seq, kAlice);
  REQUIRE_FALSE(rig.gate.why(1, rig.moment));
  REQUIRE(rig.gate.why(3, rig.moment) ==
          Why{"key",
              text("it waits for the tasks of its key before it, of which it is the turn of ",
                   to_text(TaskId{kOrigin, 1})),
              0,
              {1}});
  REQUIRE_FALSE(rig.gate.why(4, rig.moment));
  std::vector<Seq> behind;
  rig.gate.waiters_of(1, "", 1, behind);
  rig.gate.waiters_of(2, "", 1, behind);  // There is no room for more.
  rig.gate.waiters_of(3, "", 9, behind);
  REQUIRE(behind == std::vector<Seq>{2});
}

TEST_CASE("the next one of a key with a rate waits for that, too", "[gates]") {
  auto rig = keys();
  rig.gate.set_rate("alice", 1, kNow);
  REQUIRE_FALSE(rig.enter(1, kAlice));
  REQUIRE(rig.enter(2, kAlice));
  rig.pass(0s);
  rig.gate.on_leased(1, 1, rig.moment.now);
  REQUIRE(rig.end(1) == kNothing);
  REQUIRE(rig.gate.why(2, rig.moment)->code == "rate");
  REQUIRE(rig.pass(999ms) == kNothing);
  REQUIRE(rig.pass(2ms) == let_go({2}));
  REQUIRE_FALSE(rig.gate.hold_again(2, rig.moment.now));
  rig.gate.on_leased(2, 1, rig.moment.now);
  REQUIRE(rig.gate.hold_again(2, rig.moment.now));  // It came back.
  REQUIRE(rig.pass(1001ms) == let_go({2}));
  rig.gate.on_leased(2, 1, rig.moment.now);
  REQUIRE(rig.end(2) == kNothing);
  REQUIRE(rig.enter(3, kAlice));  // Nobody is before it but the rate.
  rig.gate.set_rate("alice", 0, rig.moment.now);
  REQUIRE(rig.pass(0s) == let_go({3}));
}

TEST_CASE("a rate holds whose turn it is, once it has no more, until it has", "[gates]") {
  KeyRates rates;
  rates.set("alice", kHash, 2, 1, kNow);
  REQUIRE_FALSE(rates.hold(1, kNow));  // It begins with one.
  rates.on_leased(1, 3, kNow);
  REQUIRE_FALSE(rates.hold(2, kNow));  // Not its turn.
  REQUIRE_FALSE(rates.next_deadline());
  REQUIRE(rates.hold(1, kNow));
  const auto due = *rates.next_deadline();
  REQUIRE(due > kNow + 499ms);
  REQUIRE(due < kNow + 501ms);
  const auto why = rates.why(1, {kNow, kUnixMs});
  REQUIRE(why->code == "rate");
  REQUIRE(why->text == "of key:alice begin 2 tasks a second at most");
  REQUIRE(why->until_unix_ms == kUnixMs + 500);
  REQUIRE_FALSE(rates.take_due(due - 1ms));
  REQUIRE(rates.take_due(due) == 1);
  REQUIRE_FALSE(rates.take_due(due));
  REQUIRE_FALSE(rates.why(1, {kNow, kUnixMs}));
}

TEST_CASE("a turn of a key with a rate passes on with the task, and ends with it", "[gates]") {
  KeyRates rates;
  rates.on_turn(kHash, 1);  // Nobody has a rate yet.
  rates.set("alice", kHash, 1, 0, kNow);
  rates.on_turn(kHash + 1, 2);
  rates.on_turn(kHash, 3);
  rates.on_leased(1, 9, kNow);
  REQUIRE_FALSE(rates.hold(2, kNow));
  REQUIRE(rates.hold(3, kNow));
  rates.on_over(3);
  REQUIRE_FALSE(rates.next_deadline());
  REQUIRE_FALSE(rates.hold(3, kNow));
  rates.on_turn(kHash, 4);
  REQUIRE(rates.hold(4, kNow));  // What the one before it took is still gone.
}

TEST_CASE("a rate that is set anew holds no longer than the new one", "[gates]") {
  KeyRates rates;
  rates.set("alice", kHash, 0.01, 1, kNow);
  rates.on_leased(1, 1, kNow);
  REQUIRE(rates.hold(1, kNow));
  REQUIRE(*rates.next_deadline() > kNow + 99s);
  rates.set("alice", kHash, 1, 1, kNow);
  REQUIRE(*rates.next_deadline() < kNow + 1001ms);
  rates.set("alice", kHash, 0, 1, kNow);
  REQUIRE(rates.take_due(kNow) == 1);
  REQUIRE_FALSE(rates.hold(1, kNow));
}
