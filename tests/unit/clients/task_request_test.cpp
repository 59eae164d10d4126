#include "clients/cpp/tasks/task_request.hpp"

#include <catch2/catch.hpp>
#include <sstream>

#include "common/base/text.hpp"
#include "common/kinds/offered.hpp"
#include "common/protocol/value.hpp"

using namespace eole;
using client::TaskRequest;
using protocol::Value;

namespace {

std::vector<TaskRequest> read(const std::string& lines) {
  std::istringstream input(lines);
  auto tasks = client::read_tasks(input, {});
  INFO((tasks ? "" : tasks.error().message));
  REQUIRE(tasks);
  return *tasks;
}
TaskRequest one(const std::string& words) { return read(R"({"kind":"echo",)" + words + "}")[0]; }
std::string refusal(const std::string& lines) {
  std::istringstream input(lines);
  const auto refused = client::read_tasks(input, {}).error().message;
  std::istringstream again(lines);
  REQUIRE(client::TaskLines::read(again, {}).error().message == refused);
  return refused;
}
std::string refused_word(const std::string& words) {
  return refusal(R"({"kind":"echo",)" + words + "}");
}

}  // namespace

TEST_CASE("the words of a task say when it runs", "[cli]") {
  REQUIRE(one(R"("priority":9)").task_class.priority == 9);
  REQUIRE(one(R"("delay":1.5)").conditions.delay_ms == 1500);
  REQUIRE(one(R"("delay":"2h")").conditions.delay_ms == 7'200'000);
  REQUIRE(one(R"("not_before":"2027-01-15T08:00:00Z")").conditions.not_before_unix_ms ==
          1'800'000'000'000);
  REQUIRE(one(R"("not_before":1800000000)").conditions.not_before_unix_ms == 1'800'000'000'000);
  REQUIRE(one(R"("not_before":3)").conditions.delay_ms == 3000);
  REQUIRE(one(R"("expires":"5m")").conditions.expires_in_ms == 300'000);
  REQUIRE(one(R"("expires":"2027-01-15T08:00:00Z")").conditions.expires_unix_ms ==
          1'800'000'000'000);
  REQUIRE(one(R"("key":"account 7")").conditions.key == "account 7");
  REQUIRE(one(R"("on_parent_failure":"skip")").task_class.on_parent_failure == 1);
}

TEST_CASE("a bad word is told by its name, with what it may be", "[cli]") {
  REQUIRE(refused_word(R"("priority":10)") ==
          "line 1: priority: 10 is no whole number from 0 to 9");
  REQUIRE(refused_word(R"("priority":"5")") ==
          "line 1: priority: \"5\" is no whole number from 0 to 9");
  REQUIRE(refused_word(R"("delay":-1)") ==
          R"(line 1: delay: must be seconds, or a text like "90s", "1.5h", "2d")");
  REQUIRE(refused_word(R"("expires":0)") == "line 1: expires: must be in the future");
  REQUIRE(refused_word(R"("key":7)") == "line 1: key: must be a text");
  REQUIRE(refused_word(R"("key":")" + std::string(256, 'k') + "\"") ==
          "line 1: key of 256 bytes, limit 255");
  REQUIRE(refused_word(R"("after":7)") ==
          "line 1: after: must be names, ids or project:NAME, as texts");
  REQUIRE(refused_word(R"("on_parent_failure":"stop")") ==
          "line 1: on_parent_failure: must be fail, skip or run");
  REQUIRE(refused_word(R"("prioriti":1)") ==
          "line 1: prioriti: not a word of a task; did you mean priority?");
}

TEST_CASE("tasks of a file wait for those before them, for ids and for projects", "[cli]") {
  const auto tasks = read(R"({"kind":"echo","name":"a"}
{"kind":"echo","name":"b"}

{"kind":"echo","after":["b","a","k3f9qz-17","project:photos"]})");
  REQUIRE(tasks[2].after.size() == 4);
  REQUIRE(tasks[2].after[0].index == 1);
  REQUIRE(tasks[2].after[1].index == 0);
  REQUIRE(tasks[2].after[2].id == *parse_task_id("k3f9qz-17"));
  REQUIRE(tasks[2].after[3].project == "photos");
}

TEST_CASE("what stands for a project's parts is checked where they are", "[cli]") {
  REQUIRE(read(R"({"kind":"exec","args":{"argv":["./merge",{"$parts":true}]}})").size() == 1);
  REQUIRE(refusal(R"({"kind":"exec","args":{"argv":["./merge",{"parts":true}]}})")
              .starts_with("line 1: exec: argv must be a list of texts or bytes"));
}

TEST_CASE("a parent that is not there is told by name, a cycle too", "[cli]") {
  REQUIRE(refused_word(R"("after":"nobody")") ==
          "line 1: after nobody: no task of that name, and no id");
  REQUIRE(refused_word(R"("name":"a","after":"a")") ==
          "line 1: after a: a task cannot wait for itself");
  REQUIRE(refusal(R"({"kind":"echo","name":"a","after":"b"}
{"kind":"echo","name":"b"})") == "line 1: after b: comes later; put that task before this");
  REQUIRE(refusal(R"({"kind":"echo","name":"a","after":"c"}
{"kind":"echo","name":"b","after":"a"}
{"kind":"echo","name":"c","after":"b"})") ==
          "line 1: after c: a cycle, that task waits for this one");
  REQUIRE(refusal(R"({"kind":"echo","name":"a"}
{"kind":"echo","name":"a"})") == "line 2: name a: another task has it");
  REQUIRE(refused_word(R"("after":"project:")") ==
          "line 1: after project:: a project has 1 to 255 bytes");
}

TEST_CASE("what a runner tells of its kind is looked for by place, too", "[cli]") {
  const auto offered = kinds::OfferedKinds(*Value::from_json(
      R"([{"name":"shop.add","arguments":[{"name":"a","type":"integer","needed":true},
          {"name":"b","type":"integer","default":"1"}]}])"));
  const auto refused = [&](const std::string& args, bool is_filled = false) {
    TaskRequest task;
    task.task_class.kind = "shop.add";
    task.args = Value::from_json(args)->to_msgpack();
    task.offered = &offered;
    task.is_filled = is_filled;
    const auto checked = check(task);
    return checked ? "" : checked.error().message;
  };
  for (const auto* good : {"[1]", "[1,2]", R"({"$args":[1],"b":2})", R"({"a":1})", R"({"$each":[[1]]})",
                           R"([{"$type":"int","value":"0x1"}])"})
    REQUIRE(refused(good).empty());
  REQUIRE(refused("[]") == "shop.add: a is missing (a whole number)");
  REQUIRE(refused("[1,2,3]") == "shop.add: 3 arguments by place, it takes 2");
  REQUIRE(refused(R"(["x"])") == "shop.add: a must be a whole number, not \"x\"");
  REQUIRE(refused(R"({"$args":[1],"a":2})") == "shop.add: a is there twice");
  REQUIRE(refused("7") == "shop.add: its arguments must be a map of names and values");
  REQUIRE(refused(R"({"a":"$value.n"})") == "shop.add: a must be a whole number, not \"$value.n\"");
  REQUIRE(refused(R"({"a":"$value.n"})", true).empty());
  REQUIRE(refused(R"({"a":"$value.n","b":"x"})", true) ==
          "shop.add: b must be a whole number, not \"x\"");
}

TEST_CASE("a result that is taken is waited for, and named by its place", "[cli]") {
  const auto tasks = read(R"({"kind":"echo","name":"a"}
{"kind":"echo","name":"b"}
{"kind":"sleep","after":["a"],"args":{"seconds":{"$result":"b","path":"n.0"},"more":[{"$result":"a"}]}})");
  REQUIRE(tasks[2].has_references);
  REQUIRE(tasks[2].after.size() == 2);
  REQUIRE(tasks[2].after[1].index == 1);
  REQUIRE(Value::from_msgpack(tasks[2].args)->to_json() ==
          R"({"seconds":{"$result":1,"path":"n.0"},"more":[{"$result":0}]})");
  REQUIRE(refused_word(R"("args":{"x":{"$result":"no"}})") ==
          "line 1: after no: no task of that name, and no id");
}

TEST_CASE("tasks of lines are made anew in their order, as if all were read at once", "[cli]") {
  const std::string written =
      "{\"name\":\"a\",\"kind\":\"echo\",\"args\":1}\n\n"
      "{\"name\":\"b\",\"kind\":\"echo\",\"args\":{\"$result\":\"a\"}}\n"
      "{\"kind\":\"echo\",\"after\":[\"b\",\"a\",\"k3f9qz-7\"]}";
  std::istringstream input(written);
  const auto lines = client::TaskLines::read(input, {});
  REQUIRE(lines);
  REQUIRE(lines->size() == 3);
  const auto all = read(written);
  for (int round = 0; round < 2; ++round) {
    std::size_t at = 0;
    REQUIRE(lines->each([&](const TaskRequest& task) {
      const auto& same = all[at++];
      CHECK((task.name == same.name && task.args == same.args && task.line == same.line));
      CHECK(task.has_references == same.has_references);
      REQUIRE(task.after.size() == same.after.size());
      for (std::size_t i = 0; i < task.after.size(); ++i)
        CHECK((task.after[i].index == same.after[i].index && task.after[i].id == same.after[i].id));
      return Expected<void>();
    }));
    REQUIRE(at == 3);
  }
  std::size_t told = 0;
  const auto ended = lines->each([&](const TaskRequest&) -> Expected<void> {
    if (++told == 2) return Error{"enough"};
    return {};
  });
  REQUIRE((told == 2 && ended.error().message == "enough"));
}

TEST_CASE("a name that stands below is no id, and a late one is told", "[cli]") {
  REQUIRE(refusal("{\"kind\":\"echo\",\"after\":\"k3f9qz-7\"}\n"
                  "{\"kind\":\"echo\",\"name\":\"k3f9qz-7\"}") ==
          "line 1: after k3f9qz-7: comes later; put that task before this");
}

TEST_CASE("whoever waits for too many tasks that are no neighbours is refused before any is sent",
          "[cli]") {
  std::string lines;
  std::string all;
  std::string some;
  for (int i = 0; i < 2'100; ++i) {
    const auto name = text("\"n", i, "\"");
    lines += text("{\"kind\":\"echo\",\"name\":", name, "}\n");
    all += text(all.empty() ? "" : ",", name);
    if (i % 2 == 0) some += text(some.empty() ? "" : ",", name);
  }
  REQUIRE(read(text(lines, "{\"kind\":\"echo\",\"after\":[", all, "]}")).size() == 2'101);
  REQUIRE(refusal(text(lines, "{\"kind\":\"echo\",\"after\":[", some, "]}")) ==
          "line 2101: after: 1050 stretches of tasks, limit 1024 (a project may have more)");
}
