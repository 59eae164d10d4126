#include "tests/unit/worker/rig.hpp"

using namespace eole;
using namespace eole::worker;

TEST_CASE("a worker without slots asks for nothing until somebody waits", "[worker]") {
  Rig rig(Rig::config(1, 1));
  rig.step(SlotsChanged{0});
  rig.link();
  REQUIRE(rig.all<SendBeat>().at(0).beat.limit == 0);
  rig.step(SlotsChanged{1});
  REQUIRE(rig.all<SendCredit>().at(0).credit.limit == 1);
  rig.tasks(1, {1});
  REQUIRE(rig.started() == std::vector<Seq>{1});
}

TEST_CASE("one more who waits is told of at once, however many there are", "[worker]") {
  Rig rig(Rig::config(100, 1));
  rig.link();
  rig.step(SlotsChanged{101});
  REQUIRE(rig.all<SendCredit>().at(0).credit.limit == 101);
  rig.step(SlotsChanged{101});
  REQUIRE(rig.all<SendCredit>().empty());
}

TEST_CASE("what comes when nobody waits any more is kept for who waits next", "[worker]") {
  Rig rig(Rig::config(2, 1));
  rig.link();
  rig.step(SlotsChanged{0});
  rig.tasks(1, {1, 2});
  REQUIRE(rig.started().empty());
  REQUIRE(rig.held()[0].state == HeldState::kWaiting);
  rig.step(SlotsChanged{1});
  REQUIRE(rig.started() == std::vector<Seq>{1});
  rig.step(SlotsChanged{0});
  rig.finish(1);
  REQUIRE(rig.started().empty());
}
