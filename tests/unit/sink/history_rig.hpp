#pragma once
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <random>

#include "common/protocol/records.hpp"
#include "common/protocol/task_class.hpp"
#include "sink/io/answers.hpp"
#include "sink/io/history_desk.hpp"
#include "sink/io/result_log.hpp"
#include "tests/simulation/sim_disk.hpp"

namespace eole::sink::testing {

using protocol::TaskState;
using protocol::Value;

constexpr Origin kOrigin = 5;

/// A directory that goes with this.
struct Place {
  Place() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Place() { std::filesystem::remove_all(path); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  std::string file() const { return path + "/index/history.db"; }
  std::string path = (std::filesystem::temp_directory_path() / "eole-index-XXXXXX").string();
};

struct Result {
  TaskState state = TaskState::kDone;
  std::string project = "";
  std::string kind = "echo";
  std::string worker = "w1";
  std::int64_t finished = 1000;
  std::string error = "";
  bool is_final = true;
  std::string key = "";
  Value args = {};
};

/// A log with its index; a model of it beside.
struct Indexed {
  Indexed(simulation::SimDisk& disk, const Place& place, std::uint64_t segment_bytes = 64ULL << 20,
          std::uint64_t entropy = 1)
      : directory(disk.open()), history(*directory), index(place.path + "/index") {
    log.emplace(*directory,
                storage::StoreOptions{.segment_bytes = segment_bytes, .entropy = entropy}, 1000);
    Actions actions;
    log->core().on_event(IntroduceReceived{"v", {1, kOrigin, 1, 9, 100'000, 0, 1, {}}, {}},
                         actions);
    log->write(actions, 0);
  }
  void take(const Result& taken, std::uint64_t run = 7) {
    protocol::Results results{run, ++numbers[run], 0, 1, taken.worker, kOrigin, {}};
    protocol::ResultRecord result;
    result.id = {kOrigin, ++seq};
    result.lease = {1, seq};
    result.attempt = 2;
    result.state = taken.state;
    result.is_final = taken.is_final;
    result.finished_unix_ms = taken.finished;
    result.submitted_unix_ms = 850;
    result.run_us = 100'000;
    result.project = taken.project;
    result.kind = taken.kind;
    result.key = taken.key;
    Value body = Value::Map{{"value", "v" + std::to_string(seq)}};
    if (!taken.error.empty()) body = Value::Map{{"error", taken.error}};
    if (!taken.args.is_null()) body.set("args", taken.args);
    const auto encoded = body.to_msgpack();
    result.body = encoded;
    put_result(results.payload, result);
    Actions actions;
    log->core().on_event(ResultsReceived{results, {}, {}}, actions);
    log->write(actions, 0);
    model.push_back(taken);
  }
  Expected<Value> try_to_ask(const std::string& what, const Value& options, Duration time = 1h) {
    history.take(log->take_news());
    const protocol::Query query{1, what, 0, 0, options.to_msgpack(), within};
    return answer_to(query, {}, history, time, &index);
  }
  Value ask(const std::string& what, const Value& options, Duration time = 1h) {
    const auto answer = try_to_ask(what, options, time);
    INFO((answer ? "" : answer.error().message));
    REQUIRE(answer);
    return *answer;
  }
  /// The offsets that all pages together tell.
  std::vector<std::int64_t> all(Value options, Duration time = 1h) {
    std::vector<std::int64_t> found;
    while (true) {
      const auto page = ask("history", options, time);
      for (const auto& row : *page["rows"].as<Value::Array>())
        found.push_back(row["offset"].int_or(-1));
      if (page["next"].is_null()) return found;
      options.set("cursor", page["next"]);
    }
  }
  template <class Wants>
  std::vector<std::int64_t> modelled(Wants&& wants, std::uint64_t from = 0) const {
    std::vector<std::int64_t> found;
    for (auto i = model.size(); i-- > from;)
      if (wants(model[i])) found.push_back(static_cast<std::int64_t>(i));
    return found;
  }
  std::int64_t counted() {
    std::int64_t sum = 0;
    const auto answer = ask("counts", {});
    for (const auto& count : *answer["counts"].as<Value::Array>())
      sum += count["results"].int_or(0);
    return sum;
  }
  std::unique_ptr<storage::Directory> directory;
  std::optional<ResultLog> log;
  History history;
  HistoryIndex index;
  std::map<std::uint64_t, std::uint64_t> numbers;
  Seq seq = 0;
  std::string within;  // Of the questions.
  std::vector<Result> model;
};

}  // namespace eole::sink::testing
