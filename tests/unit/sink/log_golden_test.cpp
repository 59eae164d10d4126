#include "common/protocol/value.hpp"
#include "sink/io/history.hpp"
#include "sink/io/result_log.hpp"
#include "tests/simulation/sim_disk.hpp"
#include "tests/unit/golden.hpp"

using namespace eole;
using namespace eole::sink;

namespace {

protocol::ResultRecord letter(Seq seq, std::string_view body) {
  protocol::ResultRecord result;
  result.id = {123456, seq};
  result.lease = {2, 35 + seq};
  result.attempt = 5;
  result.is_final = true;
  result.state = protocol::TaskState::kDead;
  result.finished_unix_ms = 1'790'000'000'123;
  result.kind = "echo";
  result.project = "photos";
  result.body = body;
  return result;
}

/// A type without a name here does not compile, one without a record below has no golden bytes.
const char* name_of(std::uint32_t type) {
  switch (static_cast<LogRecord>(type)) {
    case LogRecord::kIntroduction:
      return "introduction";
    case LogRecord::kBatch:
      return "batch";
    case LogRecord::kDiscard:
      return "discard";
    case LogRecord::kRun:
      return "run";
    case LogRecord::kSegment:
      return "segment";
    case LogRecord::kCheckpoint:
      return "checkpoint";
    case LogRecord::kCheckpointEnd:
      return "checkpoint_end";
    case LogRecord::kCommit:
      return "commit";
    case LogRecord::kShare:
      return "share";
  }
  switch (static_cast<Part>(type)) {
    case Part::kOrigins:
      return "origins";
    case Part::kSettled:
      return "settled";
    case Part::kFailed:
      return "failed";
    case Part::kDead:
      return "dead";
    case Part::kCancelled:
      return "cancelled";
    case Part::kRuns:
      return "runs";
    case Part::kFailures:
      return "failures";
    case Part::kLetters:
      return "letters";
    case Part::kCounts:
      return "counts";
    case Part::kProjects:
      return "projects";
    case Part::kGroups:
      return "groups";
    case Part::kEnd:
      break;
  }
  return nullptr;
}

/// A group of two partitions, a member by a key, what it commits, and another one that comes.
void read_as_group(Groups& groups, std::uint64_t log, Actions& out) {
  const TimePoint now(1000s);
  REQUIRE(*groups.create("readers", 2, 3, now, out));
  REQUIRE(groups.attend("peer", "key", {1, "readers", 8, "m1", 0, 0, {}}, log, 5, now, out));
  const auto cursors = protocol::encode_cursors({{0, 4}, {1, 5}});
  REQUIRE(groups.attend("peer", "key", {2, "readers", 8, "m1", 2, 0, cursors}, log, 5, now, out));
  const auto later = now + kShareEvery;
  REQUIRE(groups.attend("peer", "key2", {1, "readers", 9, "m2", 0, 0, {}}, log, 5, later, out));
}

}  // namespace

TEST_CASE("each record of the log and a segment of it are their golden bytes", "[records]") {
  constexpr std::int64_t kNow = 1'790'000'001'000;
  simulation::SimDisk disk(1);
  const auto open = [&](const auto& live) {
    const auto directory = disk.open();
    ResultLog log(*directory, {.segment_bytes = 8192, .entropy = 1}, kNow);
    live(log);
    History(*directory).take(log.take_news());  // It writes the pages of full segments.
  };
  open([](ResultLog& log) {
    const auto body = protocol::Value(protocol::Value::Map{{"error", "why"}}).to_msgpack();
    Actions actions;
    protocol::Introduce introduce{1, 123456, 2, 5, 46, 0, 1, {}};
    SeqRanges settled;
    settled.add(1, 40);
    log.core().on_event(IntroduceReceived{"peer", introduce, settled}, actions);
    protocol::Results results{7, 1, 0, 5, "w1", 123456, {}};
    protocol::put_result(results.payload, letter(42, body));
    protocol::put_result(results.payload, letter(43, body));
    auto failure = letter(44, body);
    failure.is_final = false;
    failure.state = protocol::TaskState::kFailed;
    protocol::put_result(results.payload, failure);
    auto failed = letter(45, body);
    failed.state = protocol::TaskState::kFailed;
    protocol::put_result(results.payload, failed);
    auto cancelled = letter(46, body);
    cancelled.state = protocol::TaskState::kCancelled;
    protocol::put_result(results.payload, cancelled);
    log.core().on_event(ResultsReceived{results, {}, "key"}, actions);
    SeqRanges letters;
    letters.add(42, 42);
    actions.push_back(AppendDiscard{123456, letters});
    read_as_group(log.core().groups(), log.core().log(), actions);
    log.write(actions, kNow);
    log.rest();
  });
  auto segment = disk.content("00000001.seg");
  segment.erase(segment.find_last_not_of('\0') + 1);  // What is reserved behind it is zeros.
  check_golden("log.segment.hex", segment);
  open([](ResultLog&) {});  // Its checkpoint has something to say.
  check_golden("log.pages.hex", disk.content("00000001.pages"));

  const auto directory = disk.open();
  std::map<std::uint32_t, std::string> records;
  storage::Store store(
      *directory, {.kind = storage::StoreKind::kLog, .entropy = 2},
      [&](auto, std::uint32_t type, std::string_view payload) { records[type] = payload; });
  for (std::uint32_t type = 0; type < 256; ++type) {
    const auto* name = name_of(type);
    INFO(type);
    REQUIRE(records.contains(type) == (name != nullptr));
    if (name != nullptr) check_golden(text(name, ".log.hex"), records[type]);
  }
}
