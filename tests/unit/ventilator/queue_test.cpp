#include "ventilator/core/queue.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;

namespace {

/// A queue in which each kind is a class of its own.
struct Waiting {
  Tasks tasks;
  SeqRanges settled;
  TaskClasses classes;
  Queue queue;
  Seq last = 0;

  /// `recovered` and more of one kind.
  Waiting(Seq recovered, Seq all) : queue(recovered) {
    if (recovered > 0) classes.put(1, recovered, encoded("a"));
    last = recovered;
    if (all > recovered) extend(all - recovered);
  }
  static Bytes encoded(const std::string& kind, std::uint8_t priority = 0,
                       const std::string& project = "") {
    return protocol::encode_class({kind, project, 0, 0, priority});
  }
  void extend(std::uint64_t count, const std::string& kind = "a", std::uint8_t priority = 0,
              const std::string& project = "") {
    const auto id = classes.put(last + 1, count, encoded(kind, priority, project));
    queue.extend(last + 1, count, id, classes.at(id));
    last += count;
  }
  void put(Seq seq, bool in_front) {
    tasks.at(seq);
    queue.put(seq, in_front, classes.of(seq), classes.at(classes.of(seq)));
  }
  /// For a worker that runs these kinds, of one letter each.
  std::vector<Stretch> together(std::uint64_t most, const std::string& kinds = "abc") {
    const auto served = queue.next(fits(kinds), room(), most, tasks, settled);
    if (!served) return {};
    std::uint64_t count = 0;
    for (const auto& stretch : served->stretches) count += stretch.count;
    REQUIRE((served->count == count && 0 < count && count <= most));
    return served->stretches;
  }
  std::optional<Stretch> next(std::uint64_t most, const std::string& kinds = "abc") {
    const auto stretches = together(most, kinds);
    REQUIRE(stretches.size() <= 1);
    return stretches.empty() ? std::nullopt : std::optional(stretches.front());
  }
  static Queue::Fits fits(const std::string& kinds) {
    return [=](const protocol::TaskClass& task_class) -> std::uint64_t {
      return kinds.find(task_class.kind) == std::string::npos ? 0 : 4096;
    };
  }
  /// Classes of the kinds in `held` have none, nor have those of `held_project`.
  Queue::Room room() const {
    return [this](const protocol::TaskClass& task_class) -> std::uint64_t {
      const bool is_held = held.find(task_class.kind) != std::string::npos ||
                           (!held_project.empty() && task_class.project == held_project);
      return is_held ? 0 : kNoLimit;
    };
  }
  std::string held;
  std::string held_project;
};

}  // namespace

TEST_CASE("what was never dispatched goes in stretches, without what is settled", "[ventilator]") {
  Waiting rig(0, 10);
  rig.settled.add(2, 3);
  REQUIRE(rig.together(5) == std::vector<Stretch>{{1, 1}, {4, 4}});
  REQUIRE(rig.next(5) == Stretch{8, 3});
  REQUIRE(rig.next(5) == std::nullopt);
  REQUIRE(rig.queue.is_empty());
}

TEST_CASE("the oldest that waits is found behind what is settled", "[ventilator]") {
  Waiting rig(0, 10);
  rig.settled.add(1, 3);
  REQUIRE(rig.queue.oldest(rig.settled) == 4);
  rig.extend(5, "b");
  rig.settled.add(4, 12);
  REQUIRE(rig.queue.oldest(rig.settled) == 13);
  rig.put(2, true);  // It came back, and is settled.
  REQUIRE(rig.queue.oldest(rig.settled) == 13);
  rig.settled.add(13, 15);
  REQUIRE(rig.queue.oldest(rig.settled) == std::nullopt);
}

TEST_CASE("what is more than queued already is left out", "[ventilator]") {
  Waiting rig(0, 6);
  rig.tasks.at(1), rig.tasks.at(4);
  REQUIRE(rig.together(9) == std::vector<Stretch>{{2, 2}, {5, 2}});
  REQUIRE(rig.queue.is_empty());
}

TEST_CASE("tasks of earlier starts wait until they are opened", "[ventilator]") {
  Waiting rig(3, 4);
  REQUIRE(rig.queue.size() == 1);
  REQUIRE(rig.next(5) == Stretch{4, 1});
  REQUIRE(rig.next(5) == std::nullopt);
  rig.queue.open_recovered(rig.classes);
  rig.queue.open_recovered(rig.classes);
  REQUIRE(rig.queue.size() == 3);
  REQUIRE(rig.next(5) == Stretch{1, 3});
}

TEST_CASE("what was opened goes before what is new, in each class", "[ventilator]") {
  Waiting rig(0, 0);
  rig.classes.put(1, 2, Waiting::encoded("a"));
  rig.classes.put(3, 2, Waiting::encoded("b"));
  rig.classes.put(5, 2, Waiting::encoded("a"));
  rig.queue = Queue(6);
  rig.last = 6;
  rig.extend(2, "b");
  rig.queue.open_recovered(rig.classes);
  REQUIRE(rig.queue.size() == 8);
  for (const auto& stretch : {Stretch{1, 2}, {3, 2}, {5, 2}, {7, 2}})
    REQUIRE(rig.next(9) == stretch);
  REQUIRE(rig.queue.is_empty());
}

TEST_CASE("nothing waits where what is settled reaches into the tasks of this start",
          "[ventilator]") {
  Waiting rig(3, 5);
  rig.queue.open_recovered(rig.classes);
  rig.settled.add(1, 5);
  REQUIRE(rig.next(5) == std::nullopt);
  REQUIRE(rig.queue.is_empty());
}

TEST_CASE("what came back goes first", "[ventilator]") {
  Waiting rig(0, 3);
  rig.put(2, false);
  rig.put(1, false);
  rig.put(3, true);
  for (const Seq seq : {3, 2, 1}) REQUIRE(rig.next(5) == Stretch{seq, 1});
  REQUIRE(rig.next(5) == std::nullopt);
}

TEST_CASE("what gates let go late goes in the order of its numbers, neighbours together",
          "[ventilator]") {
  Waiting rig(0, 0);
  const auto id = rig.classes.put(1, 30, rig.encoded("a"), true);
  const auto let_go = [&](Seq seq) { rig.queue.extend(seq, 1, id, rig.classes.at(id)); };
  for (const Seq seq : {20, 21, 9, 7, 8, 25, 3}) let_go(seq);
  REQUIRE(rig.queue.size() == 7);
  REQUIRE(rig.queue.before(9, id, 100) == 3);
  REQUIRE(rig.next(1) == Stretch{3, 1});
  let_go(5);
  REQUIRE(rig.next(1) == Stretch{5, 1});
  rig.settled.add(8, 8);
  REQUIRE(rig.together(2) == std::vector<Stretch>{{7, 1}, {9, 1}});
  let_go(24);
  REQUIRE(rig.together(100) == std::vector<Stretch>{{20, 2}, {24, 1}, {25, 1}});
  REQUIRE(rig.queue.size() == 0);
  REQUIRE_FALSE(rig.next(100));
}

TEST_CASE("only lanes that fit are served, the one with the oldest first task first",
          "[ventilator]") {
  Waiting rig(0, 0);
  rig.extend(2, "b");
  rig.extend(2, "a");
  rig.extend(2, "b");
  rig.extend(2, "c");
  REQUIRE(rig.queue.size(Waiting::fits("b")) == 4);
  REQUIRE(rig.queue.size(Waiting::fits("")) == 0);
  REQUIRE(rig.next(9, "") == std::nullopt);
  REQUIRE(rig.next(9, "ac") == Stretch{3, 2});
  REQUIRE(rig.next(9, "ac") == Stretch{7, 2});
  REQUIRE(rig.next(9, "ac") == std::nullopt);
  REQUIRE(rig.next(1) == Stretch{1, 1});
  REQUIRE(rig.together(9) == std::vector<Stretch>{{2, 1}, {5, 2}});
  REQUIRE(rig.queue.is_empty());
}

TEST_CASE("a class without a task leaves no lane behind", "[ventilator]") {
  Waiting rig(0, 4);
  rig.extend(3, "b");
  std::vector<ClassId> gone;
  rig.classes.settle(5, 7, rig.settled, gone);
  for (const auto id : gone) rig.queue.forget(id);
  REQUIRE(rig.queue.size() == 4);
  rig.extend(1, "c");  // It has the id of the one that is gone.
  REQUIRE(rig.next(9, "bc") == Stretch{8, 1});
}

TEST_CASE("the highest priority goes first, and among equals the oldest", "[ventilator]") {
  Waiting rig(0, 0);
  rig.extend(2, "a");
  rig.extend(2, "b", 9);
  rig.extend(2, "a", 9);
  rig.extend(2, "a", 1);
  rig.put(1, true);  // However often it came back.
  REQUIRE(rig.next(1) == Stretch{3, 1});
  REQUIRE(rig.next(9, "a") == Stretch{5, 2});
  REQUIRE(rig.next(9) == Stretch{4, 1});
  REQUIRE(rig.next(9) == Stretch{7, 2});
  REQUIRE(rig.next(9) == Stretch{1, 1});
  REQUIRE(rig.next(9) == Stretch{2, 1});
  REQUIRE(rig.queue.is_empty());
}

TEST_CASE("a lane without room is put aside, counts no more, and comes back with room",
          "[ventilator]") {
  Waiting rig(0, 0);
  rig.extend(3, "a", 5);
  rig.extend(2, "b");
  rig.held = "a";
  REQUIRE(rig.next(9) == Stretch{4, 2});
  REQUIRE(rig.next(9) == std::nullopt);
  REQUIRE(rig.queue.held() == 3);
  rig.extend(1, "a", 5);
  rig.put(1, true);
  REQUIRE((rig.queue.held() == 5 && rig.queue.size() == 5));
  REQUIRE(rig.queue.size(Waiting::fits("ab")) == 0);
  rig.queue.let_go(rig.room());
  REQUIRE(rig.next(9) == std::nullopt);
  rig.held = "";
  REQUIRE(rig.next(9) == std::nullopt);
  rig.queue.let_go(rig.room());
  REQUIRE(rig.queue.size(Waiting::fits("ab")) == 5);
  REQUIRE(rig.next(9) == Stretch{1, 1});
  REQUIRE(rig.together(9) == std::vector<Stretch>{{2, 2}, {6, 1}});
  REQUIRE((rig.queue.is_empty() && rig.queue.held() == 0));
}

TEST_CASE("a class that ends while its lane is held leaves nothing behind", "[ventilator]") {
  Waiting rig(0, 0);
  rig.extend(3, "a");
  rig.held = "a";
  REQUIRE(rig.next(9) == std::nullopt);
  std::vector<ClassId> gone;
  rig.classes.settle(1, 3, rig.settled, gone);
  for (const auto id : gone) rig.queue.forget(id);
  REQUIRE((rig.queue.is_empty() && rig.queue.held() == 0));
  rig.queue.let_go(rig.room());
}

TEST_CASE("a project that comes anew begins where those are that wait for the same workers",
          "[ventilator]") {
  Waiting rig(0, 0);
  rig.extend(10, "a", 0, "one");
  rig.extend(100, "b", 0, "far");  // Others run them, and it had more than anybody.
  REQUIRE(rig.next(50, "b") == Stretch{11, 50});
  REQUIRE(rig.next(1, "b") == Stretch{61, 1});
  rig.extend(1, "a", 3, "far");
  rig.extend(10, "a", 0, "late");
  REQUIRE(rig.next(1, "a") == Stretch{111, 1});
  REQUIRE(rig.next(1, "a") == Stretch{1, 1});
  REQUIRE(rig.next(1, "a") == Stretch{112, 1});
  REQUIRE(rig.next(1, "a") == Stretch{2, 1});
  REQUIRE(rig.next(1, "a") == Stretch{113, 1});
}

TEST_CASE("who is held has not gone ahead of a project that comes anew", "[ventilator]") {
  Waiting rig(0, 0);
  rig.extend(10, "a", 0, "one");
  rig.held = "a";
  REQUIRE(rig.next(1, "a") == std::nullopt);
  rig.extend(100, "b", 0, "far");
  REQUIRE(rig.next(50, "b") == Stretch{11, 50});
  REQUIRE(rig.next(1, "b") == Stretch{61, 1});
  rig.extend(10, "a", 0, "late");
  rig.held = "";
  rig.queue.let_go(rig.room());
  REQUIRE(rig.next(1, "a") == Stretch{1, 1});
  REQUIRE(rig.next(1, "a") == Stretch{111, 1});
  REQUIRE(rig.next(1, "a") == Stretch{2, 1});
}

TEST_CASE("what a project was not served while it was held does not add up", "[ventilator]") {
  Waiting rig(0, 0);
  rig.extend(50, "a", 0, "held");
  rig.extend(100, "a", 0, "busy");
  rig.held_project = "held";
  for (Seq seq = 51; seq <= 90; ++seq) REQUIRE(rig.next(1) == Stretch{seq, 1});
  rig.extend(1, "b", 0, "held");
  rig.extend(1, "a", 3, "held");
  REQUIRE(rig.queue.held() == 52);
  rig.extend(10, "a", 0, "late");
  rig.held_project = "";
  rig.queue.let_go(rig.room());
  REQUIRE(rig.next(1) == Stretch{152, 1});
  for (const Seq seq : {1, 91, 153, 2, 92, 154}) REQUIRE(rig.next(1) == Stretch{seq, 1});
}

TEST_CASE("a project that is alone with its kind has nothing to catch up with, either",
          "[ventilator]") {
  Waiting rig(0, 0);
  rig.extend(50, "a", 0, "held");
  rig.extend(100, "b", 0, "busy");
  rig.held_project = "held";
  for (Seq seq = 51; seq <= 90; ++seq) REQUIRE(rig.next(1) == Stretch{seq, 1});
  rig.held_project = "";
  rig.queue.let_go(rig.room());
  int of_held = 0;
  for (int turn = 0; turn < 20; ++turn) of_held += rig.next(1)->first <= 50 ? 1 : 0;
  REQUIRE((9 <= of_held && of_held <= 11));
}

TEST_CASE("what was served where a held project has no worker is not held against it",
          "[ventilator]") {
  Waiting rig(0, 0);
  rig.extend(50, "a", 0, "held");
  rig.extend(100, "b", 0, "far");
  rig.extend(50, "c", 0, "near");
  REQUIRE(rig.next(1, "c") == Stretch{151, 1});
  rig.held_project = "held";
  REQUIRE(rig.next(1, "a") == std::nullopt);
  for (Seq seq = 51; seq <= 90; ++seq) REQUIRE(rig.next(1, "b") == Stretch{seq, 1});
  rig.held_project = "";
  rig.queue.let_go(rig.room());
  REQUIRE(rig.next(1, "ac") == Stretch{1, 1});  // And not all of the other's before it.
}

TEST_CASE("projects that are held together keep what they had from each other", "[ventilator]") {
  Waiting rig(0, 0);
  rig.extend(50, "a", 0, "one");
  rig.extend(50, "a", 0, "two");
  REQUIRE(rig.next(1) == Stretch{1, 1});
  for (Seq seq = 1; seq <= 10; ++seq) {
    rig.held = "a";
    REQUIRE(rig.next(1) == std::nullopt);
    rig.held = "";
    rig.queue.let_go(rig.room());
    REQUIRE(rig.next(1) == Stretch{50 + seq, 1});
    REQUIRE(rig.next(1) == Stretch{1 + seq, 1});
  }
}

TEST_CASE("a project goes on where the others are, whichever of its lanes was held",
          "[ventilator]") {
  const bool is_reached = GENERATE(true, false);  // Or nobody who runs b has a slot.
  const std::string first = GENERATE("a", "b");
  const auto kinds = is_reached ? "ab" : "a";
  Waiting rig(0, 0);
  rig.extend(50, first, 0, "held");
  rig.extend(50, first == "a" ? "b" : "a", 0, "held");
  rig.extend(100, "a", 0, "busy");
  rig.held_project = "held";
  for (Seq seq = 101; seq <= 140; ++seq) REQUIRE(rig.next(1, kinds) == Stretch{seq, 1});
  REQUIRE(rig.queue.held() == (is_reached ? 100 : 50));
  const bool has_more = GENERATE(true, false);  // Of a class that was not there.
  if (has_more) rig.extend(1, "a", 3, "held");
  if (has_more) rig.extend(1, "a", 3, "late");
  rig.held_project = "";
  rig.queue.let_go(rig.room());
  if (has_more) REQUIRE(rig.next(2, "a") == Stretch{201, 1});
  if (has_more) REQUIRE(rig.next(2, "a") == Stretch{202, 1});
  Seq of_held = first == "a" ? 1 : 51;
  if (!has_more) REQUIRE(rig.next(1, "a") == Stretch{of_held++, 1});  // It is a turn behind.
  for (Seq turn = 0; turn < 5; ++turn) {
    REQUIRE(rig.next(1, "a") == Stretch{of_held + turn, 1});
    REQUIRE(rig.next(1, "a") == Stretch{141 + turn, 1});
  }
}

TEST_CASE("who comes anew does not begin where somebody was who waits no more", "[ventilator]") {
  Waiting rig(0, 0);
  rig.extend(1, "a", 3, "one");
  rig.extend(100, "a", 0, "two");
  for (Seq seq = 1; seq <= 41; ++seq) REQUIRE(rig.next(1) == Stretch{seq, 1});
  rig.extend(1, "a", 3, "late");
  rig.extend(50, "a", 0, "late");
  REQUIRE(rig.next(1) == Stretch{102, 1});
  for (Seq turn = 0; turn < 5; ++turn) {
    REQUIRE(rig.next(1) == Stretch{42 + turn, 1});
    REQUIRE(rig.next(1) == Stretch{103 + turn, 1});
  }
}
