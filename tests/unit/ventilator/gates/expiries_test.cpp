#include "ventilator/core/gates/expiries.hpp"

#include "tests/unit/ventilator/gates/gate_rig.hpp"

using namespace eole;
using namespace eole::ventilator;

namespace {

const Why kWhy{"expired", "expired before it began"};
Released expired(Seq seq) { return ended(seq, TaskState::kCancelled, kWhy); }

}  // namespace

TEST_CASE("an expiry holds no task, and ends it at its time, once", "[gates]") {
  GateRig<Expiries> rig;
  REQUIRE_FALSE(rig.enter(1, {}));
  REQUIRE_FALSE(rig.gate.next_deadline(rig.moment));
  REQUIRE_FALSE(rig.enter(2, {.expires_unix_ms = kUnixMs + 2000}));
  REQUIRE_FALSE(rig.enter(3, {.expires_in_ms = 1000}));
  REQUIRE(rig.gate.next_deadline(rig.moment) == rig.moment.now + 1s);
  REQUIRE_FALSE(rig.gate.why(3, rig.moment));
  REQUIRE(rig.pass(999ms) == kNothing);
  REQUIRE(rig.pass(1ms) == expired(3));
  REQUIRE(rig.pass(1s) == expired(2));
  REQUIRE(rig.pass(9s) == kNothing);
}

TEST_CASE("of a span and a date the earlier one counts, the span from when it was accepted",
          "[gates]") {
  GateRig<Expiries> rig;
  rig.enter(1, {.expires_in_ms = 1000, .expires_unix_ms = kUnixMs + 2000});
  rig.enter(2, {.expires_in_ms = 9000, .expires_unix_ms = kUnixMs + 2000});
  rig.enter(3, {.expires_in_ms = 9000}, {}, kUnixMs - 6000);
  REQUIRE(rig.pass(1s) == expired(1));
  REQUIRE(rig.pass(1s) == expired(2));
  REQUIRE(rig.pass(1s) == expired(3));
}

TEST_CASE("a task that comes back is asked for: expired until it ends, also once that was told",
          "[gates]") {
  GateRig<Expiries> rig;
  rig.enter(1, {.expires_in_ms = 1000});
  REQUIRE_FALSE(rig.gate.expired(1, rig.moment));
  REQUIRE_FALSE(rig.gate.expired(2, rig.moment));
  rig.moment.unix_ms += 1000;
  const auto end = Released::Ended{1, TaskState::kCancelled, kWhy};
  REQUIRE(rig.gate.expired(1, rig.moment) == end);
  REQUIRE(rig.pass(0s) == expired(1));
  REQUIRE(rig.gate.expired(1, rig.moment) == end);
  REQUIRE(rig.end(1) == kNothing);
  REQUIRE_FALSE(rig.gate.expired(1, rig.moment));
}

TEST_CASE("who ended before its expiry does not expire", "[gates]") {
  GateRig<Expiries> rig;
  rig.enter(1, {.expires_in_ms = 1000});
  REQUIRE(rig.end(1) == kNothing);
  REQUIRE_FALSE(rig.gate.next_deadline(rig.moment));
  REQUIRE(rig.pass(9s) == kNothing);
}
