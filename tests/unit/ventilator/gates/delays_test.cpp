#include "ventilator/core/gates/delays.hpp"

#include "tests/unit/ventilator/gates/gate_rig.hpp"

using namespace eole;
using namespace eole::ventilator;

TEST_CASE("a delay and a date are over at their times, and hold nobody else", "[gates]") {
  GateRig<Delays> rig;
  REQUIRE_FALSE(rig.enter(1, {}));
  REQUIRE_FALSE(rig.enter(2, {.not_before_unix_ms = kUnixMs}));
  REQUIRE_FALSE(rig.gate.next_deadline(rig.moment));
  REQUIRE(rig.enter(3, {.delay_ms = 5000}));
  REQUIRE(rig.enter(4, {.not_before_unix_ms = kUnixMs + 3000}));
  REQUIRE(rig.out == kNothing);
  REQUIRE(rig.gate.next_deadline(rig.moment) == rig.moment.now + 3s);
  REQUIRE(rig.gate.why(3, rig.moment) ==
          Why{"delay", "it waits until 1970-01-01T00:16:45Z", kUnixMs + 5000});
  REQUIRE(rig.gate.why(4, rig.moment) ==
          Why{"date", "it waits until 1970-01-01T00:16:43Z", kUnixMs + 3000});
  REQUIRE(rig.pass(2999ms) == kNothing);
  REQUIRE(rig.pass(1ms) == let_go({4}));
  REQUIRE(rig.pass(1999ms) == kNothing);
  REQUIRE(rig.pass(1ms) == let_go({3}));
  REQUIRE_FALSE(rig.gate.why(3, rig.moment));
  REQUIRE_FALSE(rig.gate.next_deadline(rig.moment));
}

TEST_CASE("of a delay and a date the later one counts", "[gates]") {
  GateRig<Delays> rig;
  REQUIRE(rig.enter(1, {.delay_ms = 1000, .not_before_unix_ms = kUnixMs + 2000}));
  REQUIRE(rig.enter(2, {.delay_ms = 3000, .not_before_unix_ms = kUnixMs + 2000}));
  REQUIRE(rig.gate.why(1, rig.moment)->code == "date");
  REQUIRE(rig.gate.why(2, rig.moment)->code == "delay");
  REQUIRE(rig.pass(1s) == kNothing);
  REQUIRE(rig.pass(1s) == let_go({1}));
  REQUIRE(rig.pass(1s) == let_go({2}));
}

TEST_CASE("a jump of everybody's clock moves dates, and no delay", "[gates]") {
  GateRig<Delays> rig;
  rig.enter(1, {.delay_ms = 5000});
  rig.enter(2, {.not_before_unix_ms = kUnixMs + 3'600'000});
  rig.moment.unix_ms += 3'600'000;
  REQUIRE(rig.pass(0s) == let_go({2}));
  REQUIRE(rig.pass(4999ms) == kNothing);
  REQUIRE(rig.pass(1ms) == let_go({1}));
}

TEST_CASE("of an earlier start's delay what is left is waited for, and never more than all of it",
          "[gates]") {
  GateRig<Delays> rig;
  REQUIRE_FALSE(rig.enter(1, {.delay_ms = 5000}, {}, kUnixMs - 5000));
  REQUIRE(rig.enter(2, {.delay_ms = 5000}, {}, kUnixMs - 4000));
  REQUIRE(rig.enter(3, {.delay_ms = 5000}, {}, kUnixMs + 3'600'000));
  REQUIRE(rig.pass(1s) == let_go({2}));
  REQUIRE(rig.pass(4s) == let_go({3}));
}

TEST_CASE("who ended before its time is not let go", "[gates]") {
  GateRig<Delays> rig;
  rig.enter(1, {.delay_ms = 1000, .not_before_unix_ms = kUnixMs + 1000});
  rig.enter(2, {.delay_ms = 2000});
  REQUIRE(rig.end(1) == kNothing);
  REQUIRE(rig.gate.next_deadline(rig.moment) == rig.moment.now + 2s);
  REQUIRE(rig.pass(9s) == let_go({2}));
}
