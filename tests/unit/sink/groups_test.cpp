#include "tests/unit/sink/groups_rig.hpp"

using namespace eole;
using namespace eole::sink;

TEST_CASE("the first member of a group has all of it at once", "[groups]") {
  GroupsRig rig;
  rig.attend(1, 0);
  REQUIRE(rig.out == Actions{shared(2, {}, {1}, kAllToOne), answered(1, 2, kAll)});
}

TEST_CASE("a partition that moves is its heir's once its owner has answered", "[groups]") {
  GroupsRig rig;
  rig.attend(1, 0);
  rig.attend(2, 0);
  REQUIRE(rig.out == Actions{answered(2, 2, {})});
  rig.pass(kShareEvery);
  REQUIRE(rig.out == Actions{shared(3, {}, {2}, {{2, 10, 1, 2}, {3, 10, 1, 2}}),
                             unasked(1, 3, {{0, 10}, {1, 10}}), unasked(2, 3, {})});
  rig.attend(1, 2);  // Its beat in the generation before gives nothing away.
  REQUIRE(rig.out == Actions{answered(1, 3, {{0, 10}, {1, 10}})});
  rig.attend(2, 3);
  REQUIRE(rig.out == Actions{answered(2, 3, {})});
  rig.attend(1, 3, {{3, 50}});
  REQUIRE(rig.out ==
          Actions{committed({{3, 50}}), shared(3, {}, {}, {{2, 10, 2, 0}, {3, 50, 2, 0}}),
                  unasked(2, 3, {{2, 10}, {3, 50}}), answered(1, 3, {{0, 10}, {1, 10}})});
  rig.attend(2, 3);
  REQUIRE(rig.out == Actions{answered(2, 3, {{2, 10}, {3, 50}})});
}

TEST_CASE("who comes and goes within a second is shared with once", "[groups]") {
  GroupsRig rig;
  rig.join_two();
  rig.attend(1, 3);
  REQUIRE(rig.view().is_settled);
  rig.attend(3, 0);
  REQUIRE(rig.out == Actions{answered(3, 3, {})});
  REQUIRE(!rig.view().is_settled);
  rig.attend(4, 0);
  REQUIRE(rig.out == Actions{answered(4, 3, {})});
  rig.leave(3, 3);
  REQUIRE(rig.out == Actions{bidden_farewell(3, 3)});
  rig.leave(1, 3, {{1, 20}});
  REQUIRE(rig.out == Actions{committed({{1, 20}}), bidden_farewell(1, 3)});
  REQUIRE(rig.view().members.size() == 1);
  REQUIRE(!rig.view().is_settled);
  REQUIRE(rig.groups.next_deadline() == rig.now + kShareEvery);
  rig.pass(kShareEvery - 1ms);
  REQUIRE(rig.out == Actions{});
  rig.pass(1ms);
  REQUIRE(rig.out == Actions{shared(4, {1}, {4}, {{0, 10, 4, 0}, {1, 20, 4, 0}}),
                             unasked(2, 4, {{2, 10}, {3, 10}}), unasked(4, 4, {{0, 10}, {1, 20}})});
  REQUIRE(rig.view().is_settled);
  rig.pass(kShareEvery);
  REQUIRE(rig.out == Actions{});
}

TEST_CASE("members that come one after the other wait for nothing", "[groups]") {
  GroupsRig rig;
  rig.attend(1, 0);
  rig.leave(1, 2);
  const std::vector<Dealt> none{{0, 10, 0, 0}, {1, 10, 0, 0}, {2, 10, 0, 0}, {3, 10, 0, 0}};
  REQUIRE(rig.out == Actions{shared(3, {1}, {}, none), bidden_farewell(1, 3)});
  rig.attend(1, 0);
  REQUIRE(rig.out == Actions{shared(4, {}, {1}, kAllToOne), answered(1, 4, kAll)});
}

TEST_CASE("a commit counts from the owner in the current generation, forward, up to the head",
          "[groups]") {
  GroupsRig rig;
  const auto from = [](std::uint64_t cursor) {
    return Cursors{{0, cursor}, {1, 10}, {2, 10}, {3, 10}};
  };
  rig.attend(1, 0);
  rig.attend(1, 2, {{0, 20}});
  REQUIRE(rig.out == Actions{committed({{0, 20}}), answered(1, 2, from(20))});
  for (const auto cursor : {std::uint64_t{20}, std::uint64_t{19}, kHead + 1}) {
    rig.attend(1, 2, {{0, cursor}});
    REQUIRE(rig.out == Actions{answered(1, 2, from(20))});
  }
  rig.attend(2, 0);
  rig.pass(kShareEvery);
  rig.attend(2, 3, {{0, 30}});
  REQUIRE(rig.out == Actions{answered(2, 3, {})});
  rig.attend(1, 2, {{0, 30}});
  REQUIRE(rig.out == Actions{answered(1, 3, {{0, 20}, {1, 10}})});
  rig.attend(1, 3, {{0, 30}});
  REQUIRE(rig.out ==
          Actions{committed({{0, 30}}), shared(3, {}, {}, {{2, 10, 2, 0}, {3, 10, 2, 0}}),
                  unasked(2, 3, {{2, 10}, {3, 10}}), answered(1, 3, {{0, 30}, {1, 10}})});
}

TEST_CASE("who is silent is a member no more, and its commits count no more", "[groups]") {
  GroupsRig rig;
  rig.join_two();
  for (int beat = 0; beat < 2; ++beat) {
    rig.attend(2, 3);
    rig.pass(2s);
    REQUIRE(rig.out == Actions{});
  }
  rig.attend(2, 3);
  rig.pass(2s);
  REQUIRE(rig.out ==
          Actions{shared(4, {1}, {}, {{0, 10, 2, 0}, {1, 10, 2, 0}, {2, 10, 2, 0}, {3, 10, 2, 0}}),
                  unasked(2, 4, kAll)});
  rig.attend(1, 2, {{0, 60}});
  REQUIRE(rig.out == Actions{answered(1, 4, {})});
}

TEST_CASE("a member that a person removed is refused, and gone once it may have heard of it",
          "[groups]") {
  GroupsRig rig;
  rig.attend(1, 0);
  REQUIRE(rig.say(2, 0, {}, false, "", "other"));
  rig.pass(kShareEvery);
  REQUIRE(rig.groups.remove_member("other", "m") == std::nullopt);
  REQUIRE(rig.groups.remove_member("g", "nobody") == 0U);
  REQUIRE(rig.groups.remove_member("g", "m") == 1U);
  REQUIRE(rig.groups.remove_member("g", "m") == 0U);  // It was.
  for (const auto is_leaving : {false, true}) {
    const auto answer = rig.say(1, 3, {{0, 20}}, is_leaving, "");
    REQUIRE(!answer);
    REQUIRE(answer.error().message ==
            "group g: the member m was removed; it may join again as a new one");
    REQUIRE(rig.out == Actions{});
  }
  rig.pass(kMemberGone - kShareEvery - 1ms);
  REQUIRE(rig.say(2, 3, {}, false, "", "other"));
  REQUIRE(rig.out == Actions{answered(2, 3, {})});  // The first may still go on with what it has.
  rig.pass(1ms);
  REQUIRE(rig.out ==
          Actions{shared(4, {1}, {}, {{0, 10, 2, 0}, {1, 10, 2, 0}, {2, 10, 2, 0}, {3, 10, 2, 0}}),
                  unasked(2, 4, kAll)});
  REQUIRE(!rig.say(1, 0, {}, false, ""));  // Also later on.
  REQUIRE(rig.say(3, 0, {}, false, ""));   // As a new one.
}

TEST_CASE("of many that were removed the last ones are known", "[groups]") {
  GroupsRig rig;
  for (RunId run = 1000; run > 0; --run) {
    REQUIRE(rig.say(run, 0, {}, false, ""));
    REQUIRE(rig.groups.remove_member("g", "m") == 1U);
    REQUIRE(!rig.say(run, 0, {}, false, ""));
    rig.pass(kMemberGone / 2);
    rig.pass(kMemberGone / 2);
  }
}

TEST_CASE("it is told when a member was heard, what it has not acknowledged, and what came again",
          "[groups]") {
  GroupsRig rig;
  REQUIRE(rig.say(1, 0, {}, false, "", "m", 7));  // Before it is a member, it has nothing.
  REQUIRE(rig.view().members.at(0).unacknowledged == 0);
  REQUIRE(rig.say(1, 2, {}, false, "", "m", 5));
  rig.pass(2s);
  const auto one = rig.view().members.at(0);
  REQUIRE(one.name == "m");
  REQUIRE(one.silent == 2s);
  REQUIRE(one.partitions == 4);
  REQUIRE(one.unacknowledged == 5);
  REQUIRE(rig.view().redelivered == 0);
  rig.pass(kMemberGone - 2s);
  REQUIRE(rig.view().members.empty());
  REQUIRE(rig.view().redelivered == 5);
  rig.attend(2, 0);
  REQUIRE(rig.say(2, 4, {}, false, "", "m", UINT64_MAX));  // Nobody has so many.
  REQUIRE(rig.view().members.at(0).unacknowledged == 1ULL << 32);
  REQUIRE(rig.say(2, 4, {{0, 20}}, true, "", "m", 1));
  REQUIRE(rig.view().redelivered == 6);
}

TEST_CASE("who was not looked after for long has the whole of its time again", "[groups]") {
  GroupsRig rig;
  rig.attend(1, 0);
  rig.pass(60s);
  REQUIRE(rig.out == Actions{});
  rig.attend(1, 2);
  REQUIRE(rig.out == Actions{answered(1, 2, kAll)});
}

TEST_CASE("what could not be heard is no silence", "[groups]") {
  GroupsRig rig;
  rig.attend(1, 0);
  for (int second = 0; second < 60; ++second) {
    rig.now += 1s;
    rig.groups.stop_listening();
  }
  rig.pass(0s);
  REQUIRE(rig.out == Actions{});
  rig.pass(6s);
  REQUIRE(rig.out == Actions{});
  rig.attend(1, 2);
  REQUIRE(rig.out == Actions{answered(1, 2, kAll)});
}

TEST_CASE("a wish to move a group that comes again changes nothing", "[groups]") {
  GroupsRig rig;
  rig.attend(1, 0);
  REQUIRE(rig.groups.move("g", 50, 99, kLog, rig.now, rig.out));
  rig.attend(1, 3, {{0, 60}});
  for (auto groups : {rig.groups, rig.loaded()}) {
    Actions out;
    REQUIRE(groups.move("g", 50, 99, kLog, rig.now, out));
    REQUIRE(out == Actions{});
    REQUIRE(groups.find("g", rig.now)->cursors[0] == 60);
    REQUIRE(groups.move("g", 50, 100, kLog, rig.now, out));
    REQUIRE(groups.find("g", rig.now)->cursors[0] == 50);
  }
}

TEST_CASE("who leaves gives all to the others, at once if nothing changed lately", "[groups]") {
  GroupsRig rig;
  rig.join_two();
  rig.attend(1, 3);
  rig.now += kShareEvery;
  rig.leave(1, 3, {{1, 40}});
  REQUIRE(rig.out ==
          Actions{committed({{1, 40}}), shared(4, {1}, {}, {{0, 10, 2, 0}, {1, 40, 2, 0}}),
                  unasked(2, 4, {{0, 10}, {1, 40}, {2, 10}, {3, 10}}), bidden_farewell(1, 4)});
}

TEST_CASE("who left comes back once that was shared", "[groups]") {
  GroupsRig rig;
  rig.join_two();
  rig.leave(1, 3);
  REQUIRE(rig.out == Actions{bidden_farewell(1, 3)});
  rig.attend(1, 3, {{0, 20}});
  REQUIRE(rig.out == Actions{});
  rig.leave(1, 3);  // The answer was lost.
  REQUIRE(rig.out == Actions{bidden_farewell(1, 3)});
  rig.pass(kShareEvery);
  REQUIRE(rig.out ==
          Actions{shared(4, {1}, {}, {{0, 10, 2, 0}, {1, 10, 2, 0}, {2, 10, 2, 0}, {3, 10, 2, 0}}),
                  unasked(2, 4, kAll)});
  rig.attend(1, 3);
  REQUIRE(rig.out == Actions{answered(1, 4, {})});
  rig.pass(kShareEvery);
  REQUIRE(rig.out == Actions{shared(5, {}, {1}, {{2, 10, 2, 1}, {3, 10, 2, 1}}), unasked(1, 5, {}),
                             unasked(2, 5, {{0, 10}, {1, 10}})});
}

TEST_CASE("what an heir that left was to have goes to others", "[groups]") {
  GroupsRig rig;
  rig.join_two();
  rig.leave(2, 3);
  rig.attend(1, 3);
  REQUIRE(rig.out == Actions{shared(3, {}, {}, {{2, 10, 2, 0}, {3, 10, 2, 0}}),
                             answered(1, 3, {{0, 10}, {1, 10}})});
  rig.pass(kShareEvery);
  REQUIRE(rig.out ==
          Actions{shared(4, {2}, {}, {{2, 10, 1, 0}, {3, 10, 1, 0}}), unasked(1, 4, kAll)});
}

TEST_CASE("a member's run is the key's that said it first, also behind a restart", "[groups]") {
  GroupsRig rig;
  rig.attend(1, 0, {}, "a");
  REQUIRE(rig.out == Actions{shared(2, {}, {1}, kAllToOne, "a"), answered(1, 2, kAll)});
  rig.groups = rig.loaded();
  for (const std::string user : {"b", ""})
    for (const auto is_leaving : {false, true}) {
      const auto refused = rig.say(1, 2, {{0, 20}}, is_leaving, user);
      REQUIRE(refused.error().message ==
              "attend: run 0000000000000001 of group g is another key's");
      REQUIRE(refused.error().code == ErrorCode::kDenied);
      REQUIRE(rig.out == Actions{});
    }
  rig.attend(1, 2, {{0, 20}}, "a");
  REQUIRE(rig.out ==
          Actions{committed({{0, 20}}), answered(1, 2, {{0, 20}, {1, 10}, {2, 10}, {3, 10}})});
  rig.leave(1, 2, {}, "a");  // Now it is nobody's.
  const Cursors now{{0, 20}, {1, 10}, {2, 10}, {3, 10}};
  rig.attend(1, 0, {}, "b");
  REQUIRE(
      rig.out ==
      Actions{shared(4, {}, {1}, {{0, 20, 1, 0}, {1, 10, 1, 0}, {2, 10, 1, 0}, {3, 10, 1, 0}}, "b"),
              answered(1, 4, now)});
}

TEST_CASE("a key has half of a group's places, whoever is on this machine has all", "[groups]") {
  GroupsRig rig;
  RunId run = 0;
  for (std::size_t i = 0; i < kMembersOfKeyMax; ++i) rig.attend(++run, 0, {}, "a");
  const auto refused = rig.say(run + 1, 0, {}, false, "a");
  REQUIRE(refused.error().message == "group g: has 128 members by this key, more is the limit");
  REQUIRE(refused.error().code == ErrorCode::kFull);
  while (run < kMembersMax) rig.attend(++run, 0);
  REQUIRE(rig.say(run + 1, 0, {}, false, "b").error().message ==
          "group g: has 256 members, more is the limit");
  rig.attend(1, 2, {}, "a");  // Who is there stays.
  REQUIRE(rig.out.size() == 1);
}

TEST_CASE("a key whose members come too often is not answered for a while, another one is",
          "[groups]") {
  GroupsRig rig;
  const std::string name(kGroupNameBytesMax, 'n');
  const auto comes = [&](RunId run, const std::string& user) {
    REQUIRE(rig.say(run, 0, {}, false, user, name));
    return !rig.out.empty();
  };
  RunId run = 0;
  while (comes(++run, "a")) {
    REQUIRE(run * name.size() < kLogBytesAtOnceMax);
    rig.leave(run, 0, {}, "a");
  }
  REQUIRE(2 * run * name.size() > kLogBytesAtOnceMax);  // Beside the names few bytes are written.
  REQUIRE(!comes(run, "a"));
  REQUIRE(comes(run + 1, "b"));
  REQUIRE(comes(run + 2, ""));
  rig.now += 1s;
  REQUIRE(comes(run, "a"));
}

TEST_CASE("a group that was made anew has later generations", "[groups]") {
  GroupsRig rig;
  rig.attend(1, 0);
  rig.attend(2, 0);  // Something is still to be shared.
  REQUIRE(rig.groups.remove("g", rig.out));
  REQUIRE(*rig.groups.create("g", 4, 10, rig.now, rig.out));
  REQUIRE(rig.view().generation == 3);
  rig.pass(kShareEvery);
  REQUIRE(rig.out == Actions{});
  rig.attend(1, 2);
  REQUIRE(rig.view().generation == 4);
}

TEST_CASE("a group holds the log for an hour behind its last member", "[groups]") {
  GroupsRig rig;
  REQUIRE(rig.groups.held_from(kHead, rig.now) == 10);
  REQUIRE(rig.groups.holders(11, rig.now) == std::vector<std::string>{"g"});
  REQUIRE(rig.groups.held_from(kHead, rig.now + kGroupIdle) == kHead);
}

TEST_CASE("a group that is not there is refused with how to make it", "[groups]") {
  GroupsRig rig;
  const auto refused =
      rig.groups.attend("1", "", {1, "x", 1, "m", 0, 0, {}}, kLog, kHead, rig.now, rig.out);
  REQUIRE(!refused);
  REQUIRE(refused.error().message.find("eole group create x") != std::string::npos);
}

TEST_CASE("who does not let go in time loses it, however often it is shared anew", "[groups]") {
  GroupsRig rig;
  rig.attend(1, 0);
  for (RunId run = 2; rig.now < kStart + 33s; ++run) {
    rig.attend(run, 0);
    for (int beat = 0; beat < 3; ++beat) {
      rig.now += 2s;
      for (RunId other = 2; other <= run; ++other) rig.attend(other, rig.view().generation);
      const auto members = rig.view().members.size();
      rig.groups.on_deadline(rig.now, kLog, rig.out);
      if (rig.view().members.size() < members) {
        REQUIRE(rig.now >= kStart + kLetGoWithin);
        return;
      }
      rig.attend(1, 2);
    }
  }
  FAIL("it has them still");
}

TEST_CASE("a loop that is slow, but looks, does not keep who is gone", "[groups]") {
  GroupsRig rig;
  rig.attend(1, 0);
  for (int turn = 0; turn < 4; ++turn) rig.pass(3s);
  REQUIRE(rig.view().members.empty());
}
