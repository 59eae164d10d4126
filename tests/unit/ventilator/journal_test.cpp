#include "ventilator/io/journal.hpp"

#include <catch2/catch.hpp>

#include "tests/simulation/sim_disk.hpp"

using namespace eole;
using namespace eole::ventilator;
using protocol::Settlement;
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
  protocol::TaskGroups groups;
  for (auto seq = first; seq < first + count; ++seq) groups.add({"echo", "", 3, 0}, body(seq));
  action.submit.payload = groups.take();
  return action;
}

std::string args_of(Journal& journal, Seq seq) {
  const auto raw = journal.specs(seq, 1).bytes;
  ByteReader reader(raw);
  return std::string(protocol::read_task_spec(reader)->args);
}

void write(Journal& journal, Actions actions, const Durable& durable) {
  journal.write(actions, [&](SavePlace& place) {
    return save_next(place, [&](SavePlace& at, Bytes& out) { durable.save(at, out); });
  });
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
  REQUIRE(durable.notes.runs() == std::map<Seq, Note>{{1, {9, {1, 1}, 1}}});
  REQUIRE(durable.cancelled == std::set<Seq>{3});
  REQUIRE(*durable.answers.find(7, 1) == Answered{1, 3});
  REQUIRE(durable.is_power_cut);
}

TEST_CASE("a restart holds nothing of what is settled", "[journal]") {
  SimDisk disk(1);
  {
    const auto directory = disk.open();
    Journal journal(*directory, {.segment_bytes = 1 << 20, .entropy = 1ULL << 34}, "boot");
    const auto durable = journal.take_recovered();
    for (Seq first = 1; first < 4000; first += 10) {
      write(journal, {tasks(first, 10), JournalNote{9, 1, {{first, first, 1, 10}}, false}},
            durable);
      if (first > 11) write(journal, {Forget{{{first - 10, first - 1}}}}, durable);
    }
  }
  const auto directory = disk.open();
  Journal journal(*directory, small(2), "boot");
  const auto durable = journal.take_recovered();
  REQUIRE(durable.settled.ranges() == std::map<Seq, Seq>{{11, 3990}});
  REQUIRE(durable.notes.runs() ==
          std::map<Seq, Note>{{1, {9, {1, 1}, 1, 10}}, {3991, {9, {1, 3991}, 1, 10}}});
  REQUIRE(durable.classes.at(durable.classes.of(3991)).attempts_max == 3);
  REQUIRE(durable.classes.size() == 1);
}

TEST_CASE("a journal without any task still knows the highest number it gave", "[journal]") {
  SimDisk disk(1);
  for (std::uint64_t life = 1; life <= 4; ++life) {
    const auto directory = disk.open();
    Journal journal(*directory, small(life), "boot");
    auto durable = journal.take_recovered();
    REQUIRE(durable.last == (life == 1 ? 0 : 20));
    if (life > 1) continue;
    durable.last = 20;
    durable.settled.add(1, 20);
    write(journal, {tasks(1, 20), Forget{{{1, 20}}}}, durable);
    journal.collect(durable.settled);
  }
}

TEST_CASE("a snapshot that did not come to its end leaves the old one good", "[journal]") {
  const auto options = [](std::uint64_t entropy) {
    return storage::StoreOptions{.segment_bytes = 128 << 10, .entropy = entropy << 34};
  };
  for (std::uint64_t end = 1; end < 40; ++end) {
    SimDisk disk(1);
    {
      const auto directory = disk.open();
      Journal journal(*directory, options(1), "boot");
      auto durable = journal.take_recovered();
      for (Seq seq = 1; seq <= end; ++seq) {
        auto action = tasks(seq, 1);
        action.submit.key = "key " + std::to_string(seq);
        action.hash = std::string(20'000, 'h');  // Three to a record: it takes several turns.
        durable.answers.add({action.submit.key, action.hash, {seq, 1}, {}});
        durable.last = seq;
        durable.settled.add(seq, seq);
        write(journal, {action, Forget{{{seq, seq}}}}, durable);
        journal.collect(durable.settled);
      }
      disk.cut_power(simulation::Damage::kDropped);
    }
    const auto directory = disk.open();
    Journal journal(*directory, options(2), "boot");
    const auto durable = journal.take_recovered();
    REQUIRE(durable.last == end);
    for (Seq seq = 1; seq <= end; ++seq)
      REQUIRE(durable.answers.find("key " + std::to_string(seq)));
  }
}

TEST_CASE("tasks lead to their keys after a restart, in whatever order the journal has them",
          "[journal]") {
  constexpr Seq kLast = 3'000;
  const auto key = [](Seq seq) { return "key " + std::to_string(seq); };
  SimDisk disk(1);
  {
    const auto directory = disk.open();
    Journal journal(*directory, small(1), "boot");
    auto durable = journal.take_recovered();
    for (Seq seq = 1; seq <= kLast; ++seq) {  // Snapshots are written among them.
      auto action = tasks(seq, 1);
      action.submit.key = key(seq);
      action.hash = std::string(32, 'h');
      durable.answers.add({action.submit.key, action.hash, {seq, 1}, {}});
      durable.last = seq;
      durable.settled.add(seq, seq);
      write(journal, {action, Forget{{{seq, seq}}}}, durable);
      journal.collect(durable.settled);
    }
  }
  const auto directory = disk.open();
  Journal journal(*directory, small(2), "boot");
  const auto durable = journal.take_recovered();
  Seq lost = 0;
  for (Seq seq = 1; seq <= kLast; ++seq) {
    const auto found = durable.answers.of_task(seq);
    lost += !found || found->key != key(seq);
  }
  REQUIRE(lost == 0);
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
      const Settlement::Range over{std::max<Seq>(2, first), first + 19};  // All but the first …
      if (first < 1981) durable.settled.add(over.first, over.last);       // … and the last ones.
      write(journal, {tasks(first, 20), first < 1981 ? Forget{{over}} : Forget{}}, durable);
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

TEST_CASE(
    "tasks that were accepted one after another are not taken for one another where they are moved",
    "[journal]") {
  SimDisk disk(1);
  const auto directory = disk.open();
  Journal journal(*directory, small(1), "boot");
  auto durable = journal.take_recovered();
  write(journal, {tasks(1, 2), tasks(3, 2)}, durable);
  for (Seq first = 5; first < 2000; first += 20) {
    durable.last = first + 19;
    durable.settled.add(first, first + 19);
    write(journal, {tasks(first, 20), Forget{{{first, first + 19}}}}, durable);
    journal.collect(durable.settled);
  }
  for (const auto& [seq, submitted] : {std::pair<Seq, std::int64_t>{1, 1001}, {3, 1003}}) {
    const auto specs = journal.specs(seq, 4);
    REQUIRE(specs.count == 2);
    REQUIRE(specs.submitted_unix_ms == submitted);
  }
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
        write(journal, {tasks(first, 20), Forget{{{std::max<Seq>(2, first), first + 19}}}},
              durable);
        journal.collect(durable.settled);
      }
      disk.cut_power(simulation::Damage::kDropped);
    }
    const auto directory = disk.open();
    Journal journal(*directory, small(2), "boot");
    REQUIRE(args_of(journal, 1) == body(1));
  }
}

TEST_CASE(
    "a journal is full when the next segment cannot be set aside, and what settles still fits",
    "[journal]") {
  SimDisk disk(1);
  const auto directory = disk.open();
  Journal journal(*directory, small(1), "boot");
  auto durable = journal.take_recovered();
  REQUIRE_FALSE(journal.is_full());
  disk.set_free_bytes(0);
  REQUIRE_FALSE(journal.is_full());  // This segment and the next one are there.
  Seq last = 0;
  while (!journal.is_full()) {
    write(journal, {tasks(last + 1, 4)}, durable);
    durable.last = last += 4;
    journal.collect(durable.settled);
  }
  REQUIRE(last > 40);
  for (Seq seq = 1; seq <= last; seq += 4) {
    durable.settled.add(seq, seq + 3);
    const JournalNote note{9, 1, {{seq, seq, 1, 4}}, true};
    write(journal, {note, Forget{{{seq, seq + 3}}}}, durable);
    journal.collect(durable.settled);
  }
  disk.set_free_bytes(1 << 20);
  journal.collect(durable.settled);
  REQUIRE_FALSE(journal.is_full());
}

TEST_CASE("tasks that wait among others that end cost no more than twice their bytes",
          "[journal]") {
  SimDisk disk(1);
  Durable durable;
  SeqRanges waiting;
  std::uint64_t live = 0;
  {
    const auto directory = disk.open();
    Journal journal(*directory, small(1), "boot");
    durable = journal.take_recovered();
    for (Seq first = 1; first < 8000; first += 10) {
      durable.last = first + 9;
      Forget over;
      for (auto seq = first; seq < first + 10; ++seq)
        if (seq % 10 == 3 || seq % 10 == 4) {  // Two of ten wait for ever.
          waiting.add(seq, seq);
          live += body(seq).size() + 40;
        } else {
          durable.settled.add(seq, seq);
          over.ranges.push_back({seq, seq});
        }
      write(journal, {tasks(first, 10), over}, durable);
      journal.collect(durable.settled);
      REQUIRE(journal.disk_bytes() < 2 * live + 12 * 8192);
    }
    while (journal.is_busy()) {
      write(journal, {}, durable);
      journal.collect(durable.settled);
    }
    for (const auto& [first, last] : waiting.ranges())
      for (auto seq = first; seq <= last; ++seq) REQUIRE(args_of(journal, seq) == body(seq));
  }
  const auto directory = disk.open();
  Journal journal(*directory, small(2), "boot");
  for (const auto& [first, last] : waiting.ranges())
    for (auto seq = first; seq <= last; ++seq) {
      REQUIRE(args_of(journal, seq) == body(seq));
      REQUIRE(journal.specs(seq, 1).submitted_unix_ms ==
              static_cast<std::int64_t>(1000 + (seq - 1) / 10 * 10 + 1));
    }
  durable.settled.add(1, 8000);  // And all of it goes in the end.
  write(journal, {Forget{{{1, 8000}}}}, durable);
  journal.collect(durable.settled);
  REQUIRE(journal.disk_bytes() < 5 * 8192);
}
