#include <random>

#include "common/base/text.hpp"
#include "tests/unit/sink/groups_rig.hpp"

using namespace eole;
using namespace eole::sink;

TEST_CASE("a checkpoint has groups, members, owners and cursors", "[groups]") {
  GroupsRig rig;
  rig.attend(1, 0);
  rig.attend(1, 2, {{2, 33}});
  rig.groups = rig.loaded();
  rig.attend(1, 2, {{1, 44}});
  REQUIRE(rig.out ==
          Actions{committed({{1, 44}}), answered(1, 2, {{0, 10}, {1, 44}, {2, 33}, {3, 10}})});
}

TEST_CASE("a change that was not shared yet is none behind a restart", "[groups]") {
  GroupsRig rig;
  rig.join_two();
  rig.attend(1, 3);
  rig.attend(3, 0);
  rig.leave(1, 3);
  REQUIRE(rig.view().members.size() == 1);
  rig.groups = rig.loaded();
  REQUIRE(rig.view().members.size() == 2);
  rig.attend(3, 3);  // It comes anew.
  REQUIRE(rig.out == Actions{shared(4, {}, {3}, {{3, 10, 2, 3}}), answered(3, 4, {})});
}

TEST_CASE("what is appended bit by bit says what a checkpoint says", "[groups]") {
  std::mt19937 random(8);
  const auto below = [&](std::uint32_t limit) {
    return static_cast<std::uint32_t>(random() % limit);
  };
  GroupsRig rig;
  Groups again;
  std::size_t shares = 0;
  const auto load = [&] {
    for (const auto& action : rig.out) {
      bool is_good = true;
      if (const auto* groups = std::get_if<AppendGroups>(&action))
        is_good = again.load(groups->payload);
      if (const auto* commit = std::get_if<AppendCommit>(&action))
        is_good = again.load_commit(commit->payload);
      if (const auto* share = std::get_if<AppendShare>(&action)) {
        is_good = again.load_share(share->payload);
        ++shares;
      }
      REQUIRE(is_good);
    }
    rig.out.clear();
  };
  load();
  for (int step = 0; step < 2000; ++step) {
    const RunId run = 1 + below(6);
    const auto generation = rig.view().generation - below(2);
    const Cursors commits{{below(4), below(kHead)}};
    if (const auto what = below(40); what == 0)
      REQUIRE(rig.groups.move("g", below(kHead), step + 1, kLog, rig.now, rig.out));
    else if (what < 5)
      rig.leave(run, generation, commits);
    else if (what < 15)
      rig.pass(500ms);
    else
      rig.attend(run, generation, commits);
    load();
    REQUIRE(hex(saved(again)) == hex(saved(rig.groups)));
  }
  REQUIRE(shares > 200);
}

TEST_CASE("a record of a share that names no partition of the group makes no sense", "[groups]") {
  GroupsRig rig;
  REQUIRE(
      !rig.groups.load_share(std::get<AppendShare>(shared(2, {}, {1}, {{4, 10, 1, 0}})).payload));
  auto cut = std::get<AppendShare>(shared(2, {}, {1}, {{3, 10, 1, 0}})).payload;
  cut.pop_back();
  REQUIRE(!rig.groups.load_share(cut));
}

TEST_CASE("no group has the generations of one that is gone, whatever was restarted", "[groups]") {
  GroupsRig rig;
  rig.attend(1, 0);
  REQUIRE(rig.groups.remove("g", rig.out));
  auto again = rig.loaded();
  Actions out;
  REQUIRE(*again.create("g", 4, 10, rig.now, out));
  REQUIRE(again.find("g", rig.now)->generation == 3);
}

TEST_CASE("an heir that was not heard since the start is told once it is", "[groups]") {
  GroupsRig rig;
  rig.join_two();
  rig.groups = rig.loaded();
  rig.attend(1, 3);
  REQUIRE(rig.out == Actions{shared(3, {}, {}, {{2, 10, 2, 0}, {3, 10, 2, 0}}),
                             answered(1, 3, {{0, 10}, {1, 10}})});
}
