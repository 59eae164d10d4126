#include "worker/runners/references.hpp"

#include <catch2/catch.hpp>
#include <functional>

#include "common/base/text.hpp"
#include "common/protocol/records.hpp"

using namespace eole;
using namespace eole::worker;
using protocol::Parent;
using protocol::Value;

namespace {

constexpr Origin kOrigin = 5;
const TaskId kOwn{kOrigin, 100};
// k-99, k-98, one by its id, three that are one stretch, a project.
const std::vector<Parent> kParents{{{}, 1, 1, ""},
                                   {{}, 2, 1, ""},
                                   {{kOrigin, 7}, 0, 1, ""},
                                   {{kOrigin, 20}, 0, 3, ""},
                                   {{}, 0, 1, "p"}};

Value json(std::string_view text) {
  auto value = Value::from_json(text);
  REQUIRE(value);
  return *value;
}

using Ask = std::function<Value(const TaskId&)>;

// The arguments as they are, or the error.
std::string replaced(Value args, const Ask& ask, const std::vector<Parent>& parents = kParents) {
  auto found = References::find(args, kOwn, parents);
  if (!found) return found.error().message;
  for (const auto& parent : found->wanted())
    if (const auto put = found->put(parent, ask(parent)); !put) return put.error().message;
  return args.to_json();
}
std::string replaced(std::string_view args, std::string_view record) {
  return replaced(json(args), [&](const TaskId&) { return json(record); });
}

}  // namespace

TEST_CASE("a reference becomes what it names of its parent's result", "[worker]") {
  const Ask ask = [](const TaskId& id) {
    return Value(Value::Map{{"state", "done"},
                            {"value", Value::Map{{"n", static_cast<std::int64_t>(id.seq)},
                                                 {"list", json(R"([{"a":1},2])")}}}});
  };
  CHECK(
      replaced(
          json(
              R"({"x":{"$result":0,"path":"n"},"y":[1,{"$result":1,"path":"n"},{"z":{"$result":2,"path":"n"}}]})"),
          ask) == R"({"x":99,"y":[1,98,{"z":7}]})");
  CHECK(replaced(json(R"({"x":{"$result":0}})"), ask) == R"({"x":{"n":99,"list":[{"a":1},2]}})");
  CHECK(replaced(json(R"({"$result":2,"path":"list.0.a"})"), ask) == "1");
  CHECK(replaced(json(text(R"(["a",{"$result":")", to_text(TaskId{kOrigin, 21}),
                           R"(","path":"list.1"}])")),
                 ask) == R"(["a",2])");
  CHECK(replaced(json(R"({"x":"$result","y":{"path":"n"}})"), ask) ==
        R"({"x":"$result","y":{"path":"n"}})");
}

TEST_CASE("each parent is asked once, whatever is taken of it", "[worker]") {
  int asked = 0;
  const Ask ask = [&](const TaskId&) {
    ++asked;
    return json(R"({"state":"done","value":[1,2]})");
  };
  CHECK(replaced(json(R"([{"$result":0,"path":"0"},{"$result":0,"path":"1"},{"$result":0}])"),
                 ask) == "[1,2,[1,2]]");
  CHECK(asked == 1);
}

TEST_CASE("a path may name the record's own, where the value has no such key", "[worker]") {
  const auto* record =
      R"({"state":"done","value":{"bytes":3,"state":"liquid"},"artifact":{"sha256":"ab"},)"
      R"("artifacts":[{"sha256":"ab"},{"sha256":"cd"}]})";
  CHECK(replaced(R"({"$result":0,"path":"artifact"})", record) == R"({"sha256":"ab"})");
  CHECK(replaced(R"({"$result":0,"path":"artifact.sha256"})", record) == R"("ab")");
  CHECK(replaced(R"({"$result":0,"path":"artifacts.1.sha256"})", record) == R"("cd")");
  CHECK(replaced(R"({"$result":0,"path":"state"})", record) == R"("liquid")");
  const auto* failed = R"({"state":"failed","error":"no such host","worker":"w"})";
  CHECK(replaced(R"([{"$result":0,"path":"error"},{"$result":0,"path":"state"}])", failed) ==
        R"(["no such host","failed"])");
  CHECK(replaced(R"({"$result":0,"path":"worker"})", failed).find("has no worker") !=
        std::string::npos);
  CHECK(replaced(R"({"$result":0})", R"({"state":"done"})") == "null");
}

TEST_CASE("what is put in place is never looked through", "[worker]") {
  const auto* record = R"({"state":"done","value":{"$result":1,"path":"a"}})";
  CHECK(replaced(R"({"x":{"$result":0}})", record) == R"({"x":{"$result":1,"path":"a"}})");
  CHECK(replaced(R"({"x":{"$result":0,"path":"$result"}})", record) == R"({"x":1})");
}

TEST_CASE("a reference that leads nowhere is named", "[worker]") {
  const auto parent = text("$result ", to_text(TaskId{kOrigin, 99}), ": ");
  const auto* done = R"({"state":"done","value":{"a":[1]}})";
  CHECK(replaced(R"({"$result":0,"path":"b.c"})", done) == parent + "it is done and has no b.c");
  for (const auto* path : {"a.1", "a.-1", "a.0.x", "a.", ".a", ".", "a..0", "a.00x",
                           "a.99999999999999999999999", "a. 0", "A"}) {
    INFO(path);
    CHECK(replaced(json(text(R"({"$result":0,"path":")", path, R"("})")), [&](const TaskId&) {
            return json(done);
          }).starts_with(parent + "it is done and has no "));
  }
  CHECK(replaced(R"({"$result":0})", R"({"state":"dead","error":"x"})") ==
        parent + "it is dead and has no value");
  CHECK(replaced(R"({"$result":0})", "null") == parent + "its result is not in the log");
  CHECK(replaced(R"({"$result":0})", R"({"state":"done","is_kept":false})") ==
        parent + "its result is no longer kept");
  CHECK(replaced(R"({"$result":0})", R"({"state":"retrying"})") == parent + "it has no result yet");
}

TEST_CASE("what is no reference to a single parent is refused", "[worker]") {
  const auto* record = R"({"state":"done","value":1})";
  CHECK(replaced(R"({"$result":5})", record) == "$result 5: it has 5 parents");
  CHECK(replaced(R"({"$result":-1})", record) == "$result -1: it has 5 parents");
  CHECK(replaced(R"({"$result":3})", record) == "$result 3: is not a single task");
  CHECK(replaced(R"({"$result":4})", record) == "$result 4: is not a single task");
  CHECK(replaced(R"({"$result":"a name"})", record) == "$result a name: is not one of its parents");
  CHECK(replaced(json(text(R"({"$result":")", to_text(TaskId{kOrigin, 8}), R"("})")),
                 [](const TaskId&) { return Value(); })
            .ends_with("is not one of its parents"));
  for (const auto* odd : {"null", "1.5", "true", "[0]", R"({"$result":0})"}) {
    INFO(odd);
    CHECK(replaced(json(text(R"({"$result":)", odd, "}")), [](const TaskId&) { return Value(); }) ==
          "$result: must be a parent's place or id");
  }
  CHECK(replaced(R"({"$result":0,"other":1})", record).find("nothing beside it") !=
        std::string::npos);
  CHECK(replaced(R"({"$result":0,"path":1})", record) == "$result: its path must be a text");
  CHECK(replaced(json(text(R"({"$result":0,"path":")", std::string(1025, 'a'), R"("})")),
                 [](const TaskId&) { return Value(); }) ==
        "$result: a path of 1025 bytes, limit 1024");
}

TEST_CASE("references keep the arguments within their limits", "[worker]") {
  const Ask large = [](const TaskId&) {
    return Value(Value::Map{{"state", "done"}, {"value", std::string(400'000, 'x')}});
  };
  Value two = Value::Array{json(R"({"$result":0})"), json(R"({"$result":1})")};
  CHECK(replaced(two, large).size() > 800'000);
  CHECK(replaced(json(R"([{"$result":0},{"$result":1},{"$result":2}])"), large)
            .find("the arguments have over 1048576 bytes") != std::string::npos);
  Value::Array many(kReferencesMax, json(R"({"$result":0,"path":"state"})"));
  const Ask small = [](const TaskId&) { return json(R"({"state":"done","value":1})"); };
  CHECK(replaced(Value(many), small).starts_with(R"(["done","done")"));
  many.push_back(json(R"({"$result":0})"));
  CHECK(replaced(Value(many), small) == "$result: more than 4096 references");

  const auto nested = [](int levels, Value inner) {
    for (int i = 0; i < levels; ++i) inner = Value::Array{std::move(inner)};
    return inner;
  };
  const Ask deep = [&](const TaskId&) {
    return Value(Value::Map{{"state", "done"}, {"value", nested(16, 1)}});
  };
  CHECK(replaced(nested(16, json(R"({"$result":0})")), deep) == nested(32, 1).to_json());
  CHECK(
      replaced(nested(17, json(R"({"$result":0})")), deep).find("too deep here, limit 32 levels") !=
      std::string::npos);
}
