#include "common/protocol/value.hpp"
#include "sink/io/result_log.hpp"
#include "tests/simulation/sim_disk.hpp"
#include "tests/unit/golden.hpp"

using namespace eole;
using namespace eole::sink;

namespace {

protocol::ResultRecord letter(std::string_view body) {
  protocol::ResultRecord result;
  result.id = {123456, 42};
  result.lease = {2, 77};
  result.attempt = 5;
  result.state = protocol::TaskState::kDead;
  result.finished_unix_ms = 1'790'000'000'123;
  result.kind = "echo";
  result.project = "photos";
  result.body = body;
  return result;
}

}  // namespace

TEST_CASE("each record of the log and a segment of it are their golden bytes", "[records]") {
  simulation::SimDisk disk(1);
  {
    const auto directory = disk.open();
    ResultLog log(*directory, {.segment_bytes = 8192, .entropy = 1});
    const auto body = protocol::Value(protocol::Value::Map{{"error", "why"}}).to_msgpack();
    Actions actions;
    protocol::Introduce introduce{1, 123456, 2, 5, 42, 0, 1, {}};
    SeqRanges settled;
    settled.add(1, 40);
    log.core().on_event(IntroduceReceived{"peer", introduce, settled}, actions);
    protocol::Results results{7, 1, 0, 1, "w1", 123456, {}};
    protocol::put_result(results.payload, letter(body));
    log.core().on_event(ResultsReceived{results, {}, "key"}, actions);
    SeqRanges letters;
    letters.add(42, 42);
    actions.push_back(AppendDiscard{123456, letters});
    log.write(actions);
    log.rest();
  }
  const auto name = disk.names().front();
  auto segment = disk.content(name);
  segment.erase(segment.find_last_not_of('\0') + 1);  // What is reserved behind it is zeros.
  check_golden("log.segment.hex", segment);

  const auto directory = disk.open();
  std::map<LogRecord, std::string> records;
  storage::Store store(*directory, {.kind = storage::StoreKind::kLog, .entropy = 2},
                       [&](auto, std::uint32_t type, std::string_view payload) {
                         records[static_cast<LogRecord>(type)] = payload;
                       });
  REQUIRE(records.size() == 4);
  check_golden("introduction.log.hex", records[LogRecord::kIntroduction]);
  check_golden("run.log.hex", records[LogRecord::kRun]);
  check_golden("batch.log.hex", records[LogRecord::kBatch]);
  check_golden("discard.log.hex", records[LogRecord::kDiscard]);
}
