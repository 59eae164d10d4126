#include "relay/core/submission.hpp"

#include <catch2/catch.hpp>

#include "common/protocol/records.hpp"
#include "common/protocol/task_class.hpp"

using namespace eole;
using protocol::Value;
using relay::submission_of;

namespace {

Value chain(const std::string& task) {
  return *Value::from_json(R"({"name":"thumbs","within":"acme/","task":)" + task + "}");
}

const Value kEvent = *Value::from_json(R"({"offset":7,"id":"k3f9qz-1","value":{"n":3}})");

struct Made {
  protocol::Submit submit;
  protocol::TaskClass task_class;
  Value args;
};

Made made(const Value& of, const Value& event = kEvent, std::uint64_t log = 9) {
  const auto submission = submission_of(of, event, log);
  REQUIRE(submission);
  const auto& [submit, groups] = *submission;
  ByteReader reader(groups);
  const auto group = protocol::read_task_group(reader);
  REQUIRE((group && group->count == 1 && reader.is_done()));
  ByteReader specs(group->specs);
  const auto spec = protocol::read_task_spec(specs);
  REQUIRE(spec);
  return {submit, *protocol::decode_class(group->task_class), *Value::from_msgpack(spec->args)};
}

}  // namespace

TEST_CASE("a notification becomes the task that its chain declares", "[relay]") {
  const auto task =
      made(chain(R"({"kind":"echo","args":{"n":"$value.n"},"project":"acme/small","priority":4})"));
  CHECK(task.task_class.kind == "echo");
  CHECK(task.task_class.project == "acme/small");
  CHECK(task.task_class.priority == 4);
  CHECK(task.args == *Value::from_json(R"({"n":3})"));
  CHECK((task.submit.count == 1 && task.submit.within == "acme/"));
}

TEST_CASE("its key is of the chain, what it declares, the log and the offset", "[relay]") {
  const auto one = chain(R"({"kind":"echo","args":{"n":1}})");
  auto other_event = kEvent;
  other_event.set("offset", 8);
  const auto key = made(one).submit.key;
  CHECK(key == made(one).submit.key);
  CHECK(key != made(one, other_event).submit.key);
  CHECK(key != made(one, kEvent, 10).submit.key);
  CHECK(key != made(chain(R"({"kind":"echo","args":{"n":2}})")).submit.key);
}

TEST_CASE("what cannot be made of a notification is told by a task of its own", "[relay]") {
  for (const auto* task : {R"({"kind":"echo","args":{"n":"$value.x"}})",
                           R"({"kind":"echo","priority":"${value.n}0"})",
                           R"({"kind":"echo","after":["nobody"]})"}) {
    const auto unfit = made(chain(task));
    CHECK(unfit.task_class.kind == "echo");
    CHECK(unfit.task_class.project == "thumbs/unfit");
    CHECK(unfit.args["offset"] == Value(7));
    CHECK(!unfit.args["error"].text_or("").empty());
    auto other = kEvent;
    other.set("project", "other/unfit");  // Of whichever chain: two could feed each other.
    CHECK_FALSE(submission_of(chain(task), other, 9));
  }
  auto other = kEvent;
  other.set("project", "other/unfit");
  CHECK(made(chain(R"({"kind":"echo","args":{"n":"$offset"}})"), other).args["n"] == Value(7));
}
