#include "common/protocol/wanted.hpp"

#include <catch2/catch.hpp>

#include "common/protocol/task_class.hpp"
#include "sink/io/answers.hpp"
#include "sink/io/history_desk.hpp"
#include "sink/io/status.hpp"
#include "tests/simulation/sim_disk.hpp"

using namespace eole;
using namespace eole::sink;
using protocol::TaskState;
using protocol::Value;

namespace {

constexpr Origin kOrigin = 5;
const Within kAcme("acme/");

/// A log, whose results are of the projects that a test names, one after the other.
struct Asked {
  simulation::SimDisk disk{1};
  std::unique_ptr<storage::Directory> directory = disk.open();
  std::optional<ResultLog> log;
  History history{*directory};

  Asked() {
    log.emplace(*directory, storage::StoreOptions{.entropy = 1}, 1000);
    Actions actions;
    log->core().on_event(IntroduceReceived{"v", {1, kOrigin, 1, 9, 1000, 0, 1, {}}, {}}, actions);
    log->write(actions, 0);
  }
  void take(const std::vector<std::string>& projects, TaskState state = TaskState::kDone) {
    for (const auto& project : projects) {
      const auto body = Value(Value::Map{{"value", project}, {"spec", "its task"}}).to_msgpack();
      protocol::ResultRecord result;
      result.id = {kOrigin, ++seq};
      result.lease = {1, seq};
      result.attempt = 1;
      result.state = state;
      result.project = project;
      result.body = body;
      protocol::Results results{7, seq, 0, 1, "w1", kOrigin, {}};
      put_result(results.payload, result);
      Actions actions;
      log->core().on_event(ResultsReceived{results, {}, {}}, actions);
      log->write(actions, 0);
    }
    history.take(log->take_news());
  }
  Value ask(const std::string& what, const Value& options = {}, Seq of = 0) {
    const protocol::Query query{1, what, kOrigin, of, options.to_msgpack(), kAcme.prefix()};
    if (auto answer = answer_at_once(query, *log, {})) return **answer;
    const auto answer = answer_to(query, known_to(query, *log, TimePoint{}), history, 1h);
    REQUIRE(answer);
    return *answer;
  }
  protocol::Records read(std::uint64_t offset, std::uint32_t bytes = UINT32_MAX,
                         std::uint32_t crc = 0) {
    auto records = history.read({1, 0, offset, crc, bytes, kAcme.prefix()});
    REQUIRE(records);
    return *records;
  }
  Seq seq = 0;
};

/// The offsets and projects of what was read.
std::vector<std::pair<std::uint64_t, std::string>> results_of(const Bytes& payload) {
  std::vector<std::pair<std::uint64_t, std::string>> found;
  for (ByteReader batches(payload); !batches.is_done();) {
    const auto batch = protocol::read_batch(batches.take(batches.get<std::uint32_t>()));
    REQUIRE(batch);
    REQUIRE(batch->run == 0);
    REQUIRE(batch->level == 0);
    protocol::ResultReader results(batch->records);
    for (std::uint32_t i = 0; i < batch->count; ++i)
      found.emplace_back(batch->first_offset + i, results.next()->project);
  }
  return found;
}
using Results = std::vector<std::pair<std::uint64_t, std::string>>;

}  // namespace

TEST_CASE("a batch within a prefix is its results alone, where they were", "[within]") {
  Bytes records;
  const auto add = [&](const std::string& project) {
    protocol::ResultRecord result;
    result.id = {kOrigin, 1};
    result.project = project;
    put_result(records, result);
  };
  for (const auto* project : {"acme/a", "zeta/b", "acme/c", "acme/d", "acme", ""}) add(project);
  Bytes out;
  put_wanted(out, {100, 9, 9, 6, "w1", records}, protocol::Wanted(kAcme));
  REQUIRE(results_of(out) == Results{{100, "acme/a"}, {102, "acme/c"}, {103, "acme/d"}});
  out.clear();
  put_wanted(out, {100, 9, 9, 6, "w1", records}, protocol::Wanted(Within("other/")));
  REQUIRE(out.empty());
}

TEST_CASE("who reads within a prefix is told how far was looked", "[within]") {
  Asked asked;
  asked.take({"acme/a", "zeta/b", "zeta/b", "acme/c", "", "zeta/b"});
  const auto all = asked.read(0);
  REQUIRE(results_of(all.payload) == Results{{0, "acme/a"}, {3, "acme/c"}});
  REQUIRE(all.next == 6);
  REQUIRE(all.crc == 0);
  REQUIRE(all.within == "acme/");
  const auto rest = asked.read(4, UINT32_MAX, 4711);  // No checksum is looked at.
  REQUIRE(rest.payload.empty());
  REQUIRE(rest.next == 6);
  std::uint64_t offset = 0;
  Results found;
  while (offset < 6) {
    const auto piece = asked.read(offset, 1);
    REQUIRE(piece.next > offset);
    for (auto& each : results_of(piece.payload)) found.push_back(each);
    offset = piece.next;
  }
  REQUIRE(found == Results{{0, "acme/a"}, {3, "acme/c"}});
}

TEST_CASE("who reads a pattern gets what fits, and is told how far was looked", "[within]") {
  Asked asked;
  asked.take({"acme/a", "zeta/b", "zeta/b"});
  asked.take({"zeta/c"}, TaskState::kDead);
  asked.take({"zeta/b"});
  const auto read = [&](const std::string& within, const std::string& pattern) {
    const auto records = asked.history.read({1, 0, 0, 4711, UINT32_MAX, within, pattern});
    REQUIRE(records);
    REQUIRE(records->next == 5);
    REQUIRE(records->crc == 0);
    return results_of(records->payload);
  };
  REQUIRE(read("", "#/done") ==
          Results{{0, "acme/a"}, {1, "zeta/b"}, {2, "zeta/b"}, {4, "zeta/b"}});
  REQUIRE(read("", "zeta/*/*/dead") == Results{{3, "zeta/c"}});
  REQUIRE(read("zeta/", "#/dead") == Results{{3, "zeta/c"}});
  REQUIRE(read("acme/", "#/dead").empty());
  REQUIRE(asked.history.read({1, 0, 0, 0, 1, "", "a*/#"}).error().message ==
          "topic: a*: * and # stand for words, and alone between slashes");
}

TEST_CASE("the sink's answers within a prefix tell of nothing else", "[within]") {
  Asked asked;
  asked.take({"acme/a", "zeta/b", "acme/a", ""});
  asked.take({"acme/dead", "zeta/dead"}, TaskState::kDead);
  const auto status = asked.ask("status");
  REQUIRE(status["done"].int_or(0) == 2);
  REQUIRE(status["dead"].int_or(0) == 1);
  REQUIRE(status["settled"].int_or(0) == 3);
  REQUIRE(status["head"].int_or(0) == 6);
  REQUIRE(status["log_bytes"].is_null());
  REQUIRE(asked.ask("result", {}, 1)["value"].text_or("") == "acme/a");
  for (const Seq outside : {2, 4, 6, 77}) {
    REQUIRE(asked.ask("result", {}, outside).is_null());
    REQUIRE(asked.ask("spec", {}, outside).is_null());
    REQUIRE(asked.ask("attempts", {}, outside) ==
            Value(Value::Map{{"attempts", Value::Array{}}, {"next", Value()}}));
  }
  REQUIRE(asked.ask("attempts", {}, 1)["attempts"].as<Value::Array>()->size() == 1);
  REQUIRE(asked.ask("spec", {}, 5).text_or("") == "its task");
  const auto letters = asked.ask("dead");
  REQUIRE(letters["letters"].as<Value::Array>()->size() == 1);
  REQUIRE((*letters["letters"].as<Value::Array>())[0]["project"].text_or("") == "acme/dead");
  REQUIRE(asked.ask("project", Value::Map{{"project", "zeta/b"}}).is_null());
  REQUIRE(asked.ask("project", Value::Map{{"project", "acme/a"}})["done"].int_or(0) == 2);
  REQUIRE(asked.ask("parts", Value::Map{{"project", "zeta/b"}}).is_null());
  REQUIRE(asked.ask("parts", Value::Map{{"project", "acme/a"}})["tasks"].int_or(0) == 2);
  std::vector<std::string> names;
  Value options = Value::Map{{"most", 1}};
  do {
    const auto page = asked.ask("projects", options);
    for (const auto& project : *page["projects"].as<Value::Array>())
      names.push_back(project["project"].text_or(""));
    options.set("after", page["next"]);
  } while (!options["after"].is_null());
  REQUIRE(names == std::vector<std::string>{"acme/a", "acme/dead"});
}

TEST_CASE("of letters within a prefix others are left on the list", "[within]") {
  Asked asked;
  asked.take({"acme/dead", "zeta/dead", "acme/dead"}, TaskState::kDead);
  SeqRanges seqs;
  seqs.add(1, 3);
  const auto answer = answer_to(
      Question{"peer", protocol::Discard{8, kOrigin, seqs.encode(), "acme/"}, {}}, asked.history);
  REQUIRE(answer.discard);
  SeqRanges inside;
  REQUIRE(inside.decode(answer.discard->payload));
  REQUIRE(inside.ranges() == std::map<Seq, Seq>{{1, 1}, {3, 3}});
  REQUIRE(answer.discard->request == 8);
}
