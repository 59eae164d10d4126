#include <catch2/catch.hpp>

#include "common/protocol/records.hpp"
#include "sink/io/answers.hpp"
#include "sink/io/status.hpp"
#include "tests/simulation/sim_disk.hpp"

using namespace eole;
using namespace eole::sink;
using protocol::TaskState;
using protocol::Value;

namespace {

constexpr Origin kOrigin = 5;

struct Record {
  Seq seq = 0;
  TaskState state = TaskState::kDone;
  bool is_final = true;
  std::uint16_t attempt = 1;
  std::int64_t finished = 1;
  std::string project = "";
  std::size_t reason_bytes = 8;
  bool may_have_copy = false;
};

struct Asked {
  explicit Asked(simulation::SimDisk& disk) : directory(disk.open()), history(*directory) {
    log.emplace(*directory, storage::StoreOptions{.entropy = 1}, 1000);
    Actions actions;
    log->core().on_event(IntroduceReceived{"v", {1, kOrigin, 1, 9, 1000, 0, 1, {}}, {}}, actions);
    log->write(actions, 0);
  }
  /// Each in a batch of its own.
  void take(const std::vector<Record>& records) {
    for (const auto& record : records) {
      protocol::Results results{7, ++numbers, 0, 1, "w1", kOrigin, {}, 4711};
      protocol::ResultRecord result;
      result.id = {kOrigin, record.seq};
      result.lease = {1, numbers};
      result.attempt = record.attempt;
      result.state = record.state;
      result.is_final = record.is_final;
      result.may_have_copy = record.may_have_copy;
      result.is_copy = record.may_have_copy && !record.is_final;
      result.finished_unix_ms = record.finished;
      result.project = record.project;
      const auto body =
          Value(Value::Map{{"error", std::string(record.reason_bytes, 'x')}}).to_msgpack();
      result.body = body;
      put_result(results.payload, result);
      Actions actions;
      log->core().on_event(ResultsReceived{results, {}, {}}, actions);
      log->write(actions, 0);
    }
  }
  void discard(Seq first, Seq last) {
    SeqRanges seqs;
    seqs.add(first, last);
    log->write({AppendDiscard{kOrigin, log->core().letters().of(kOrigin, seqs)}}, 1000);
  }
  Value ask(const std::string& what, const Value& options, Seq seq = 0) {
    const auto answer = try_to_ask(what, options, seq);
    REQUIRE(answer);
    return *answer;
  }
  Expected<Value> try_to_ask(const std::string& what, const Value& options, Seq seq = 0) {
    const protocol::Query query{1, what, kOrigin, seq, options.to_msgpack()};
    if (auto answer = answer_at_once(query, *log, {})) return *answer;
    history.take(log->take_news());
    return answer_to(query, known_to(query, *log, TimePoint{}), history, 1h);
  }
  std::vector<std::string> letters(Value options) {
    std::vector<std::string> found;
    while (true) {
      const auto page = ask("dead", options);
      for (const auto& letter : *page["letters"].as<Value::Array>())
        found.push_back(letter["id"].text_or("").substr(7));
      if (page["next"].is_null()) return found;
      options.set("after", page["next"]);
    }
  }
  std::unique_ptr<storage::Directory> directory;
  std::optional<ResultLog> log;
  History history;
  std::uint64_t numbers = 0;
};

using Ids = std::vector<std::string>;
constexpr auto kDead = TaskState::kDead;

}  // namespace

TEST_CASE("dead letters come in pages that fit a message, and by project", "[queries]") {
  simulation::SimDisk disk(1);
  Asked asked(disk);
  for (Seq seq = 1; seq <= 20; ++seq)
    asked.take({{seq, kDead, true, 1, 1, seq % 2 == 0 ? "even" : "odd", 200'000}});
  const auto first = asked.ask("dead", Value::Map{});
  REQUIRE(first["letters"].as<Value::Array>()->size() == 6);  // 1 MiB, and the one that ends it.
  REQUIRE(asked.letters(Value::Map{}).size() == 20);
  REQUIRE(asked.letters(Value::Map{{"project", "even"}, {"most", 3}}) ==
          Ids{"2", "4", "6", "8", "10", "12", "14", "16", "18", "20"});
  REQUIRE_FALSE(asked.try_to_ask("dead", Value::Map{{"most", 0}}));
}

TEST_CASE("an offset beyond any log has no dead letters behind it", "[queries]") {
  simulation::SimDisk disk(1);
  Asked asked(disk);
  asked.take({{1, kDead}});
  REQUIRE(asked.letters(Value::Map{{"after", INT64_MAX}}).empty());
  REQUIRE(asked.letters(Value::Map{{"after", INT64_MIN}}) == Ids{"1"});
}

TEST_CASE("a discarded letter stays off the list after a restart, and in the log", "[queries]") {
  simulation::SimDisk disk(1);
  {
    Asked asked(disk);
    asked.take({{1, kDead}, {2, kDead}, {3}, {4, kDead}});
    asked.discard(2, 3);
    REQUIRE(asked.letters(Value::Map{}) == Ids{"1", "4"});
  }
  Asked again(disk);
  REQUIRE(again.letters(Value::Map{}) == Ids{"1", "4"});
  REQUIRE(again.ask("result", {}, 2)["state"].text_or("") == "dead");
  again.take({{2, kDead}});  // A late copy is no new letter.
  REQUIRE(again.letters(Value::Map{}) == Ids{"1", "4"});
}

TEST_CASE("all attempts of a task are found, the newest first", "[queries]") {
  simulation::SimDisk disk(1);
  Asked asked(disk);
  asked.take({{1, TaskState::kFailed, false, 1}, {2}, {1, TaskState::kFailed, false, 2}, {3}});
  const auto attempts_of = [&](Seq seq) {
    std::vector<std::int64_t> found;
    const auto answer = asked.ask("attempts", Value::Map{}, seq);
    REQUIRE(answer["next"].is_null());
    for (const auto& attempt : *answer["attempts"].as<Value::Array>())
      found.push_back(attempt["attempt"].int_or(0));
    return found;
  };
  REQUIRE(attempts_of(1) == std::vector<std::int64_t>{2, 1});
  asked.take({{1, TaskState::kDone, true, 3}, {4}});
  REQUIRE(attempts_of(1) == std::vector<std::int64_t>{3, 2, 1});
  REQUIRE(attempts_of(4) == std::vector<std::int64_t>{1});
  REQUIRE(attempts_of(9).empty());
  const auto attempts = asked.ask("attempts", Value::Map{}, 4)["attempts"];
  const auto& one = attempts.as<Value::Array>()->at(0);
  REQUIRE((one["lease"] == "1-6" && one["pid"] == 4711));
  asked.take({{5, TaskState::kFailed, false, 2}, {5, TaskState::kFailed, false, 1}});
  REQUIRE(attempts_of(5) == std::vector<std::int64_t>{1, 2});  // A second copy failed first.
}

TEST_CASE("the end of a copy that does not count is an attempt, and no result", "[queries]") {
  simulation::SimDisk disk(1);
  Asked asked(disk);
  Record done{1, TaskState::kDone, true, 2};
  Record copy{1, TaskState::kCancelled, false, 1};
  done.may_have_copy = copy.may_have_copy = true;
  asked.take({done, copy});
  REQUIRE(asked.ask("result", Value::Map{}, 1)["state"] == "done");
  const auto attempts = asked.ask("attempts", Value::Map{}, 1)["attempts"];
  REQUIRE(attempts.as<Value::Array>()->size() == 2);
  const auto& told = (*attempts.as<Value::Array>())[0];
  REQUIRE((told["state"] == "copy" && told["ended"] == "cancelled" && told["attempt"] == 1));
}

TEST_CASE("how the tasks of projects ended is told for one, and for all in pages", "[queries]") {
  simulation::SimDisk disk(1);
  const auto check = [&](bool is_new) {
    Asked asked(disk);
    if (is_new)
      asked.take({{1, TaskState::kDone, true, 1, 30, "b"},
                  {2, TaskState::kFailed, false, 1, 5, "b"},  // Tried again: it has not ended.
                  {2, kDead, true, 2, 20, "b"},
                  {2, TaskState::kDone, true, 3, 40, "b"},  // The first record won.
                  {3, TaskState::kCancelled, true, 1, 25, "a"},
                  {4, TaskState::kFailed, true, 1, 26, "c"},
                  {5}});
    REQUIRE(asked.ask("project", Value::Map{{"project", "b"}}) ==
            Value(Value::Map{{"project", "b"},
                             {"done", 1},
                             {"failed", 0},
                             {"dead", 1},
                             {"cancelled", 0},
                             {"first_unix_ms", 20},
                             {"last_unix_ms", 30},
                             {"running_done", 0.0}}));
    REQUIRE(asked.ask("project", Value::Map{{"project", "d"}}).is_null());
    std::vector<std::string> names;
    Value options = Value::Map{{"most", 2}};
    while (true) {
      const auto page = asked.ask("projects", options);
      for (const auto& project : *page["projects"].as<Value::Array>())
        names.push_back(project["project"].text_or(""));
      if (page["next"].is_null()) break;
      options.set("after", page["next"]);
    }
    REQUIRE(names == std::vector<std::string>{"a", "b", "c"});
  };
  check(true);
  check(false);  // After a restart.
}

TEST_CASE("of a project it is told what ended since a ventilator read, and how far others are",
          "[queries]") {
  simulation::SimDisk disk(1);
  Asked asked(disk);
  asked.take({{1, TaskState::kDone, true, 1, 20, "b"},
              {2, TaskState::kDone, true, 1, 20, "a"},
              {3, TaskState::kFailed, true, 1, 30, "b"},
              {4, TaskState::kDone, true, 1, 30, "b"}});
  const auto since = [&](std::int64_t offset) {
    return asked.ask("project", Value::Map{{"project", "b"}, {"since", offset}})["since"];
  };
  REQUIRE((since(4) == Value(0) && since(2) == Value(2) && since(0) == Value(3)));
  asked.log->core().under_way().hear({kOrigin, 5}, "b", 1, 2, asked.log->core().origins());
  asked.log->core().under_way().hear({kOrigin, 6}, "new", 1, 4, asked.log->core().origins());
  const auto done = [&](const std::string& name) {
    return asked.ask("project", Value::Map{{"project", name}})["running_done"];
  };
  REQUIRE((done("a") == Value(0.0) && done("b") == Value(0.5) && done("new") == Value(0.25)));
  const auto page = asked.ask("projects", Value::Map{});
  std::vector<std::string> names;
  for (const auto& project : *page["projects"].as<Value::Array>())
    names.push_back(project["project"].text_or(""));
  REQUIRE(names == std::vector<std::string>{"a", "b"});  // None because a worker says so.
  asked.take({{5, TaskState::kFailed, false, 1, 30, "b"}});  // Its next attempt begins anew.
  REQUIRE(done("b") == Value(0.0));
}

TEST_CASE("how each task of a project ended is told in pages, from its first on", "[queries]") {
  simulation::SimDisk disk(1);
  const auto check = [&](bool is_new) {
    Asked asked(disk);
    if (is_new) {
      asked.take({{1, TaskState::kDone, true, 1, 1, "other"}});
      for (Seq seq = 2; seq <= 20; ++seq)
        asked.take({{seq, TaskState::kFailed, false, 1, 1, "photos"},
                    {seq, TaskState::kDone, true, 2, 1, seq % 2 == 0 ? "photos" : "", 200'000}});
    }
    Value options = Value::Map{{"project", "photos"}};
    std::vector<std::string> ids;
    std::size_t pages = 0;
    do {
      const auto page = asked.ask("parts", options);
      CHECK(page["tasks"].int_or(0) == 10);
      for (const auto& part : *page["parts"].as<Value::Array>()) {
        CHECK(part["state"].text_or("") == "done");
        ids.push_back(part["id"].text_or("").substr(7));
      }
      options.set("from", page["next"]);
      ++pages;
    } while (!options["from"].is_null());
    CHECK(ids == Ids{"2", "4", "6", "8", "10", "12", "14", "16", "18", "20"});
    CHECK(pages == 2);  // 1 MiB, and the one that ends it.
    CHECK(asked.ask("parts", Value::Map{{"project", "films"}}).is_null());
  };
  check(true);
  check(false);  // After a restart.
}

TEST_CASE("no result that finished since then lies before the offset of a time", "[queries]") {
  simulation::SimDisk disk(1);
  Asked asked(disk);
  for (const auto finished : {10, 30, 20, 40, 40, 35, 50}) {
    asked.take({{asked.numbers + 1, TaskState::kDone, true, 1, finished}});
  }
  const auto at = [&](int time) {
    return asked.ask("offset_at", Value::Map{{"unix_ms", time}})["offset"].int_or(-1);
  };
  REQUIRE(at(0) == 0);
  REQUIRE(at(11) == 1);
  REQUIRE(at(30) == 1);
  REQUIRE(at(31) == 3);
  REQUIRE(at(50) == 6);
  REQUIRE(at(51) == 7);
}

TEST_CASE("a log knows since when it keeps records", "[queries]") {
  simulation::SimDisk disk(1);
  Asked asked(disk);
  REQUIRE(asked.log->oldest_unix_ms() == 1000);
  asked.take({{1, TaskState::kDone, true, 1, 10}, {2, TaskState::kDone, true, 1, 30}});
  REQUIRE(asked.log->oldest_unix_ms() == 1000);
}

TEST_CASE("status says how far back the log goes, and when it will be full", "[queries]") {
  simulation::SimDisk disk(1);
  Asked asked(disk);
  asked.take({{1}, {2}});
  const auto bytes = asked.log->log_bytes();
  constexpr std::int64_t kDay = 86'400'000;
  const auto ask = [&](std::int64_t days, const Retention& retention) {
    return **answer_at_once({1, "status", 0, 0, {}}, *asked.log,
                            {retention, 1000 + days * kDay, {7}, {}});
  };
  const auto status = ask(2, {30, 4 * bytes});
  REQUIRE(status["log_bytes"].int_or(0) == static_cast<std::int64_t>(bytes));
  REQUIRE(status["log_kept_from"].int_or(-1) == 0);
  REQUIRE(status["log_oldest_unix_ms"].int_or(0) == 1000);
  REQUIRE(*status["log_days_left"].as<double>() == Approx(6));  // Half of its size a day.
  REQUIRE(status["log_not_kept_for"].as<Value::Array>()->size() == 1);
  REQUIRE(*ask(2, {30, bytes / 2})["log_days_left"].as<double>() == 0);
  REQUIRE(ask(2, {7, 4 * bytes})["log_days_left"].is_null());  // Age comes first.
}
