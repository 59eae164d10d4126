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
  const std::vector<std::string> names{
      "introduction",   "batch",    "discard", "run",    "segment", "checkpoint",
      "checkpoint_end", "origins",  "settled", "failed", "dead",    "cancelled",
      "runs",           "failures", "letters", "counts", "projects"};
  REQUIRE(records.size() == names.size());
  for (std::uint32_t type = 1; type <= names.size(); ++type)
    check_golden(names[type - 1] + ".log.hex", records[type]);
}
