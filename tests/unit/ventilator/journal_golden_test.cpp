#include <map>

#include "tests/simulation/sim_disk.hpp"
#include "tests/unit/golden.hpp"
#include "ventilator/io/journal.hpp"

using namespace eole;
using namespace eole::ventilator;
using simulation::SimDisk;

namespace {

/// One of each: what is in it is the same in every test run.
JournalTasks tasks() {
  JournalTasks action{41, "hash of two tasks", {}, 1'790'000'000'123};
  action.submit.run = 7;
  action.submit.request = 3;
  action.submit.confirmed = 2;
  action.submit.key = "nightly";
  action.submit.count = 2;
  protocol::TaskGroups groups;
  groups.add({"echo", "photos", 9, 1}, "\x81\xa1n\x01");
  groups.add({"echo", "photos", 9, 1}, "\x81\xa1n\x02");
  action.submit.payload = groups.take();
  return action;
}

/// What a schedule is, and its first beat.
const JournalWish kScheduled{
    "schedule", "nightly",
    protocol::Value(protocol::Value::Map{{"every_ms", 60'000}}).to_msgpack()};
JournalTasks beat() {
  JournalTasks action{43, "", {}, 1'790'000'060'123, "nightly", 1'790'000'060'000};
  protocol::TaskGroups groups;
  groups.add({"echo", "photos", 9, 1}, "\x81\xa1n\x03");
  action.submit.count = 1;
  action.submit.payload = groups.take();
  return action;
}

Durable durable() {
  Durable durable;
  durable.settled.add(1, 39);
  durable.notes.put(41, {9, {2, 77}, 1, 2});
  durable.cancelled.insert(42);
  durable.lost.add(40, 40);
  durable.answers.add(7, 1, 0, {40, 1}, {});
  durable.answers.add({"nightly", "hash of two tasks", {41, 2}, {}});
  durable.wishes.put("pause", "project:photos", "\xc3");
  durable.projects.put("photos", {true, true, false, 38, 3, 2, 41, "a task", 43});
  return durable;
}

void write(Journal& journal, Actions actions) {
  journal.write(actions, [](SavePlace& place) {
    return save_next(place, [](SavePlace& at, Bytes& out) { durable().save(at, out); });
  });
}

}  // namespace

TEST_CASE("each record of the journal and a segment of it are their golden bytes", "[records]") {
  SimDisk disk(1);
  {
    const auto directory = disk.open();
    Journal journal(*directory, {.segment_bytes = 8192, .entropy = 123456ULL << 34}, "boot");
    write(journal,
          {tasks(), JournalNote{9, 2, {{41, 77, 1, 2}}, true}, JournalCancel{42}, kScheduled,
           beat(), JournalWish{"pause", "project:photos", "\xc3"},
           JournalProject{durable().projects.record("photos")}, Forget{{{1, 39}}}});
    journal.rest();
  }
  auto segment = disk.content("00000001.seg");
  segment.erase(segment.find_last_not_of('\0') + 1);  // What is reserved behind it is zeros.
  check_golden("journal.segment.hex", segment);

  std::map<std::uint32_t, Bytes> records;
  const auto directory = disk.open();
  const storage::Store store(
      *directory, {.entropy = 2},
      [&](auto, std::uint32_t type, std::string_view payload) { records[type] = payload; });
  const std::pair<JournalRecord, const char*> own[]{{JournalRecord::kTasks, "tasks"},
                                                    {JournalRecord::kBeat, "beat"},
                                                    {JournalRecord::kStart, "start"},
                                                    {JournalRecord::kSnapshot, "snapshot"},
                                                    {JournalRecord::kSnapshotEnd, "snapshot_end"}};
  for (const auto& [record, name] : own)
    check_golden(text(name, ".journal.hex"), records.at(static_cast<std::uint32_t>(record)));
  const auto groups = tasks().submit.payload;
  const MovedRecord moved{41, {1'790'000'000'123, 1'790'000'000'456}, groups};
  check_golden("moved.journal.hex", encode(moved));
  SavePlace place;
  for (const auto* name :
       {"settled", "notes", "cancelled", "lost", "requests", "keys", "wishes", "projects"}) {
    const auto part = save_next(place, [](SavePlace& at, Bytes& out) { durable().save(at, out); });
    REQUIRE(part);
    check_golden(text(name, ".journal.hex"), part->payload);
    const auto found = records.find(static_cast<std::uint32_t>(part->part));
    if (found != records.end()) REQUIRE(found->second == part->payload);  // News and snapshots.
  }
  REQUIRE_FALSE(save_next(place, [](SavePlace& at, Bytes& out) { durable().save(at, out); }));
}

TEST_CASE("a journal opens a golden segment, and knows all that is in it", "[records]") {
  std::ifstream file(text(EOLE_GOLDEN_DIR, "/journal.segment.hex"));
  std::string digits;
  std::getline(file, digits);
  Bytes segment;
  for (std::size_t at = 0; at + 1 < digits.size(); at += 2)
    segment.push_back(static_cast<char>(std::stoi(digits.substr(at, 2), nullptr, 16)));
  segment.resize(8192);
  SimDisk disk(1);
  const auto directory = disk.open();
  directory->create("00000001.seg")->write(0, segment);
  Journal journal(*directory, {.segment_bytes = 8192, .entropy = 5ULL << 34}, "boot");
  const auto found = journal.take_recovered();
  REQUIRE(found.origin == 123456);
  REQUIRE(found.start == 2);
  REQUIRE(found.last == 43);
  REQUIRE(found.settled == durable().settled);
  REQUIRE(found.notes == durable().notes);
  REQUIRE(found.cancelled == durable().cancelled);
  REQUIRE(found.classes.at(found.classes.of(42)) == protocol::TaskClass{"echo", "photos", 9, 1});
  std::vector<std::string> paused;
  found.wishes.each("pause", [&](const std::string& about, auto) { paused.push_back(about); });
  REQUIRE(paused == std::vector<std::string>{"project:photos"});
  const auto* scheduled = found.wishes.find("schedule", "nightly");
  REQUIRE(scheduled != nullptr);
  REQUIRE(*scheduled == Schedules::advanced(kScheduled.value, beat().beat));
  REQUIRE(*found.projects.find("photos") == *durable().projects.find("photos"));
  REQUIRE(found.answers.find("nightly")->answered == Answered{41, 2});
  REQUIRE(journal.specs(43, 1).count == 1);
  REQUIRE(journal.specs(41, 2).count == 2);
  REQUIRE(journal.specs(42, 1).submitted_unix_ms == 1'790'000'000'123);
}
