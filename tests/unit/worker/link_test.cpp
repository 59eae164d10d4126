#include "worker/core/link.hpp"

#include "tests/unit/worker/rig.hpp"

using namespace eole;
using namespace eole::worker;

namespace {

/// A link, the last actions, and what the worker holds, as any bytes.
struct LinkRig {
  TimePoint now = kStart;
  VentilatorLink link{Rig::config(), kRun, kStart};
  Actions out;

  Actions taken() { return std::exchange(out, {}); }
  bool welcome(std::uint32_t start, std::uint32_t hello, RunId run = kRun) {
    return link.on_welcome({start, run, hello, kOrigin, "pipe", 500}, now, out);
  }
  void stand() {
    link.say_hello("held", now, out);
    welcome(3, 1);
    link.on_pipe_up(now);
    out.clear();
  }
};

protocol::Hello hello(std::uint32_t number, std::uint32_t last_start, std::uint32_t last_hello,
                      std::uint64_t received) {
  return {kRun, number, last_start, last_hello, received, "w1", 0, 1, "quick,work", "", "",
          "",   "",     1,          0,          protocol::encode_runners({}) + "held"};
}

}  // namespace

TEST_CASE("a link's hello is repeated with its number until it is welcomed", "[worker]") {
  LinkRig rig;
  REQUIRE(rig.link.is_hello_due(rig.now));
  rig.link.say_hello("held", rig.now, rig.out);
  REQUIRE(rig.taken() == Actions{SendHello{hello(1, 0, 0, 0)}});
  REQUIRE_FALSE(rig.link.is_hello_due(rig.now));
  REQUIRE(rig.link.next_deadline() == rig.now + 1s);
  REQUIRE(rig.link.is_hello_due(rig.now + 1s));
  rig.link.say_hello("held", rig.now + 1s, rig.out);
  REQUIRE(rig.taken() == Actions{SendHello{hello(1, 0, 0, 0)}});
}

TEST_CASE("a link believes the welcome that answers its latest hello, once", "[worker]") {
  LinkRig rig;
  rig.link.say_hello("held", rig.now, rig.out);
  rig.out.clear();
  REQUIRE_FALSE(rig.welcome(3, 2));
  REQUIRE_FALSE(rig.welcome(3, 1, kRun + 1));
  REQUIRE(rig.taken().empty());
  REQUIRE(rig.welcome(3, 1));
  REQUIRE_FALSE(rig.welcome(3, 1));
  REQUIRE(rig.taken() == Actions{OpenPipe{"pipe"}});
  REQUIRE(rig.link.has_pipe());
  REQUIRE_FALSE(rig.link.is_linked());
}

TEST_CASE("a pipe that does not stand in time is in doubt", "[worker]") {
  LinkRig rig;
  rig.link.say_hello("held", rig.now, rig.out);
  rig.welcome(3, 1);
  REQUIRE(rig.link.next_deadline() == rig.now + 3s);
  REQUIRE(rig.link.is_hello_due(rig.now + 3s));
}

TEST_CASE("a closed link's next hello tells how far its pipe came", "[worker]") {
  LinkRig rig;
  rig.stand();
  REQUIRE(rig.link.is_next(1));
  rig.link.receive(5);
  REQUIRE_FALSE(rig.link.is_next(7));
  REQUIRE(rig.link.is_next(6));
  REQUIRE(rig.link.close(rig.out));
  REQUIRE_FALSE(rig.link.close(rig.out));
  rig.link.say_hello("held", rig.now, rig.out);
  REQUIRE(rig.taken() == Actions{ClosePipe{}, SendHello{hello(2, 3, 1, 5)}});
}

TEST_CASE("beats are numbered, carry the level and come at the welcome's pace", "[worker]") {
  LinkRig rig;
  rig.stand();
  REQUIRE(rig.link.is_beat_due(rig.now));  // The first, at once.
  rig.link.beat(9, false, "held", rig.now, rig.out);
  rig.link.receive(2);
  REQUIRE_FALSE(rig.link.is_beat_due(rig.now));
  REQUIRE(rig.link.is_beat_due(rig.now + 500ms));
  rig.link.ask_beat();
  REQUIRE(rig.link.is_beat_due(rig.now));
  rig.link.beat(9, false, "", rig.now, rig.out);
  rig.link.grant(11, rig.out);
  rig.link.say_goodbye(rig.out);
  REQUIRE(rig.taken() == Actions{SendBeat{{3, kRun, 1, 1, 0, 9, 0, "held"}},
                                 SendBeat{{3, kRun, 1, 2, 2, 9, 0, ""}},
                                 SendCredit{{3, kRun, 1, 2, 11}}, SendGoodbye{{3, kRun, 1}}});
}

TEST_CASE("only messages of the link itself end its silence", "[worker]") {
  LinkRig rig;
  rig.stand();
  const auto silent = rig.now + 2250ms;  // Four and a half beats.
  REQUIRE_FALSE(rig.link.hear({3, kRun, 2}, rig.now + 1s));
  REQUIRE(rig.link.is_silent(silent));
  REQUIRE_FALSE(rig.link.is_silent(silent - 1ms));
  REQUIRE(rig.link.hear({3, kRun, 1}, rig.now + 1s));
  REQUIRE_FALSE(rig.link.is_silent(silent));
  REQUIRE(rig.link.is_silent(silent + 1s));
}

TEST_CASE("hellos that nobody answers do not pile up in their connection", "[worker]") {
  LinkRig rig;
  for (int i = 1; i <= 16; ++i) rig.link.say_hello("held", rig.now, rig.out);
  REQUIRE(rig.taken() == Actions(16, SendHello{hello(1, 0, 0, 0)}));
  rig.link.say_hello("held", rig.now, rig.out);
  rig.link.say_hello("held", rig.now, rig.out);
  REQUIRE(rig.taken() == Actions{SendHello{hello(2, 0, 0, 0), true}, SendHello{hello(2, 0, 0, 0)}});
  REQUIRE_FALSE(rig.welcome(3, 1));
  REQUIRE(rig.welcome(3, 2));
}
