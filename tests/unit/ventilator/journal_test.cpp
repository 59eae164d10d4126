#include "ventilator/io/journal.hpp"

#include <catch2/catch.hpp>

#include "tests/simulation/sim_disk.hpp"

using namespace eole;
using namespace eole::ventilator;
using protocol::put_task_spec;
using simulation::SimDisk;

namespace {

storage::StoreOptions small(std::uint64_t entropy) {
  return {.segment_bytes = 8192, .entropy = entropy << 34};
}

std::string body(Seq seq) { return "task " + std::to_string(seq) + std::string(seq % 90, 'x'); }

JournalTasks tasks(Seq first, std::uint32_t count) {
  JournalTasks action{first, "", {}};
  action.submit.run = 7;
  action.submit.request = first;
  action.submit.count = count;
  action.submitted_unix_ms = static_cast<std::int64_t>(1000 + first);
  for (auto seq = first; seq < first + count; ++seq)
    put_task_spec(action.submit.payload, {false, "echo", "", body(seq)});
  return action;
}

std::string args_of(Journal& journal, Seq seq) {
  const auto raw = journal.specs(seq, 1).bytes;
  ByteReader reader(raw);
  return std::string(protocol::read_task_spec(reader)->args);
}

void write(Journal& journal, Actions actions, const Durable& durable) {
  journal.write(actions, [&] { return durable; });
}

}  // namespace

TEST_CASE("a journal gives every accepted task back, also after a restart", "[journal]") {
  SimDisk disk(1);
  for (int life = 0; life < 2; ++life) {
    const auto directory = disk.open();
    Journal journal(*directory, small(static_cast<std::uint64_t>(life) + 1), "boot");
    const auto durable = journal.take_recovered();
    REQUIRE(durable.start == static_cast<std::uint32_t>(life) + 1);
    REQUIRE(durable.last == (life == 0 ? 0 : 400));
    if (life == 0)
      for (Seq first = 1; first <= 400; first += 40) write(journal, {tasks(first, 40)}, durable);
    for (const Seq seq : {1, 400, 17, 18, 300, 41}) REQUIRE(args_of(journal, seq) == body(seq));
  }
}

TEST_CASE("a note that is given back counts no attempt after a restart", "[journal]") {
  SimDisk disk(1);
  {
    const auto directory = disk.open();
    Journal journal(*directory, small(1), "boot");
    write(journal,
          {tasks(1, 3), JournalNote{9, 1, {{1, 1, 1}, {2, 2, 1}}, false},
           JournalNote{0, 1, {{2, 2, 0}}, false}, JournalCancel{3}},
          {});
  }
  const auto directory = disk.open();
  Journal journal(*directory, small(2), "another boot");
  const auto durable = journal.take_recovered();
  REQUIRE(durable.notes == std::map<Seq, Note>{{1, {9, {1, 1}, 1}}});
  REQUIRE(durable.cancelled == std::set<Seq>{3});
  REQUIRE(*durable.requests.at(7).answered.find(1) == Answered{"", 1, 3});
  REQUIRE(durable.is_power_cut);
}

TEST_CASE("settled segments are given back, and one old task pins none of them", "[journal]") {
  SimDisk disk(1);
  Durable durable;
  durable.start = 1;
  {
    const auto directory = disk.open();
    Journal journal(*directory, small(1), "boot");
    durable = journal.take_recovered();
    for (Seq first = 1; first < 2000; first += 20) {
      durable.last = first + 19;
      durable.settled.add(std::max<Seq>(2, first), first + 19);  // All but the first task.
      write(journal, {tasks(first, 20), Forget{}}, durable);
      journal.collect(durable.settled);
    }
    REQUIRE(journal.disk_bytes() < 10 * 8192);
    REQUIRE(args_of(journal, 1) == body(1));
  }
  const auto directory = disk.open();
  Journal journal(*directory, small(2), "boot");
  const auto again = journal.take_recovered();
  REQUIRE(again.last == 2000);
  REQUIRE(again.origin == durable.origin);  // Also when the segment of the first start is gone.
  REQUIRE(again.start == 2);
  REQUIRE_FALSE(again.settled.contains(1));
  REQUIRE(args_of(journal, 1) == body(1));
  REQUIRE(journal.specs(1, 1).submitted_unix_ms == 1001);  // Also where it was moved to.
  REQUIRE(journal.specs(1990, 1).submitted_unix_ms == 1000 + 1981);
}

TEST_CASE("a segment goes only when what was moved out of it is durable", "[journal]") {
  for (int turns = 1; turns <= 100; ++turns) {
    SimDisk disk(1);
    {
      const auto directory = disk.open();
      Journal journal(*directory, small(1), "boot");
      auto durable = journal.take_recovered();
      for (Seq first = 1; first < 20 * static_cast<Seq>(turns); first += 20) {
        durable.last = first + 19;
        durable.settled.add(std::max<Seq>(2, first), first + 19);
        write(journal, {tasks(first, 20), Forget{}}, durable);
        journal.collect(durable.settled);
      }
      disk.cut_power(simulation::Damage::kDropped);
    }
    const auto directory = disk.open();
    Journal journal(*directory, small(2), "boot");
    REQUIRE(args_of(journal, 1) == body(1));
  }
}

TEST_CASE("a journal with little room left says that it is full, before it is", "[journal]") {
  SimDisk disk(1);
  const auto directory = disk.open();
  Journal journal(*directory, small(1), "boot");
  REQUIRE_FALSE(journal.is_full());
  disk.set_free_bytes(63ULL << 20);
  REQUIRE(journal.is_full());
}
