#include "tests/unit/sink/history_rig.hpp"

using namespace eole;
using namespace eole::sink;
using namespace eole::sink::testing;

using Offsets = std::vector<std::int64_t>;

TEST_CASE("a batch that is longer than the time is gone through piece by piece", "[history]") {
  simulation::SimDisk disk(1);
  const Place place;
  Indexed indexed(disk, place);
  indexed.take({});
  protocol::Results results{7, ++indexed.numbers[7], 0, 5, "w1", kOrigin, {}};
  for (int i = 0; i < 5; ++i) {
    const auto body = Value(Value::Map{{"error", "broken" + std::to_string(i)}}).to_msgpack();
    protocol::ResultRecord result;
    result.id = {kOrigin, ++indexed.seq};
    result.lease = {1, indexed.seq};
    result.state = TaskState::kFailed;
    result.kind = "echo";
    result.body = body;
    put_result(results.payload, result);
  }
  Actions actions;
  indexed.log->core().on_event(ResultsReceived{results, {}, {}}, actions);
  indexed.log->write(actions, 0);
  CHECK(indexed.ask("history", {}, Duration(0))["as_of"] == 1);
  for (int i = 0; i < 4; ++i)
    CHECK(indexed.ask("history", {}, Duration(0))["as_of"] == 1);
  CHECK(indexed.ask("history", {}, Duration(0))["as_of"] == 6);
  CHECK(indexed.counted() == 6);
  for (int i = 0; i < 5; ++i)
    CHECK(indexed.all(Value::Map{{"text", "broken" + std::to_string(i)}}) == Offsets{i + 1});
}
