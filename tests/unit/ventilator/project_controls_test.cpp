#include "ventilator/core/project_controls.hpp"

#include "common/base/text.hpp"
#include "rig.hpp"

using namespace eole;
using namespace eole::ventilator;
using protocol::Value;

namespace {

/// What projects follow from, and what was written.
struct Parts {
  Durable durable = Rig::fresh();
  Gates gates{kOrigin, durable.projects, durable.classes};
  Moment moment{kStart, 0};
  ProjectAdmission admission{durable, gates};
  ProjectControls controls{durable, gates, moment};
  Actions out;

  const Project& of(const std::string& name) const { return *durable.projects.find(name); }
  JournalProject record(const std::string& name) const { return {durable.projects.record(name)}; }
  std::string why(const std::string& kind, const std::string& project,
                  const std::set<std::string>& awaited = {}) const {
    const auto task_class = protocol::encode_class({kind, project});
    const auto why = admission.why_refused({task_class, 1, ""}, awaited);
    return why ? why->message : "";
  }
};
Value photos(Value::Map more = {}) {
  Value options = Value::Map{{"project", "photos"}};
  for (auto& [name, value] : more) options.set(name, std::move(value));
  return options;
}
const Value kOpen = Value::Map{{"project", "photos"}, {"state", "open"}};
const Value kClosed = Value::Map{{"project", "photos"}, {"state", "closed"}};

}  // namespace

TEST_CASE("a project that is opened is known with what was said, and written once", "[projects]") {
  Parts parts;
  auto& out = parts.out;
  parts.durable.last = 7;
  REQUIRE(*parts.controls.open(photos({{"expected", 3}}), out) == kOpen);
  REQUIRE(parts.of("photos") == Project{.is_opened = true, .opened_after = 7, .expected = 3});
  REQUIRE(out == Actions{parts.record("photos")});
  out.clear();
  parts.durable.last = 9;
  REQUIRE(*parts.controls.open(photos(), out) == kOpen);
  REQUIRE(out.empty());
  REQUIRE(parts.of("photos").opened_after == 7);
  REQUIRE(*parts.controls.close(photos(), out) == kClosed);
  REQUIRE(out == Actions{parts.record("photos")});
  REQUIRE(parts.of("photos").is_closed);
}

TEST_CASE("what is expected of a project is a number of tasks", "[projects]") {
  Parts parts;
  for (const Value& none : {Value(-1), Value((std::int64_t{1} << 40) + 1), Value("3"), Value(1.5)})
    REQUIRE(parts.controls.open(photos({{"expected", none}}), parts.out).error().message ==
            "project photos: expected: a number of tasks, limit 1099511627776");
  REQUIRE(parts.out.empty());
  REQUIRE(parts.controls.open(photos({{"expected", 3}}), parts.out));
  REQUIRE(parts.controls.open(photos({{"expected", 0}}), parts.out));  // As if it was left out.
  REQUIRE(parts.of("photos").expected == 3);
  REQUIRE(parts.controls.open(photos({{"is_again", true}, {"expected", 5}}), parts.out));
  REQUIRE(parts.of("photos").expected == 5);
  REQUIRE(parts.controls.open(photos({{"is_again", true}}), parts.out));
  REQUIRE(parts.of("photos").expected == 0);
}

TEST_CASE("a project that was closed is opened again only by who says so", "[projects]") {
  Parts parts;
  auto& out = parts.out;
  REQUIRE(parts.controls.close(photos(), out));
  out.clear();
  REQUIRE(parts.controls.open(photos(), out).error().message == "project photos: was closed");
  REQUIRE(out.empty());
  auto known = parts.of("photos");
  known.collected = 5;
  known.first_not_done = 4;
  known.expected = 3;
  parts.durable.projects.put("photos", known);
  REQUIRE(*parts.controls.open(photos({{"is_again", true}}), out) == kOpen);
  REQUIRE(parts.of("photos") == Project{.is_opened = true});
}

TEST_CASE("a retry opens what is over, is known by the task before it, and ends with the project",
          "[projects]") {
  Parts parts;
  auto& out = parts.out;
  const auto retry = [&] { return parts.controls.open(photos({{"is_retry", true}}), out); };
  REQUIRE(parts.controls.open(photos(), out));
  REQUIRE(retry().error().message == "project photos: is not over, what runs is not missing");
  REQUIRE(parts.controls.close(photos(), out));
  parts.durable.last = 9;
  const auto begun = retry();
  REQUIRE((*begun)["retried_after"] == to_text(TaskId{parts.durable.origin, 9}));
  parts.durable.last = 12;  // It goes on.
  REQUIRE(*retry() == *begun);
  REQUIRE(parts.of("photos").is_retried);
  Projects loaded;
  REQUIRE(loaded.load(parts.durable.projects.record("photos")));
  REQUIRE(*loaded.find("photos") == parts.of("photos"));
  REQUIRE(parts.controls.close(photos(), out));
  REQUIRE_FALSE(parts.of("photos").is_retried);
  REQUIRE((*retry())["retried_after"] == to_text(TaskId{parts.durable.origin, 12}));
}

TEST_CASE("a closed project takes no task, and no task waits for its own project", "[projects]") {
  Parts parts;
  REQUIRE(parts.controls.close(photos(), parts.out));
  REQUIRE(parts.why("work", "photos") ==
          "project photos: closed, takes no more tasks until it is opened again");
  REQUIRE(parts.why("work", "other", {"photos"}).empty());
  REQUIRE(parts.why("work", "other", {"other"}) ==
          "after project other: a task of it cannot wait for it");
  REQUIRE(parts.why("over", "other") == over_is_reserved().message);
  REQUIRE_THAT(parts.why("work", "other/collect"),
               Catch::EndsWith("is for the last task of other, which is not over"));
}

TEST_CASE("a project that a task will wait for is known, with the tasks that it has",
          "[projects]") {
  Parts parts;
  parts.durable.classes.put(1, 4, protocol::encode_class({"work", "photos"}));
  parts.moment.has_listeners = true;
  parts.controls.watch({"photos"}, parts.out);
  REQUIRE(parts.of("photos") == Project{.accepted = 4});
  REQUIRE(parts.out ==
          Actions{TellNews{{"created", "project", "photos", "photos"}}, parts.record("photos")});
  parts.out.clear();
  parts.controls.watch({"photos"}, parts.out);
  REQUIRE(parts.out.empty());
}

TEST_CASE("one more project takes the place of the oldest that is over, or is refused",
          "[projects]") {
  Parts parts;
  auto& out = parts.out;
  for (std::size_t i = 0; i < kProjectsMax; ++i)
    parts.durable.projects.put(text("p", i), {.is_opened = true});
  REQUIRE(parts.admission.why_no_more(1)->code == ErrorCode::kFull);
  REQUIRE_FALSE(parts.controls.open(photos(), out));
  REQUIRE(out.empty());
  parts.durable.projects.put("p7", {.is_opened = true, .is_closed = true, .collected = 1});
  REQUIRE_FALSE(parts.controls.open(photos(), out));  // Its last task has not ended.
  parts.durable.settled.add(1, 1);
  REQUIRE_FALSE(parts.admission.why_no_more(1));
  REQUIRE(parts.admission.why_no_more(2));
  REQUIRE(parts.controls.open(photos(), out));
  REQUIRE(out == Actions{parts.record("p7"), parts.record("photos")});
  REQUIRE(parts.durable.projects.find("p7") == nullptr);
}
