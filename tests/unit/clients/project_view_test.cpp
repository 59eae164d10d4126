#include "clients/cpp/tasks/project_view.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using client::project_view;
using protocol::Value;

namespace {

Value ended(int done, int failed, int last_unix_ms) {
  return Value::Map{{"project", "p"},
                    {"done", done},
                    {"failed", failed},
                    {"first_unix_ms", 1000},
                    {"last_unix_ms", last_unix_ms}};
}

double number(const Value& value) { return *value.as<double>(); }

}  // namespace

TEST_CASE("a project's progress is that of what is expected while it is open", "[cli]") {
  const Value live = Value::Map{
      {"project", "p"}, {"state", "open"}, {"is_opened", true}, {"queued", 5}, {"expected", 40}};
  const auto view = project_view(live, ended(8, 2, 10'000));
  CHECK(view["tasks"].int_or(0) == 15);
  CHECK(number(view["progress"]) == 0.25);
  CHECK(number(view["eta_seconds"]) == 30);  // Nine more in nine seconds; thirty are left.
  CHECK(view["first_unix_ms"] == Value(1000));
  CHECK(view["last_unix_ms"] == Value(10'000));

  auto closed = live;
  closed.set("state", "closed");
  CHECK(number(project_view(closed, ended(4, 1, 5000))["progress"]) == 0.5);
  CHECK(number(project_view(closed, ended(4, 1, 5000))["eta_seconds"]) == 5);
}

TEST_CASE("a project's ETA is not told of fewer than two ends", "[cli]") {
  const Value live = Value::Map{{"project", "p"}, {"state", "open"}, {"running", 3}};
  CHECK(project_view(live, {})["eta_seconds"].is_null());
  CHECK(project_view(live, {})["first_unix_ms"].is_null());
  CHECK(project_view(live, ended(1, 0, 1000))["eta_seconds"].is_null());
  CHECK(project_view(live, ended(2, 0, 1000))["eta_seconds"].is_null());
}

TEST_CASE("a project that was never opened is over once none of its tasks is left", "[cli]") {
  CHECK(project_view({}, ended(3, 1, 2000))["state"] == Value("over"));
  CHECK(number(project_view({}, ended(3, 1, 2000))["progress"]) == 1);
  const Value awaited = Value::Map{{"project", "p"}, {"state", "open"}, {"is_opened", false}};
  CHECK(project_view(awaited, ended(3, 1, 2000))["state"] == Value("over"));
  const Value opened = Value::Map{{"project", "p"}, {"state", "open"}, {"is_opened", true}};
  CHECK(project_view(opened, {})["state"] == Value("open"));
  CHECK(number(project_view(opened, {})["progress"]) == 0);
}

TEST_CASE("what tasks that run say of themselves is a part of their project's progress", "[cli]") {
  const Value live = Value::Map{{"project", "p"}, {"state", "open"}, {"running", 3}, {"queued", 1}};
  auto said = ended(4, 0, 4000);
  said.set("running_done", 2.0);
  CHECK(number(project_view(live, said)["progress"]) == 0.75);
  CHECK(number(project_view(live, said)["eta_seconds"]) == 2);
  said.set("running_done", 9.0);  // Said of tasks that are not even running.
  CHECK(number(project_view(live, said)["progress"]) == 0.875);
}

TEST_CASE("a project's ETA is not known if all that is left of it waits", "[cli]") {
  Value live = Value::Map{{"project", "p"}, {"state", "open"}, {"waiting", 1}};
  CHECK(project_view(live, ended(9, 0, 9000))["eta_seconds"].is_null());
  live.set("queued", 1);
  CHECK(number(project_view(live, ended(9, 0, 9000))["eta_seconds"]) == 2);
}

TEST_CASE("what ended since the ventilator read the log is counted once", "[cli]") {
  const Value live = Value::Map{
      {"project", "p"}, {"state", "open"}, {"running", 3}, {"queued", 2}, {"waiting", 1}};
  const auto left = [&](int since) {
    auto all = ended(4, 0, 4000);
    all.set("since", since);
    const auto view = project_view(live, all);
    CHECK(view["tasks"].int_or(0) == 10 - since);
    return std::vector{view["running"].int_or(0), view["queued"].int_or(0),
                       view["waiting"].int_or(0)};
  };
  using Left = std::vector<std::int64_t>;
  CHECK(left(0) == Left{3, 2, 1});
  CHECK(left(2) == Left{1, 2, 1});
  CHECK(left(4) == Left{0, 1, 1});
  CHECK(left(6) == Left{0, 0, 0});
}

TEST_CASE("a project is not over for what was submitted and ended since the ventilator told",
          "[cli]") {
  const Value live = Value::Map{{"project", "p"}, {"state", "open"}, {"running", 1}};
  auto all = ended(5, 0, 4000);
  all.set("since", 1);
  CHECK(project_view(live, all)["running"] == Value(0));
  CHECK(project_view(live, all)["state"] == Value("open"));
}

TEST_CASE("the sink is asked what ended since the ventilator read the log", "[cli]") {
  CHECK(client::ended_options("p", Value::Map{{"read_to", 7}}) ==
        Value(Value::Map{{"project", "p"}, {"since", 7}}));
  CHECK(client::ended_options("p", {}) == Value(Value::Map{{"project", "p"}}));
}
