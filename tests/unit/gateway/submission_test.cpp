#include "gateway/core/submission.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"
#include "common/protocol/records.hpp"

using namespace eole;
using namespace eole::gateway;

// Bodies that are tasks.

namespace {

/// Where a body is wrong, as "pointer detail".
std::vector<std::string> wrong(const std::string& body) {
  try {
    read_json_tasks(body);
  } catch (const http::Problem& problem) {
    std::vector<std::string> out;
    for (const auto& error : problem.errors) out.push_back(error.pointer + " " + error.detail);
    return out;
  }
  return {};
}

std::uint32_t lines_in(std::string body, std::size_t piece) {
  LineTasks lines;
  std::uint32_t count = 0;
  while (!body.empty()) {
    const auto some = body.substr(0, piece);
    for (std::string_view rest = some; !rest.empty();) {
      rest.remove_prefix(lines.feed(rest));
      if (lines.is_full()) count += lines.take().count;
    }
    body.erase(0, piece);
  }
  lines.finish();
  return count + lines.take().count;
}

}  // namespace

TEST_CASE("a body is one task or an array of them", "[gateway]") {
  REQUIRE(read_json_tasks(R"({"kind": "echo"})").count == 1);
  REQUIRE(read_json_tasks(R"([{"kind": "echo", "name": "a"}, {"kind": "echo", "after": ["a"]}])")
              .count == 2);
}

TEST_CASE("what is wrong in a body is pointed at", "[gateway]") {
  REQUIRE(wrong("[{\"kind\": \"echo\"}, {}]") == std::vector<std::string>{"/1 kind is missing"});
  REQUIRE(wrong("[1, {\"kind\": \"echo\"}, 2]") ==
          std::vector<std::string>{"/0 not an object", "/2 not an object"});
  REQUIRE(wrong("[]") == std::vector<std::string>{" an array without a task"});
  REQUIRE(wrong("{").size() == 1);
  const auto pointer = [](const std::string& body) {
    const auto said = wrong(body).at(0);
    return said.substr(0, said.find(' '));
  };
  for (const auto& [task, at] : std::initializer_list<std::pair<const char*, const char*>>{
           {R"({"kind": 1})", "/kind"},
           {R"({"kind": "download", "args": {"url": 5}})", "/args/url"},
           {R"({"kind": "download", "args": {"url": "gopher://x"}})", "/args/url"},
           {R"({"kind": "download", "args": {"a/b~": 5, "url": "http://x"}})", "/args/a~1b~0"},
           {R"({"kind": "download", "args": {}})", "/args"},
           {R"({"kind": "download"})", ""},
           {R"({"kind": "exec", "args": {"argv": ["a"], "shell": "b"}})", "/args"},
           {R"({"kind": "echo", "priority": 10})", "/priority"},
           {R"({"kind": "echo", "prioriti": 1})", "/prioriti"},
           {R"({"kind": "echo", "retry": {"backoff": 1, "on": "exit:0"}})", "/retry/on"},
           {R"({"kind": "echo", "needs": {"gpu": "a", "mem": "lots"}})", "/needs/mem"},
           {R"({"kind": "echo", "needs": ["gpu=a", "mem"]})", "/needs/1"},
           {R"({"kind": "echo", "after": ["a", 1]})", "/after/1"},
           {R"({"kind": "echo", "after": ["project:p", "b"]})", "/after/1"},
           {R"({"kind": "echo", "after": "b"})", "/after"},
           {R"({"kind": "echo", "args": [{"$result": "b"}]})", "/args"}}) {
    INFO(task);
    CHECK(pointer(task) == at);
    CHECK(pointer(text("[{\"kind\": \"echo\"}, ", task, "]")) == (text("/1", at)));
  }
  CHECK(pointer(text("{\"kind\": \"echo\", \"key\": \"", std::string(256, 'k'), "\"}")) == "/key");
  CHECK(pointer(R"([{"kind": "echo", "name": "a"}, {"kind": "echo", "name": "a"}])") == "/1/name");
}

TEST_CASE("a body that is no JSON is refused as a whole, whatever its tasks are", "[gateway]") {
  REQUIRE(wrong("[{\"kind\": 1}, {") == std::vector<std::string>{" not valid JSON at byte 16"});
  REQUIRE(wrong("{\"kind\": \"echo\"} {}") ==
          std::vector<std::string>{" not valid JSON at byte 18"});
  REQUIRE(wrong("{\"kindly\": 1, \"kind\": \"echo\"}").size() == 1);
  std::string many = "[";
  for (std::uint32_t i = 0; i <= protocol::kTasksPerMessageMax; ++i) many += "{},";
  many.back() = ']';
  REQUIRE(wrong(many) == std::vector<std::string>{
                             " 65537 tasks, limit 65536 (send more as application/x-ndjson)"});
}

TEST_CASE("lines are tasks, however they are cut", "[gateway]") {
  std::string body = "\n{\"kind\": \"echo\"}\r\n\n{\"kind\": \"echo\"}";
  for (const std::size_t piece : {1, 2, 3, 7, 100}) REQUIRE(lines_in(body, piece) == 2);
  std::string many;
  for (std::uint32_t i = 0; i < LineTasks::kBatchTasksMax + 10; ++i)
    many += "{\"kind\":\"echo\"}\n";
  REQUIRE(lines_in(many, many.size()) == LineTasks::kBatchTasksMax + 10);
}

TEST_CASE("behind many bad lines none is read", "[gateway]") {
  LineTasks lines;
  const std::string bad = "x\n";
  std::size_t fed = 0;
  while (!lines.is_full()) fed += lines.feed(bad);
  REQUIRE(fed == LineTasks::kBadMax * bad.size());
  REQUIRE_THROWS_AS(lines.take(), http::Problem);
}

TEST_CASE("many references to what comes later are told without a walk for each", "[gateway]") {
  std::string body;
  for (int i = 0; i < 20'000; ++i)
    body += text(R"({"kind":"echo","name":")", i, R"(","after":[")", i + 1, "\"]}\n");
  LineTasks lines;
  lines.feed(body);
  try {
    lines.take();
    FAIL("was taken");
  } catch (const http::Problem& problem) {
    REQUIRE(problem.errors.size() == LineTasks::kBadMax);
    REQUIRE(problem.errors[0].detail == "after 1: comes later; put that task before this");
  }
}

TEST_CASE("a bad line is told by its number", "[gateway]") {
  LineTasks lines;
  lines.feed("{\"kind\": \"echo\"}\n\n{\"kind\": \"sleep\", \"args\": {\"seconds\": -1}}\n");
  try {
    lines.take();
    FAIL("was taken");
  } catch (const http::Problem& problem) {
    REQUIRE(problem.errors.size() == 1);
    REQUIRE(problem.errors[0].pointer == "/2/args/seconds");
  }
}
