#include <catch2/catch.hpp>

#include "sink/io/history.hpp"
#include "sink/io/result_log.hpp"
#include "tests/simulation/sim_disk.hpp"

using namespace eole;
using namespace eole::sink;
using protocol::TaskState;

namespace {

constexpr Origin kOrigin = 5;
constexpr Origin kOther = 6;
constexpr std::uint64_t kSegmentBytes = 16384;

/// A log in small segments, and what is done to it.
struct Life {
  explicit Life(simulation::SimDisk& disk) : directory(disk.open()) { open(); }
  void open() {
    log.reset();
    reader.emplace(*directory);
    log.emplace(*directory,
                storage::StoreOptions{.segment_bytes = kSegmentBytes, .entropy = ++entropy}, 1000);
  }
  void introduce(Origin origin, Seq highest) {
    Actions actions;
    log->core().on_event(IntroduceReceived{"v", {1, origin, 1, 9, highest, 0, 1, {}}, {}}, actions);
    log->write(actions, 1000);
  }
  void take(Origin origin, Seq seq, TaskState state = TaskState::kDone, bool is_final = true) {
    protocol::Results results{origin, ++numbers[origin], 0, 1, "w1", origin, {}};
    protocol::ResultRecord result;
    result.id = {origin, seq};
    result.lease = {1, seq};
    result.state = state;
    result.is_final = is_final;
    result.finished_unix_ms = static_cast<std::int64_t>(seq);
    const std::string body(200, 'x');
    result.body = body;
    put_result(results.payload, result);
    Actions actions;
    log->core().on_event(ResultsReceived{results, {}, "key"}, actions);
    log->write(actions, 1000);
  }
  History& history() {
    reader->take(log->take_news());
    return *reader;
  }
  std::optional<History::Found> find(const TaskId& id) {
    return history().find(id, log->core().known(id));
  }
  void retain(const Retention& retention, std::uint64_t needed_from) {
    if (const auto segment = log->segment_to_drop(retention, needed_from, 1000, UINT64_MAX))
      log->drop(*segment, history().release(*segment));
  }
  std::uint32_t segments(simulation::SimDisk& disk) {
    auto names = disk.names();
    std::erase_if(names, [](const auto& name) { return !name.ends_with(".seg"); });
    return static_cast<std::uint32_t>(names.size());
  }
  std::unique_ptr<storage::Directory> directory;
  std::optional<ResultLog> log;
  std::optional<History> reader;
  std::map<Origin, std::uint64_t> numbers;
  std::uint64_t entropy = 0;
};

/// Of each sort something, early in a log of many segments.
void live_long(Life& life) {
  life.introduce(kOther, 100);
  life.take(kOther, 2, TaskState::kDead);
  life.take(kOther, 3, TaskState::kFailed);
  life.take(kOther, 4, TaskState::kDead);
  life.take(kOther, 5, TaskState::kFailed, false);
  life.take(kOther, 6, TaskState::kCancelled);
  SeqRanges letters;
  letters.add(4, 4);
  life.log->write({AppendDiscard{kOther, letters}}, 1000);
  life.introduce(kOrigin, 2000);
  for (Seq seq = 1; seq <= 400; ++seq) life.take(kOrigin, 2 * seq);
}

void check_all_known(const Life& life) {
  const auto& core = life.log->core();
  REQUIRE(core.head() == 405);
  REQUIRE(core.counts() == std::array<std::uint64_t, 5>{0, 400, 1, 2, 1});
  SeqRanges settled;
  settled.add(2, 4);
  settled.add(6, 6);
  REQUIRE(core.origins().settled(kOther) == settled);
  const auto& not_done = core.origins().not_done(kOther);
  REQUIRE(not_done.count() == 4);
  REQUIRE(not_done.state_of(2) == TaskState::kDead);
  REQUIRE(not_done.state_of(3) == TaskState::kFailed);
  REQUIRE(not_done.state_of(4) == TaskState::kDead);
  REQUIRE(not_done.state_of(6) == TaskState::kCancelled);
  REQUIRE(core.origins().settled(kOrigin).ranges().size() == 400);
  REQUIRE(core.origins().not_done(kOrigin).count() == 0);
  REQUIRE(core.origins().announced(kOther) == 100);
  REQUIRE_FALSE(core.origins().why_not_followed(kOther, 9));
  REQUIRE(core.runs().level(kOther, kOther) == 5);
  REQUIRE(core.runs().level(kOrigin, kOrigin) == 400);
  REQUIRE_FALSE(core.runs().may_use(kOther, "another key"));
  REQUIRE(core.letters().has({kOther, 2}));
  REQUIRE_FALSE(core.letters().has({kOther, 4}));
  REQUIRE(core.known({kOther, 5}).has_record);
  REQUIRE_FALSE(core.known({kOther, 7}).has_record);
}

}  // namespace

TEST_CASE("a start reads the last checkpoint and what lies behind it, no more", "[checkpoint]") {
  simulation::SimDisk disk(1);
  Life life(disk);
  live_long(life);
  check_all_known(life);
  REQUIRE(life.segments(disk) > 6);
  life.open();
  check_all_known(life);
  disk.flip_bit("00000002.seg", 4000);  // Who does not look there cannot know.
  life.open();
  check_all_known(life);
  REQUIRE_THROWS_WITH(life.find({kOrigin, 160}), Catch::Contains("damaged record"));
}

TEST_CASE("what lies before the checkpoint is found after a start", "[checkpoint]") {
  simulation::SimDisk disk(1);
  Life life(disk);
  live_long(life);
  const auto check = [&] {
    for (Seq seq = 1; seq <= 400; ++seq) {
      const auto found = life.find({kOrigin, 2 * seq});
      REQUIRE(found);
      REQUIRE(found->offset == seq + 4);
      REQUIRE_FALSE(life.find({kOrigin, 2 * seq - 1}));
    }
    REQUIRE(life.find({kOther, 5})->offset == 3);
    REQUIRE(life.history().offset_at(701) == 355);
    REQUIRE(life.log->kept_from() == 0);
    std::vector<std::uint64_t> letters;
    life.history().visit_dead(
        0,
        [&](const auto&, auto, std::uint64_t offset) {
          letters.push_back(offset);
          return true;
        },
        [] { return false; });
    REQUIRE(letters == std::vector<std::uint64_t>{0});
    protocol::Read read{0, 0, 0, 0, 4096};
    for (; read.offset < life.log->core().head();) {
      const auto records = life.history().read(read);
      REQUIRE(records);
      REQUIRE(records->next > read.offset);
      read.offset = records->next;
      read.crc = records->crc;
    }
    REQUIRE_FALSE(life.history().read({0, 0, 50, read.crc, 4096}));
  };
  check();
  life.open();
  check();
  // The files beside the segments are a copy: one is gone, one damaged, one another's.
  life.directory->remove("00000001.pages");
  disk.flip_bit("00000002.pages", 20);
  life.directory->rename("00000004.pages", "00000003.pages");
  life.open();
  check();
}

TEST_CASE("a checkpoint without its end is only superfluous", "[checkpoint]") {
  simulation::SimDisk disk(1);
  Life life(disk);
  live_long(life);
  Actions actions;
  SeqRanges scattered;  // Of more than a turn's share of a checkpoint: it takes some turns.
  for (Seq seq = 1; seq <= 200'000; ++seq) scattered.add(2 * seq, 2 * seq);
  life.log->core().on_event(IntroduceReceived{"v", {1, 77, 1, 9, 900'000, 0, 1, {}}, scattered},
                            actions);
  life.log->write(actions, 1000);
  for (int start = 0; start < 4; ++start) {
    life.open();
    life.log->write({}, 1000);
    check_all_known(life);
    REQUIRE(life.log->core().origins().settled(77) == scattered);
  }
}

TEST_CASE("what was cut off stays settled, and its letters leave the list", "[retention]") {
  simulation::SimDisk disk(1);
  Life life(disk);
  live_long(life);
  const Retention few{30, 9 * kSegmentBytes / 2};
  const auto before = life.segments(disk);
  life.retain(few, 0);
  REQUIRE(life.segments(disk) == before);  // All of it is needed.
  for (std::uint32_t i = 0; i < before; ++i) life.retain(few, 405);
  const auto check = [&] {
    const auto kept_from = life.log->kept_from();
    REQUIRE((kept_from > 200 && kept_from < 405));
    REQUIRE(life.log->disk_bytes() <= few.bytes);
    REQUIRE_FALSE(life.log->core().letters().has({kOther, 2}));  // Its record is gone.
    const auto& core = life.log->core();
    REQUIRE(core.head() == 405);
    REQUIRE(core.counts() == std::array<std::uint64_t, 5>{0, 400, 1, 2, 1});
    REQUIRE(core.origins().is_settled({kOther, 2}));
    const auto& not_done = core.origins().not_done(kOther);
    REQUIRE(not_done.count() == 4);
    REQUIRE(not_done.state_of(3) == TaskState::kFailed);
    REQUIRE(not_done.state_of(4) == TaskState::kDead);
    REQUIRE(not_done.state_of(6) == TaskState::kCancelled);
    REQUIRE_FALSE(life.find({kOrigin, 10}));
    REQUIRE(life.find({kOrigin, 800})->offset == 404);
    REQUIRE_FALSE(life.history().read({1, 0, kept_from - 1, 0, 4096}));
    REQUIRE(life.history().read({1, 0, kept_from, 0, 4096})->next > kept_from);
    REQUIRE(life.history().read(
        {1, 0, kept_from, 4711, 4096}));  // Nothing is known of what was before.
    REQUIRE(life.history().offset_at(0) == kept_from);
    const auto cut = life.history().follow({1, core.log(), kOrigin, 9, kept_from - 1});
    REQUIRE((cut->from == kept_from && cut->to == kept_from));
    REQUIRE(protocol::decode_settlement(cut->payload));  // A whole message, which its reader takes.
  };
  check();
  life.open();
  check();
  life.take(kOther, 2);  // A late copy of what is not kept any more.
  check();
}

TEST_CASE("a disk full of log is emptied of the oldest, and then says so", "[retention]") {
  simulation::SimDisk disk(1);
  Life life(disk);
  live_long(life);
  const Retention all{30, 1 << 30};
  life.retain(all, 405);
  const auto before = life.segments(disk);
  life.open();  // It has no spare segment.
  disk.set_free_bytes(0);
  for (std::uint32_t i = 0; i < 2 * before; ++i) life.retain(all, 405);
  REQUIRE(life.segments(disk) < before);
  REQUIRE_FALSE(life.log->is_full());  // The segment that it has is for what comes.
  Seq seq = 1;
  for (; !life.log->is_full(); seq += 2) {
    life.take(kOrigin, seq);
    life.retain(all, life.log->core().head());
    REQUIRE(seq < 1000);
  }
  REQUIRE(seq > 20);
  disk.set_free_bytes(1 << 20);
  life.retain(all, life.log->core().head());
  REQUIRE_FALSE(life.log->is_full());
}
