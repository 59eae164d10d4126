#include "ventilator/core/task_class.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;

namespace {

Bytes encoded(const std::string& kind, std::uint8_t attempts = 0) {
  return protocol::encode_class({kind, "", attempts, 0});
}

struct Kept {
  TaskClasses classes;
  SeqRanges settled;
  std::vector<ClassId> gone;
  std::uint64_t settle(Seq first, Seq last) {
    gone.clear();
    return classes.settle(first, last, settled, gone);
  }
  std::string kind_of(Seq seq) const {
    const auto id = classes.of(seq);
    return id == kNoClass ? "" : classes.at(id).kind;
  }
  std::vector<std::pair<Seq, Seq>> stretches() const {
    std::vector<std::pair<Seq, Seq>> found;
    for (const auto& [first, stretch] : classes.stretches())
      found.emplace_back(first, stretch.last);
    return found;
  }
};

using Pairs = std::vector<std::pair<Seq, Seq>>;

}  // namespace

TEST_CASE("neighbours of one class are one stretch", "[ventilator]") {
  Kept kept;
  for (Seq seq = 1; seq <= 1000; ++seq) kept.classes.put(seq, 1, encoded("a"));
  kept.classes.put(1001, 10, encoded("b"));
  kept.classes.put(1011, 10, encoded("a"));
  REQUIRE(kept.stretches() == Pairs{{1, 1000}, {1001, 1010}, {1011, 1020}});
  REQUIRE(kept.classes.size() == 2);
  REQUIRE((kept.kind_of(1000) == "a" && kept.kind_of(1001) == "b" && kept.kind_of(1020) == "a"));
  REQUIRE(kept.kind_of(1021).empty());
}

TEST_CASE("a class is forgotten with its last task, and another gets its id", "[ventilator]") {
  Kept kept;
  const auto a = kept.classes.put(1, 10, encoded("a"));
  const auto b = kept.classes.put(11, 10, encoded("b"));
  kept.classes.put(21, 10, encoded("a"));
  REQUIRE(kept.settle(1, 15) == 15);
  REQUIRE(kept.gone.empty());
  REQUIRE(kept.settle(14, 20) == 5);
  REQUIRE(kept.gone == std::vector<ClassId>{b});
  REQUIRE(kept.kind_of(20).empty());
  REQUIRE(kept.settle(25, 40) == 16);  // Reaches over what is known.
  REQUIRE(kept.settle(21, 24) == 4);
  REQUIRE(kept.gone == std::vector<ClassId>{a});
  REQUIRE(kept.settled.ranges() == std::map<Seq, Seq>{{1, 40}});
  REQUIRE(kept.classes.size() == 0);
  kept.classes.put(41, 1, encoded("c"));
  REQUIRE(kept.kind_of(41) == "c");
}

TEST_CASE("what differs in its attempts is another class", "[ventilator]") {
  Kept kept;
  REQUIRE(kept.classes.put(1, 1, encoded("a")) != kept.classes.put(2, 1, encoded("a", 5)));
}

TEST_CASE("while loading, the last record of a task counts, and what is settled goes",
          "[ventilator]") {
  Kept kept;
  kept.classes.put(1, 100, encoded("a"));
  kept.classes.put(40, 1, encoded("a"));  // Moved.
  REQUIRE(kept.stretches() == Pairs{{1, 100}});
  kept.classes.put(50, 10, encoded("b"));
  REQUIRE(kept.stretches() == Pairs{{1, 49}, {50, 59}, {60, 100}});
  kept.classes.put(1, 49, encoded("c"));
  kept.settled.add(60, 100);
  kept.settled.add(2, 10);
  kept.classes.count_live(kept.settled);
  REQUIRE(kept.stretches() == Pairs{{1, 49}, {50, 59}});
  REQUIRE(kept.classes.size() == 2);
  REQUIRE(kept.settle(1, 49) == 40);
  REQUIRE(kept.classes.size() == 1);
}

TEST_CASE("a class more than there may be is refused by name, a known one never", "[ventilator]") {
  Rig rig;
  for (std::size_t i = 0; i < kClassesMax; ++i) rig.submit(1, i + 1, 0, "", "", std::to_string(i));
  const auto refusal = [&](const std::string& kind) {
    rig.submit(1, 1'000'000, 0, "", "", kind);
    const auto reply = rig.last<Reply>();
    const auto* refused = std::get_if<protocol::Refused>(&reply.message);
    return refused == nullptr ? std::string() : refused->reason;
  };
  REQUIRE(refusal("new") ==
          "kind new, project : 16384 classes of tasks (kind, project, attempts, retry) are not "
          "settled, limit 16384");
  REQUIRE(refusal("17").empty());
  rig.settle({1});
  rig.submit(1, 1'000'001, 0, "", "", "new");
  REQUIRE(rig.core.class_of(rig.core.accepted())->kind == "new");
}

TEST_CASE("a submit with a class that makes no sense is refused whole", "[ventilator]") {
  Rig rig;
  auto payload = Rig::groups(2);
  protocol::put_task_group(payload, {protocol::encode_class({"", "p", 0, 0}), 1, ""});
  rig.step(Submitted{"client", {7, 1, 0, "", 3, payload}, "", false});
  REQUIRE(std::get<protocol::Refused>(rig.last<Reply>().message).reason == "class: no kind");
  REQUIRE(rig.core.accepted() == 0);
}

TEST_CASE("the tasks of several groups are numbered in the order given", "[ventilator]") {
  Rig rig;
  rig.step(Submitted{
      "client", {7, 1, 0, "", 5, Rig::groups(2, 3) + Rig::groups(3, 0, "other")}, "", false});
  REQUIRE(rig.core.class_of(2)->attempts_max == 3);
  REQUIRE(rig.core.class_of(3)->kind == "other");
  REQUIRE(rig.core.accepted() == 5);
}
