#include "sink/core/groups.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::sink;
using protocol::PartitionCursor;

namespace {

constexpr TimePoint kStart = TimePoint(1000s);
constexpr std::uint64_t kLog = 7;
constexpr std::uint64_t kHead = 100;

/// A group of four partitions that begins at offset 10, and what is said to it.
struct Rig {
  Groups groups;
  TimePoint now = kStart;
  Actions out;
  Rig() {
    groups.start(now);
    REQUIRE(*groups.create("g", 4, 10, now, out));
  }
  /// What the member is answered.
  protocol::Attending attend(RunId run, std::uint64_t generation,
                             std::vector<PartitionCursor> commits = {}, bool is_leaving = false) {
    out.clear();
    const protocol::Attend said{1, "g", run, "m", generation, is_leaving ? std::uint8_t{1} : std::uint8_t{0},
                                protocol::encode_cursors(commits)};
    REQUIRE(groups.attend(std::to_string(run), said, kLog, kHead, now, out));
    return std::get<protocol::Attending>(std::get<Reply>(out.back()).message);
  }
  static std::vector<PartitionCursor> owned(const protocol::Attending& told) {
    return *protocol::decode_cursors(told.payload);
  }
  bool has_commit() const {
    return std::any_of(out.begin(), out.end(), [](const auto& action) {
      return std::holds_alternative<AppendCommit>(action);
    });
  }
  Groups loaded() const {
    Groups again;
    SavePlace place{Part::kGroups};
    Bytes saved;
    groups.save(place, saved);
    REQUIRE(again.load(saved));
    again.start(now);
    return again;
  }
};

}  // namespace

TEST_CASE("the first member of a group has all of it", "[groups]") {
  Rig rig;
  const auto told = rig.attend(1, 0);
  REQUIRE(Rig::owned(told) == std::vector<PartitionCursor>{{0, 10}, {1, 10}, {2, 10}, {3, 10}});
}

TEST_CASE("a partition that moves is its heir's once its owner has answered", "[groups]") {
  Rig rig;
  const auto first = rig.attend(1, 0);
  const auto second = rig.attend(2, 0);
  REQUIRE(Rig::owned(second).empty());
  REQUIRE(second.generation > first.generation);
  // Its beat in the generation before gives nothing away.
  REQUIRE(Rig::owned(rig.attend(1, first.generation)).size() == 2);
  REQUIRE(Rig::owned(rig.attend(2, second.generation)).empty());
  REQUIRE(Rig::owned(rig.attend(1, second.generation, {{3, 50}})).size() == 2);
  REQUIRE(rig.has_commit());
  const auto heir = Rig::owned(rig.attend(2, second.generation));
  REQUIRE(heir == std::vector<PartitionCursor>{{2, 10}, {3, 50}});
}

TEST_CASE("a commit counts from the owner in the current generation, forward, up to the head",
          "[groups]") {
  Rig rig;
  const auto first = rig.attend(1, 0);
  rig.attend(1, first.generation, {{0, 20}});
  REQUIRE(rig.has_commit());
  rig.attend(1, first.generation, {{0, 20}});
  REQUIRE(!rig.has_commit());
  rig.attend(1, first.generation, {{0, 19}});
  REQUIRE(!rig.has_commit());
  rig.attend(1, first.generation, {{0, kHead + 1}});
  REQUIRE(!rig.has_commit());
  const auto second = rig.attend(2, 0);
  rig.attend(2, second.generation, {{0, 30}});
  REQUIRE(!rig.has_commit());
  rig.attend(1, first.generation, {{0, 30}});
  REQUIRE(!rig.has_commit());
  rig.attend(1, second.generation, {{0, 30}});
  REQUIRE(rig.has_commit());
}

TEST_CASE("who is silent is a member no more, and its commits count no more", "[groups]") {
  Rig rig;
  const auto first = rig.attend(1, 0);
  const auto second = rig.attend(2, 0);
  for (int beat = 0; beat < 4; ++beat) {
    rig.now += 2s;
    rig.groups.on_deadline(rig.now, kLog, rig.out);
    rig.attend(2, second.generation);
  }
  const auto alone = rig.attend(2, second.generation);
  REQUIRE(alone.generation > second.generation);
  REQUIRE(Rig::owned(alone).size() == 4);
  const auto woken = rig.attend(1, first.generation, {{0, 60}});
  REQUIRE(!rig.has_commit());
  REQUIRE(woken.generation > alone.generation);
}

TEST_CASE("who was not looked after for long has the whole of its time again", "[groups]") {
  Rig rig;
  const auto first = rig.attend(1, 0);
  rig.now += 60s;
  rig.groups.on_deadline(rig.now, kLog, rig.out);
  REQUIRE(rig.attend(1, first.generation).generation == first.generation);
}

TEST_CASE("what could not be heard is no silence", "[groups]") {
  Rig rig;
  const auto first = rig.attend(1, 0);
  for (int second = 0; second < 60; ++second) {
    rig.now += 1s;
    rig.groups.stop_listening();
  }
  rig.out.clear();
  rig.groups.on_deadline(rig.now, kLog, rig.out);
  rig.now += 6s;
  rig.groups.on_deadline(rig.now, kLog, rig.out);
  REQUIRE(rig.out.empty());
  REQUIRE(rig.attend(1, first.generation).generation == first.generation);
}

TEST_CASE("a wish to move a group that comes again changes nothing", "[groups]") {
  Rig rig;
  const auto first = rig.attend(1, 0);
  REQUIRE(rig.groups.move("g", 50, 99, kLog, rig.now, rig.out));
  const auto moved = rig.attend(1, first.generation);
  rig.attend(1, moved.generation, {{0, 60}});
  for (auto groups : {rig.groups, rig.loaded()}) {
    Actions out;
    REQUIRE(groups.move("g", 50, 99, kLog, rig.now, out));
    REQUIRE(out.empty());
    REQUIRE(groups.find("g", rig.now)->cursors[0] == 60);
    REQUIRE(groups.move("g", 50, 100, kLog, rig.now, out));
    REQUIRE(groups.find("g", rig.now)->cursors[0] == 50);
  }
}

TEST_CASE("who leaves gives all to the others at once", "[groups]") {
  Rig rig;
  rig.attend(1, 0);
  const auto second = rig.attend(2, 0);
  rig.attend(1, second.generation);
  rig.attend(1, second.generation, {{0, 40}}, true);
  REQUIRE(rig.has_commit());
  REQUIRE(Rig::owned(rig.attend(2, second.generation)).size() == 4);
}

TEST_CASE("a checkpoint has groups, members, owners and cursors", "[groups]") {
  Rig rig;
  const auto first = rig.attend(1, 0);
  rig.attend(1, first.generation, {{2, 33}});
  auto again = rig.loaded();
  Actions out;
  REQUIRE(again.attend("1", {9, "g", 1, "m", first.generation, 0, protocol::encode_cursors({{1, 44}})},
                       kLog, kHead, rig.now, out));
  REQUIRE(out.size() == 2);  // The commit, and the answer: nothing moved.
  const auto told = std::get<protocol::Attending>(std::get<Reply>(out.back()).message);
  REQUIRE(told.generation == first.generation);
  REQUIRE(Rig::owned(told) == std::vector<PartitionCursor>{{0, 10}, {1, 44}, {2, 33}, {3, 10}});
}

TEST_CASE("a group that was made anew has later generations", "[groups]") {
  Rig rig;
  const auto first = rig.attend(1, 0);
  REQUIRE(rig.groups.remove("g", rig.out));
  REQUIRE(*rig.groups.create("g", 4, 10, rig.now, rig.out));
  const auto told = rig.attend(1, first.generation);
  REQUIRE(told.moved > first.generation);
}

TEST_CASE("a group holds the log for an hour behind its last member", "[groups]") {
  Rig rig;
  REQUIRE(rig.groups.held_from(kHead, rig.now) == 10);
  REQUIRE(rig.groups.holders(11, rig.now) == std::vector<std::string>{"g"});
  REQUIRE(rig.groups.held_from(kHead, rig.now + kGroupIdle) == kHead);
}

TEST_CASE("a group that is not there is refused with how to make it", "[groups]") {
  Rig rig;
  const auto refused = rig.groups.attend("1", {1, "x", 1, "m", 0, 0, {}}, kLog, kHead, rig.now, rig.out);
  REQUIRE(!refused);
  REQUIRE(refused.error().message.find("eole group create x") != std::string::npos);
}

TEST_CASE("no group has the generations of one that is gone, whatever was restarted", "[groups]") {
  Rig rig;
  const auto first = rig.attend(1, 0);
  REQUIRE(rig.groups.remove("g", rig.out));
  auto again = rig.loaded();
  Actions out;
  REQUIRE(*again.create("g", 4, 10, rig.now, out));
  REQUIRE(again.find("g", rig.now)->generation > first.generation);
}

TEST_CASE("an heir that was not heard since the start is told once it is", "[groups]") {
  Rig rig;
  rig.attend(1, 0);
  const auto second = rig.attend(2, 0);
  auto again = rig.loaded();
  Actions out;
  REQUIRE(again.attend("1", {9, "g", 1, "m", second.generation, 0, protocol::encode_cursors({})},
                       kLog, kHead, rig.now, out));
  std::size_t replies = 0;
  for (const auto& action : out)
    if (const auto* reply = std::get_if<Reply>(&action)) {
      REQUIRE(reply->peer == "1");
      ++replies;
    }
  REQUIRE(replies == 1);
}

TEST_CASE("who does not let go in time loses it, however often it is shared anew", "[groups]") {
  Rig rig;
  const auto first = rig.attend(1, 0);
  for (RunId run = 2; rig.now < kStart + 33s; ++run) {
    rig.attend(run, 0);
    for (int beat = 0; beat < 3; ++beat) {
      rig.now += 2s;
      for (RunId other = 2; other <= run; ++other)
        rig.attend(other, rig.groups.find("g", rig.now)->generation);
      const auto members = rig.groups.find("g", rig.now)->members.size();
      rig.groups.on_deadline(rig.now, kLog, rig.out);
      if (rig.groups.find("g", rig.now)->members.size() < members) return;
      rig.attend(1, first.generation);
    }
  }
  FAIL("it has them still");
}

TEST_CASE("a loop that is slow, but looks, does not keep who is gone", "[groups]") {
  Rig rig;
  rig.attend(1, 0);
  for (int turn = 0; turn < 4; ++turn) {
    rig.now += 3s;
    rig.groups.on_deadline(rig.now, kLog, rig.out);
  }
  REQUIRE(rig.groups.find("g", rig.now)->members.empty());
}
