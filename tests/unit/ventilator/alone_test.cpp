#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;

namespace {

/// Tasks 1 … count with one attempt left, whose first worker was lost.
Rig feared(std::uint32_t count) {
  Rig rig;
  rig.worker(1, count);
  rig.submit(count, 1, 2);
  rig.pass(4s);
  rig.answer_read();
  return rig;
}

}  // namespace

TEST_CASE("a last attempt after a mere failure runs beside others", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1, 1, 2);
  rig.settle({}, {{1, {1, 1}, "no luck"}});
  rig.pass(300ms);
  rig.submit(2, 2);
  rig.credit(1, 1, 4);
  REQUIRE(rig.sent(1) == Seqs{1, 2, 3});
}

TEST_CASE("a last attempt of a kind that nobody offers holds up no other", "[ventilator]") {
  Rig rig;
  rig.worker(1, 100, "other,work");
  rig.submit(99, 1, 2, "", "", "other");
  rig.submit(1, 2, 2);
  rig.pass(4s);
  rig.answer_read();
  rig.worker(2, 1);
  REQUIRE(rig.sent(2) == Seqs{100});
  REQUIRE(rig.core.explain().why(1, "")[0].text == "no connected worker offers other");
  rig.credit(2, 1, 10);
  REQUIRE(rig.sent(2).empty());  // It has one; and the others are not for it.
  rig.settle({100});
  rig.worker(3, 1, "other");
  REQUIRE(rig.sent(3) == Seqs{1});
}

TEST_CASE("a worker is kept empty for no last attempt that does not fit it", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1, "other");
  rig.submit(1, 1, 2, "", "", "other");
  rig.hello(2);
  rig.pass(1s);
  rig.beat(2, 0, 1);
  rig.submit(1, 2);
  for (auto i = 0; i < 8; ++i) rig.pass(500ms), rig.beat(2, 1, 5, {Rig::held(2, 2)});
  rig.step(SettledReceived{{1, kLog, 0, 0, 0, {}}, {}});
  REQUIRE(rig.core.explain().task(1)->attempt == 1);
  for (Seq seq = 3; seq < 6; ++seq) {
    rig.submit(1, seq);
    REQUIRE(rig.sent(2) == Seqs{seq});
  }
}

TEST_CASE("a worker with a long task is kept from others only for a while", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1, 1, 2);
  rig.hello(2);
  rig.pass(1s);
  rig.beat(2, 0, 1);
  rig.submit(1, 2);
  REQUIRE(rig.sent(2) == Seqs{2});  // The long one.
  const auto live = [&](Duration time) {
    Seqs sent;
    for (auto left = time; left > 0s; left -= 500ms) {
      rig.pass(500ms);
      for (const auto seq : rig.sent(2)) sent.push_back(seq);
      rig.beat(2, 1, 3, {Rig::held(2, 2)});
      for (const auto seq : rig.sent(2)) sent.push_back(seq);
    }
    return sent;
  };
  live(4s);  // The first worker is lost.
  rig.step(SettledReceived{{1, kLog, 0, 0, 0, {}}, {}});
  REQUIRE(rig.core.explain().task(1)->attempt == 1);
  rig.submit(1, 3);
  REQUIRE(rig.sent(2).empty());
  REQUIRE(live(1500ms) == Seqs{3});
  rig.settle({3});
  rig.settle({2});  // It ends: the last attempt waits for the next time that one is kept empty.
  live(4s);
  REQUIRE(rig.core.explain().task(1)->attempt == 2);
}

TEST_CASE("last attempts take turns with what waits beside them", "[ventilator]") {
  auto rig = feared(3);
  rig.worker(2, 5);
  REQUIRE(rig.sent(2) == Seqs{1});
  rig.submit(1, 2);
  REQUIRE(rig.sent(2).empty());
  rig.settle({1});
  REQUIRE(rig.sent(2) == Seqs{4});
  rig.settle({4});
  REQUIRE(rig.sent(2) == Seqs{2});
  rig.settle({2});
  REQUIRE(rig.sent(2) == Seqs{3});
}

TEST_CASE("half of the workers at most run last attempts", "[ventilator]") {
  Rig rig;
  rig.worker(1, 4);
  rig.submit(4, 1, 2);
  rig.hello(2), rig.hello(3);
  for (auto i = 0; i < 4; ++i) {  // Two that stay, and one that falls silent.
    rig.pass(1s);
    rig.beat(2, 0, 0);
    rig.beat(3, 0, 0);
  }
  rig.step(SettledReceived{{1, kLog, 0, 0, 0, {}}, {}});
  rig.credit(2, 0, 4);
  REQUIRE(rig.sent(2) == Seqs{1});
  rig.credit(3, 0, 4);
  REQUIRE(rig.sent(3).empty());
  rig.submit(2, 2);
  REQUIRE(rig.sent(3) == Seqs{5, 6});
}

TEST_CASE("a worker that says hello again still runs its last attempt alone", "[ventilator]") {
  auto rig = feared(1);
  rig.worker(2, 10);
  REQUIRE(rig.sent(2) == Seqs{1});
  rig.hello(2, 2, {Rig::held(1, 2)}, 1, {1, 2, 1});
  rig.credit(2, 0, 10, 2);
  rig.submit(1, 2);
  REQUIRE(rig.sent(2).empty());
  rig.settle({1});
  REQUIRE(rig.sent(2) == Seqs{2});
}

TEST_CASE("a verdict leaves once a turn", "[ventilator]") {
  Rig rig;
  rig.submit(2);
  rig.pass(2s);
  rig.step(CancelAsked{"client", 5, kOrigin, {{1, 1}}});
  REQUIRE(rig.all<PushVerdict>().size() == 1);
  rig.pass(500ms);
  rig.step(CancelAsked{"client", 5, kOrigin, {{2, 2}}});
  REQUIRE(rig.all<PushVerdict>().size() == 1);
  rig.pass(1s);
  REQUIRE(rig.all<PushVerdict>().size() == 2);
}
