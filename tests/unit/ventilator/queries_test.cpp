#include "ventilator/io/queries.hpp"

#include <catch2/catch.hpp>

#include "common/protocol/records.hpp"
#include "tests/simulation/sim_disk.hpp"
#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;
using protocol::Value;

namespace {

struct Asked {
  simulation::SimDisk disk{1};
  std::unique_ptr<storage::Directory> directory = disk.open();
  Journal journal{*directory, {.entropy = std::uint64_t{kOrigin} << 34}, "boot"};
  Rig rig;

  void submit(const std::vector<std::string>& projects, const std::string& key = "") {
    protocol::TaskGroups groups;
    for (const auto& project : projects) groups.add({"echo", project, 0, 0}, "\x80");
    const auto count = groups.count();
    const protocol::Submit submit{7, ++requests, 0, key, count, groups.take()};
    journal.write(rig.step(Submitted{"client", submit, key, false, 1234}),
                  [&](auto& place) { return rig.core.save(place); });
  }
  Value ask(const std::string& what, const Value& options, TaskId id = {}) {
    const auto answer =
        answer_to({1, what, id.origin, id.seq, options.to_msgpack()}, rig.core, journal, 1h);
    REQUIRE(answer);
    return *answer;
  }
  static std::vector<std::string> ids(const Value& page) {
    std::vector<std::string> found;
    for (const auto& task : *page["tasks"].as<Value::Array>())
      found.push_back(task["id"].text_or("").substr(7));
    return found;
  }
  std::uint64_t requests = 0;
};

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("the tasks that are not settled are listed by project, state and page", "[queries]") {
  Asked asked;
  asked.submit({"a", "b", "a", "a"});
  asked.submit({"a"});
  asked.rig.worker(1, 2, "echo");
  asked.rig.settle({1});
  REQUIRE(Asked::ids(asked.ask("tasks", Value::Map{})) == Ids{"2", "3", "4", "5"});
  REQUIRE(Asked::ids(asked.ask("tasks", Value::Map{{"project", "a"}})) == Ids{"3", "4", "5"});
  REQUIRE(Asked::ids(asked.ask("tasks", Value::Map{{"state", "running"}})) == Ids{"2"});
  REQUIRE(Asked::ids(asked.ask("tasks", Value::Map{{"worker", "w1"}})) == Ids{"2"});
  REQUIRE(asked.ask("tasks", Value::Map{{"kind", "sleep"}})["next"].is_null());
  const auto page = asked.ask("tasks", Value::Map{{"most", 2}, {"state", "queued"}});
  REQUIRE(Asked::ids(page) == Ids{"3", "4"});
  REQUIRE(page["next"].int_or(0) == 4);
  const auto& task = (*page["tasks"].as<Value::Array>())[0];
  REQUIRE(task["submitted"].int_or(0) == 1234);
  REQUIRE(Asked::ids(asked.ask("tasks", Value::Map{{"after", 4}})) == Ids{"5"});
}

TEST_CASE("a submit with a key is told by its tasks, settled or not, and by the key", "[queries]") {
  Asked asked;
  asked.submit({"a"});
  asked.submit({"a", "b"}, "nightly");
  asked.submit({"b"}, "replay-of:k3f9qz-1");
  asked.rig.worker(1, 2, "echo");
  asked.rig.settle({3});
  const auto of_task = [&](Seq seq, Origin origin = kOrigin) {
    return asked.ask("submission", Value(), {origin, seq});
  };
  const auto id = [](Seq seq) { return to_text(TaskId{kOrigin, seq}); };
  const Value nightly = Value::Map{{"key", "nightly"}, {"first", id(2)}, {"count", 2}};
  REQUIRE(of_task(2) == nightly);
  REQUIRE(of_task(3) == nightly);
  REQUIRE(asked.ask("submission", Value::Map{{"key", "nightly"}}) == nightly);
  REQUIRE(asked.ask("submission", Value::Map{{"key", "nightly"}, {"project", "a"}}) == nightly);
  REQUIRE(of_task(4)["key"].text_or("") == "replay-of:k3f9qz-1");
  for (const auto& nothing : {of_task(1), of_task(5), of_task(0), of_task(2, kOrigin + 1),
                              asked.ask("submission", Value::Map{{"key", "daily"}})})
    REQUIRE(nothing.is_null());
}

TEST_CASE("a question that makes no sense is refused by name", "[queries]") {
  Asked asked;
  const auto refusal = [&](const std::string& what, const Value& options) {
    return answer_to({1, what, 0, 0, options.to_msgpack()}, asked.rig.core, asked.journal)
        .error()
        .message;
  };
  REQUIRE(refusal("weather", Value::Map{}) == "query weather: not known");
  REQUIRE(refusal("tasks", Value::Map{{"state", "lost"}}) ==
          "tasks: state lost: is queued, waiting, running or cancelling");
  REQUIRE(refusal("tasks", Value::Map{{"state", "queued,"}}) ==
          "tasks: state queued,: is queued, waiting, running or cancelling");
  REQUIRE(refusal("tasks", Value::Map{{"most", 5000}}) == "tasks: most 5000, limits 1 and 1000");
  REQUIRE_FALSE(answer_to({1, "tasks", 0, 0, "\xc1"}, asked.rig.core, asked.journal));
  const protocol::Query large{1, "submission", 0, 0,
                              Value(Value::Map{{"key", std::string(70'000, 'k')}}).to_msgpack()};
  REQUIRE(answer_to(large, asked.rig.core, asked.journal, 1h).error().message ==
          "query submission: 70010 bytes of options, limit 65536");
}
