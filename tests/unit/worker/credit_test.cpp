#include "worker/core/credit.hpp"

#include "tests/unit/worker/rig.hpp"

using namespace eole;
using namespace eole::worker;

TEST_CASE("credit is what was received and as much again as may be unfinished", "[worker]") {
  Credit credit(Rig::config(2, 4));
  credit.raise({0, 0, 0, 0});
  REQUIRE(credit.tell() == 8);
  credit.raise({5, 5, 0, 0});
  REQUIRE(credit.tell() == 8);
  credit.raise({5, 2, 3, 0});
  REQUIRE(credit.tell() == 11);
}

TEST_CASE("credit is never lowered within a link, and nothing at the start of the next",
          "[worker]") {
  Credit credit(Rig::config(1, 8));
  credit.raise({0, 0, 0, 0});
  credit.raise({0, 8, 0, 0});
  REQUIRE(credit.tell() == 8);
  credit.start_anew();
  REQUIRE(credit.tell() == 0);
}

TEST_CASE("credit stops while too many results wait for the sink, or too large ones", "[worker]") {
  auto config = Rig::config(1, 8);
  config.results_max = 10;
  config.result_bytes_max = 100;
  Credit credit(config);
  credit.raise({20, 0, 9, 100});
  REQUIRE(credit.tell() == 21);
  credit.raise({21, 0, 10, 100});
  REQUIRE(credit.tell() == 21);
  credit.raise({21, 0, 1, 101});
  REQUIRE(credit.tell() == 21);
}

TEST_CASE("credit is urgent once half of what may be held could come anew", "[worker]") {
  Credit credit(Rig::config(1, 8));
  credit.raise({0, 0, 0, 0});
  REQUIRE(credit.is_urgent());
  credit.tell();
  REQUIRE_FALSE(credit.is_urgent());
  credit.raise({8, 5, 0, 0});
  REQUIRE_FALSE(credit.is_urgent());  // Three.
  credit.raise({8, 4, 0, 0});
  REQUIRE(credit.is_urgent());
}

TEST_CASE("adaptive credit fetches as many as run in the time ahead, one until that is known",
          "[worker]") {
  Credit credit(Rig::config(2, 0));
  credit.raise({0, 0, 0, 0});
  REQUIRE(credit.tell() == 2);
  credit.learn(10ms, 5);  // 2 ms each; 20 ms ahead are 10 more per slot.
  credit.raise({0, 0, 0, 0});
  REQUIRE(credit.tell() == 22);
  credit.learn(1s, 1);  // Long ones count at once.
  credit.raise({22, 0, 0, 0});
  REQUIRE(credit.tell() == 24);
  credit.learn(1us, 1);  // Short ones slowly.
  credit.raise({24, 0, 0, 0});
  REQUIRE(credit.tell() == 26);
}

TEST_CASE("credit asks for no more bytes of tasks than may be held", "[worker]") {
  auto config = Rig::config(1, 100);
  config.held_bytes_max = 1000;
  Credit credit(config);
  credit.raise({0, 0, 0, 0, 0});
  REQUIRE(credit.tell() == 100);
  credit.learn_size(1000, 4);
  credit.raise({100, 2, 0, 0, 500});
  REQUIRE(credit.tell() == 102);
  REQUIRE_FALSE(credit.is_urgent());
  credit.raise({102, 0, 0, 0, 0});
  REQUIRE(credit.is_urgent());  // Four, of the four that fit.
  credit.tell();
  credit.raise({106, 4, 0, 0, 1001});
  REQUIRE(credit.tell() == 106);
  credit.learn_size(5000, 1);
  credit.raise({106, 0, 0, 0, 0});
  REQUIRE(credit.tell() == 107);  // However large it is.
}
