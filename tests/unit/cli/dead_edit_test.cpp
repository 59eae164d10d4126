#include "cli/dead_edit.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::cli;
using namespace eole::client;
using protocol::Value;

namespace {

TaskRequest task() {
  TaskRequest task;
  task.task_class.kind = "sleep";
  task.task_class.project = "photos";
  task.task_class.priority = 3;
  task.task_class.retry = 1;
  task.task_class.attempts_max = 2;
  task.task_class.backoff_ms = 250;
  task.task_class.retry_on = "exit:75,signal";
  task.task_class.timeout_ms = 90'000;
  task.task_class.needs = "gpu=a100";
  task.conditions.key = "account-7";
  protocol::put_parent(task.conditions.parents, {{5, 17}, 0, 1, ""});
  task.args = Value(Value::Map{{"seconds", 1.5}}).to_msgpack();
  return task;
}

bool is_same(const TaskRequest& one, const TaskRequest& other) {
  return one.task_class == other.task_class && one.conditions == other.conditions &&
         one.args == other.args;
}

}  // namespace

TEST_CASE("a task's words say it again, and what they do not show stays", "[cli]") {
  const auto read = task_of_spec(spec_of_task(task()));
  REQUIRE(read);
  CHECK(is_same(*read, task()));
  const auto words = Value::from_json(words_of(*read).to_json());
  REQUIRE(words);
  const auto again = reworded(*read, *words);
  REQUIRE(again);
  CHECK(is_same(*again, task()));
  CHECK(
      words->to_json() ==
      R"({"kind":"sleep","args":{"seconds":1.5},"project":"photos","priority":3,"key":"account-7",)"
      R"("needs":"gpu=a100",)"
      R"("timeout":"90s","retry":{"attempts":2,"backoff":"0.25s","on":"exit:75,signal"}})");
}

TEST_CASE("a replay's words and arguments are set by name", "[cli]") {
  auto words = words_of(task());
  REQUIRE(set_words(words, {"args.seconds=2", "priority=9", "project=others", "retry=false"}));
  const auto other = reworded(task(), words);
  REQUIRE(other);
  CHECK(other->task_class.priority == 9);
  CHECK(other->task_class.project == "others");
  CHECK(other->task_class.retry == 0);
  CHECK((*Value::from_msgpack(other->args))["seconds"].int_or(0) == 2);
  REQUIRE(set_words(words, {"args.deep.er=a=b"}));
  CHECK(words["args"]["deep"]["er"].text_or("") == "a=b");
}

TEST_CASE("where a replay runs is said anew, or not at all", "[cli]") {
  auto own = task();
  own.task_class.place = "pin=w1";
  own.task_class.on_parent_failure = 2;
  auto words = words_of(own);
  CHECK(words["pin"].text_or("") == "w1");
  CHECK(words["on_parent_failure"].text_or("") == "run");
  REQUIRE(set_words(words, {"pin=w2"}));
  const auto moved = reworded(own, words);
  REQUIRE(moved);
  CHECK(moved->task_class.place == "pin=w2");
  const auto bare = reworded(own, Value::Map{{"kind", "sleep"}, {"args", words["args"]}});
  REQUIRE(bare);
  CHECK(bare->task_class == protocol::TaskClass{"sleep"});
}

TEST_CASE("what makes no task is refused by name", "[cli]") {
  auto words = words_of(task());
  CHECK(set_words(words, {"priority"}).error().message ==
        "--set priority: is NAME=VALUE, like priority=5 or args.timeout=60");
  const auto why = [&](const std::string& setting) {
    auto set = words_of(task());
    REQUIRE(set_words(set, {setting}));
    return reworded(task(), set).error().message;
  };
  CHECK(why("prioriti=5") == "prioriti: not a word of a task; did you mean priority?");
  CHECK(why("priority=10") == "priority: 10 is no whole number from 0 to 9");
  CHECK(why("args.seconds=soon").find("seconds must be a number") != std::string::npos);
  CHECK(why("after=k3f9qz-1") == "after: cannot be said of a replay");
}

TEST_CASE("bytes among a task's arguments outlive an edit of other words", "[cli]") {
  auto own = task();
  own.task_class.kind = "own";
  own.args = Value(Value::Map{{"data", protocol::Blob{"\xff\x01"}}}).to_msgpack();
  auto words = *Value::from_json(words_of(own).to_json());
  words.set("priority", std::uint32_t{1});
  const auto other = reworded(own, words);
  REQUIRE(other);
  CHECK(other->args == own.args);
}
