#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <random>

#include "common/protocol/codec.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/task_class.hpp"
#include "sink/io/answers.hpp"
#include "tests/unit/sink/history_rig.hpp"

using namespace eole;
using namespace eole::sink;
using namespace eole::sink::testing;
using protocol::TaskState;
using protocol::Value;

namespace {

using Offsets = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("history finds results by all that they are, the newest first", "[history]") {
  simulation::SimDisk disk(1);
  const Place place;
  Indexed indexed(disk, place);
  std::mt19937 random(4);
  const auto one_of = [&](std::initializer_list<const char*> names) {
    return std::string(names.begin()[random() % names.size()]);
  };
  const TaskState states[] = {TaskState::kDone, TaskState::kDone, TaskState::kFailed,
                              TaskState::kDead, TaskState::kCancelled};
  for (int i = 0; i < 3000; ++i) {
    Result result{states[random() % 5], one_of({"a", "b", "c", ""}), one_of({"echo", "exec"}),
                  one_of({"w1", "w2"}), 1000 + i + static_cast<int>(random() % 50)};
    if (result.state != TaskState::kDone)
      result.error = one_of({"connection refused", "exit code 1", "Timeout after 5 s"});
    else
      result.error = std::string(random() % 100, 'x');
    result.is_final = random() % 10 != 0 || result.state != TaskState::kFailed;
    indexed.take(result, result.worker == "w1" ? 7 : 8);
    if (i % 500 == 0) indexed.ask("history", {});  // It grows block by block, however it is asked.
  }
  const auto is_final = [](const Result& result) { return result.is_final; };
  CHECK(indexed.all({}) == indexed.modelled(is_final));
  for (const auto time : {Duration(1h), Duration(0)}) {  // Also if a page has no time.
    CHECK(indexed.all(Value::Map{{"state", "dead"}, {"limit", 7}}, time) ==
          indexed.modelled([](const auto& one) { return one.state == TaskState::kDead; }));
    CHECK(indexed.all(Value::Map{{"state", "failed,dead"}, {"limit", 7}},
                      time) == indexed.modelled([](const auto& one) {
      return one.is_final && (one.state == TaskState::kFailed || one.state == TaskState::kDead);
    }));
    CHECK(indexed.all(Value::Map{{"project", "a"}, {"kind", "exec"}, {"worker", "w2"}}, time) ==
          indexed.modelled([](const auto& one) {
            return one.is_final && one.project == "a" && one.kind == "exec" && one.worker == "w2";
          }));
    CHECK(indexed.all(Value::Map{{"since", 2000}, {"until", 2100}}, time) ==
          indexed.modelled([](const auto& one) {
            return one.is_final && one.finished >= 2000 && one.finished < 2100;
          }));
    CHECK(indexed.all(Value::Map{{"text", "timeout"}, {"project", "b"}, {"limit", 9}}, time) ==
          indexed.modelled([](const auto& one) {
            return one.is_final && one.project == "b" && one.error == "Timeout after 5 s";
          }));
  }
  CHECK(indexed.all(Value::Map{{"state", "retrying"}}) ==
        indexed.modelled([](const auto& one) { return !one.is_final; }));
  CHECK(indexed.all(Value::Map{{"text", "refused CONNECTION"}, {"since", 1500}}) ==
        indexed.modelled([](const auto& one) {
          return one.is_final && one.finished >= 1500 && one.error == "connection refused";
        }));
  CHECK(indexed.all(Value::Map{{"project", "nobody"}}).empty());
  CHECK(indexed.counted() == 3000);
}

TEST_CASE("history finds what has a key, and passes over blocks without it", "[history]") {
  simulation::SimDisk disk(1);
  const Place place;
  Indexed indexed(disk, place);
  for (int i = 0; i < 3000; ++i) {
    Result result{i % 4 == 0 ? TaskState::kFailed : TaskState::kDone, i % 2 == 0 ? "a" : "b"};
    result.error = std::string(i % 4 == 0 ? 1000 : 0, 'x');
    if (i % 7 == 0) result.key = "k" + std::to_string(i % 700);
    if (i == 1234) result.key = "alone";
    indexed.take(result);
    if (i % 500 == 0) indexed.ask("history", {});
  }
  const auto of = [&](const std::string& key, const std::string& project = "") {
    return indexed.modelled([&](const Result& result) {
      return result.key == key && (project.empty() || result.project == project);
    });
  };
  for (const auto time : {Duration(1h), Duration(0)}) {
    CHECK(indexed.all(Value::Map{{"key", "k42"}, {"limit", 2}}, time) == of("k42"));
    CHECK(indexed.all(Value::Map{{"key", "alone"}}, time) == of("alone"));
    CHECK(indexed.all(Value::Map{{"key", "k7"}, {"project", "b"}}, time) == of("k7", "b"));
    CHECK(indexed.all(Value::Map{{"key", "k8"}}, time).empty());
  }
  CHECK(of("alone").size() == 1);
}

TEST_CASE("history within a prefix finds, and counts, its projects' results alone", "[history]") {
  simulation::SimDisk disk(1);
  const Place place;
  Indexed indexed(disk, place);
  const char* projects[] = {"acme/a", "zeta/b", "", "acme/b", "acme"};
  for (int i = 0; i < 500; ++i)
    indexed.take({i % 3 == 0 ? TaskState::kFailed : TaskState::kDone, projects[i % 5], "echo", "w1",
                  1000, i % 3 == 0 ? "connection refused" : ""});
  const auto is_inside = [](const Result& result) { return result.project.starts_with("acme/"); };
  const auto has_failed = [&](const Result& result) {
    return is_inside(result) && result.state == TaskState::kFailed;
  };
  indexed.within = "acme/";
  CHECK(indexed.all({}) == indexed.modelled(is_inside));
  CHECK(indexed.all(Value::Map{{"limit", 7}, {"state", "failed"}}) == indexed.modelled(has_failed));
  CHECK(indexed.all(Value::Map{{"text", "refused"}}) == indexed.modelled(has_failed));
  CHECK(indexed.all(Value::Map{{"project", "zeta/b"}}).empty());
  CHECK(indexed.counted() == 200);
  indexed.within.clear();
  CHECK(indexed.counted() == 500);
}

TEST_CASE("how many ended in each step of time is what the log says", "[history]") {
  simulation::SimDisk disk(1);
  const Place place;
  Indexed indexed(disk, place);
  std::mt19937 random(6);
  const TaskState states[] = {TaskState::kDone, TaskState::kFailed, TaskState::kDead,
                              TaskState::kCancelled};
  std::int64_t now = 1'000'000;
  for (int i = 0; i < 4000; ++i) {
    if (i % 900 == 0) now += 500'000;         // A time in which nothing ended.
    now += static_cast<int>(random() % 400);  // In blocks of many steps, and of one.
    Result result{states[random() % 4], random() % 2 == 0 ? "a" : "b"};
    result.finished = now - static_cast<int>(random() % 50);
    result.is_final = random() % 10 != 0;
    indexed.take(result);
  }
  for (const std::int64_t step : {1'000, 77'777, 3'000'000})
    for (const std::string project : {"", "b"}) {
      INFO(step << " " << project);
      const auto since = std::max<std::int64_t>(1'400'000, now - 900 * step);
      const Value told = indexed.ask(
          "counts",
          Value::Map{{"since", since}, {"until", now - 100}, {"step", step}, {"project", project}});
      CHECK(told["counted_from"].is_null());
      std::map<std::string, std::vector<std::int64_t>> counts;
      for (const auto* name : {"done", "failed", "dead", "cancelled", "retrying"})
        counts[name].resize(static_cast<std::size_t>((now - 100 - since + step - 1) / step));
      for (const auto& each : indexed.model) {
        if (each.finished < since || each.finished >= now - 100) continue;
        if (!project.empty() && each.project != project) continue;
        const auto name = each.is_final ? std::string(to_text(each.state)) : "retrying";
        ++counts[name][static_cast<std::size_t>((each.finished - since) / step)];
      }
      for (const auto& [name, wanted] : counts) {
        Value::Array list;
        for (const auto count : wanted) list.emplace_back(count);
        CHECK(told[name] == Value(list));
      }
    }
  const Value two = indexed.ask(
      "counts", Value::Map{{"since", 0}, {"until", now}, {"step", now}, {"state", "dead,done"}});
  CHECK((!two["dead"].is_null() && !two["done"].is_null() && two["failed"].is_null()));
  // With no time at all: the newest block, and where the counting stopped.
  const Value some = indexed.ask(
      "counts", Value::Map{{"since", 0}, {"until", now}, {"step", 10'000'000}}, Duration{});
  CHECK(some["counted_from"].int_or(0) > 1'400'000);
  for (const auto& options :
       {Value::Map{{"since", 5}}, Value::Map{{"since", 0}, {"until", 5000}, {"step", 1}},
        Value::Map{{"since", 0}, {"until", 9}, {"step", 1}, {"text", "a"}}})
    CHECK_FALSE(indexed.try_to_ask("counts", options));
}

TEST_CASE("a row of the history says what became of a task in a line", "[history]") {
  simulation::SimDisk disk(1);
  const Place place;
  Indexed indexed(disk, place);
  indexed.take({TaskState::kDone, "p"});
  Result dead{TaskState::kDead, "p", "exec", "", 1000, "dead after 3 attempts"};
  dead.args = Value::Map{{"command", "convert holiday.png"}};
  indexed.take(dead);
  const auto page = indexed.ask("history", Value::Map{{"project", "p"}});
  const auto& rows = *page["rows"].as<Value::Array>();
  REQUIRE(rows.size() == 2);
  CHECK(rows[1] == Value(Value::Map{{"offset", 0},
                                    {"id", to_text(TaskId{kOrigin, 1})},
                                    {"kind", "echo"},
                                    {"project", "p"},
                                    {"state", "done"},
                                    {"worker", "w1"},
                                    {"attempts", 2},
                                    {"submitted", 850},
                                    {"began", 900},
                                    {"ended", 1000},
                                    {"summary", "v1"}}));
  const auto brief = indexed.ask("history", Value::Map{{"limit", 20'000}, {"brief", 1}});
  CHECK(brief["rows"] ==
        Value(Value::Array{
            Value::Map{{"offset", 1}, {"id", to_text(TaskId{kOrigin, 2})}, {"state", "dead"}},
            Value::Map{{"offset", 0}, {"id", to_text(TaskId{kOrigin, 1})}, {"state", "done"}}}));
  CHECK(rows[0]["summary"] == "command=convert holiday.png");
  CHECK(rows[0]["error"] == "dead after 3 attempts");
  CHECK(page["complete"] == Value(true));
  CHECK(page["as_of"] == 2);
  CHECK(indexed.all(Value::Map{{"text", "holiday"}}) == Offsets{1});  // Of its arguments.
  CHECK(indexed.all(Value::Map{{"text", "v1"}}) == Offsets{0});
  const auto counts = indexed.ask("counts", {});
  CHECK(counts["counts"] ==
        Value(Value::Array{
            Value::Map{{"state", "done"}, {"kind", "echo"}, {"project", "p"}, {"results", 1}},
            Value::Map{{"state", "dead"}, {"kind", "exec"}, {"project", "p"}, {"results", 1}}}));
}

TEST_CASE("pages follow one another without gap or repeat while results come", "[history]") {
  simulation::SimDisk disk(1);
  const Place place;
  Indexed indexed(disk, place);
  for (int i = 0; i < 100; ++i) indexed.take({TaskState::kDone, i % 2 == 0 ? "even" : "odd"});
  Value options = Value::Map{{"project", "even"}, {"limit", 7}};
  Offsets found;
  do {
    const auto page = indexed.ask("history", options);
    for (const auto& row : *page["rows"].as<Value::Array>())
      found.push_back(row["offset"].int_or(-1));
    options.set("cursor", page["next"]);
    indexed.take({TaskState::kDone, "even"});
  } while (!options["cursor"].is_null());
  REQUIRE(found.size() == 50);
  for (std::size_t i = 0; i < found.size(); ++i)
    REQUIRE(found[i] == 98 - 2 * static_cast<std::int64_t>(i));
}

TEST_CASE("the index goes on where it was, and counts nothing twice", "[history]") {
  simulation::SimDisk disk(1);
  const Place place;
  {
    Indexed indexed(disk, place);
    for (int i = 0; i < 200; ++i)
      indexed.take({i > 100 ? TaskState::kFailed : TaskState::kDone, "p", "echo", "w1", 1000,
                    i > 100 ? "broken" : ""});
    for (int i = 0; i < 20; ++i)  // A batch each: the page has no time.
      CHECK(indexed.ask("history", {}, Duration(0))["as_of"].int_or(0) == i + 1);
  }
  for (int life = 0; life < 3; ++life) {
    Indexed again(disk, place);
    again.ask("history", {}, Duration(0));
    CHECK(again.all(Value::Map{{"text", "broken"}}).size() == 99);
    CHECK(again.counted() == 200);
  }
}

TEST_CASE("an index that is damaged, older or of another log is made anew", "[history]") {
  simulation::SimDisk disk(1);
  const Place place;
  const auto fill = [](Indexed& indexed, const std::string& project) {
    for (int i = 0; i < 50; ++i) indexed.take({TaskState::kDone, project});
  };
  {
    Indexed indexed(disk, place);
    fill(indexed, "p");
    CHECK(indexed.all({}).size() == 50);
  }
  const auto check = [&](const char* what) {
    INFO(what);
    Indexed again(disk, place);
    CHECK(again.all(Value::Map{{"project", "p"}}).size() == 50);
    CHECK(again.counted() == 50);
  };
  std::ofstream(place.file()) << std::string(8192, 'x');
  check("no database");
  {
    std::fstream file(place.file(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096 + 8);
    file << std::string(4000, '\xff');
  }
  check("damaged");
  {
    Database database(place.file());
    database.run("PRAGMA user_version = 99");
  }
  check("of another format");
  {
    Database database(place.file());
    database.run("DROP TABLE block");
  }
  check("without a table");
  {
    Database database(place.file());
    database.run("UPDATE place SET crc = crc + 1");
  }
  check("of another state of the log");
  simulation::SimDisk another(2);
  Indexed other(another, place, 64ULL << 20, 2);
  fill(other, "q");
  CHECK(other.all({}).size() == 50);
  CHECK(other.all(Value::Map{{"project", "p"}}).empty());
}

TEST_CASE("what the log no longer keeps leaves the index", "[history]") {
  simulation::SimDisk disk(1);
  const Place place;
  Indexed indexed(disk, place, 65'536);
  const auto error = std::string(60, 'x').append(" broken");
  for (int i = 0; i < 2000; ++i)
    indexed.take({TaskState::kFailed, i < 10 ? "first" : "p", "echo", "w1", 1000, error});
  CHECK(indexed.all({}).size() == 2000);
  CHECK(indexed.counted() == 2000);
  CHECK(indexed.all(Value::Map{{"project", "first"}}).size() == 10);
  indexed.history.release(2);
  const auto kept_from = indexed.history.kept_from();
  CHECK(kept_from > 100);
  const auto wanted = indexed.modelled([](const auto&) { return true; }, kept_from);
  CHECK(indexed.all({}) == wanted);
  CHECK(indexed.all(Value::Map{{"text", "broken"}}) == wanted);
  CHECK(indexed.all(Value::Map{{"project", "first"}}).empty());
  // A block that is cut in two stays until all of it is gone.
  const auto counted = indexed.counted();
  CHECK(counted >= static_cast<std::int64_t>(wanted.size()));
  CHECK(counted < static_cast<std::int64_t>(wanted.size()) + 1000);
  const auto counts = indexed.ask("counts", {});
  INFO(counts.to_json());
  CHECK(counts["counts"].as<Value::Array>()->size() == 1);
}

TEST_CASE("history finds what a task was asked for and what came out, however it ended", "[history]") {
  simulation::SimDisk disk(1);
  const Place place;
  Indexed indexed(disk, place);
  const TaskState states[] = {TaskState::kDone, TaskState::kFailed, TaskState::kCancelled};
  for (int i = 0; i < 3000; ++i) {
    Result result{states[i % 3], "", "exec"};
    result.args = Value::Map{{"argv", Value::Array{"convert", "été-" + std::to_string(i / 2) + ".png"}}};
    if (result.state != TaskState::kDone) result.error = "broken";
    indexed.take(result);
    if (i % 500 == 0) indexed.ask("history", {});
  }
  for (const auto time : {Duration(1h), Duration(0)}) {
    CHECK(indexed.all(Value::Map{{"text", "1000"}}, time) == Offsets{2001, 2000});
    CHECK(indexed.all(Value::Map{{"text", "ETE-7.png convert"}}, time) == Offsets{15, 14});
    CHECK(indexed.all(Value::Map{{"text", "v4"}}, time) == Offsets{3});  // Its value.
    CHECK(indexed.all(Value::Map{{"text", "1000 convert"}, {"state", "failed"}}, time).empty());
    CHECK(indexed.all(Value::Map{{"text", "1000"}, {"state", "cancelled"}}, time) == Offsets{2000});
    CHECK(indexed.all(Value::Map{{"text", "convert"}}, time).size() == 3000);
    CHECK(indexed.all(Value::Map{{"text", "7777"}}, time).empty());
  }
  const auto row = (*indexed.ask("history", Value::Map{{"text", "1499"}})["rows"].as<Value::Array>())[0];
  CHECK(row["summary"] == R"(argv=["convert","été-1499.png"])");
}

TEST_CASE("what cannot be read is told as damage, and not as the fault of who asked", "[history]") {
  simulation::SimDisk disk(1);
  const Place place;
  Indexed indexed(disk, place);
  for (int i = 0; i < 300; ++i) indexed.take({TaskState::kDead, "p", "echo", "w1", 1, "broken"});
  CHECK(indexed.all({}).size() == 300);
  CHECK(indexed.try_to_ask("history", Value::Map{{"text", "?"}}).error().code == ErrorCode::kBad);
  SECTION("the log") {
    disk.flip_bit("00000001.seg", 9000);
    const Question asked{"peer", protocol::Query{7, "dead", 0, 0, {}}, {}};
    const auto answer = answer_to(asked, indexed.history, 1h, &indexed.index, nullptr);
    const auto head = protocol::HeadReader::parse(answer.message.head);
    const auto refused = protocol::decode<protocol::Refused>(*head, {});
    REQUIRE(refused);
    CHECK(refused->code == "damaged");
    CHECK(refused->reason.starts_with("log: "));
  }
  SECTION("the index") {
    HistoryIndex nowhere("/proc/none");
    const auto answer = answer_to(protocol::Query{1, "history", 0, 0, {}}, {}, indexed.history, 1h, &nowhere);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ErrorCode::kDamaged);
  }
}

TEST_CASE("whatever is looked for is words, and no expression", "[history]") {
  simulation::SimDisk disk(1);
  const Place place;
  Indexed indexed(disk, place);
  const std::string errors[] = {
      "exit code 1",      "can't open \"photo.png\"",         "Größe überschritten",
      "a AND b OR NOT c", "col:value* ^x (y) {z} + - NEAR/2", std::string("nul\0inside", 10),
      "\xff\xfe no text"};
  for (const auto& error : errors) indexed.take({TaskState::kFailed, "p", "echo", "w1", 1, error});
  const auto find = [&](const std::string& words) {
    return indexed.all(Value::Map{{"text", words}});
  };
  CHECK(find("code exit") == Offsets{0});
  CHECK(find("\"photo.png\"") == Offsets{1});
  CHECK(find("can't") == Offsets{1});
  CHECK(find("grösse").empty());
  CHECK(find("GRÖßE") == Offsets{2});
  CHECK(find("AND") == Offsets{3});
  CHECK(find("NOT OR") == Offsets{3});
  CHECK(find("value*") == Offsets{4});
  CHECK(find("col:value* {z} +") == Offsets{4});
  CHECK(find("no text") == Offsets{6});
  CHECK(find("grosze uberschritten").empty());
  CHECK(find("ubersch").empty());  // Words, whole.
  CHECK(find("UBERSCHRITTEN") == Offsets{2});
  CHECK(find("exit-code") == Offsets{0});
  CHECK(find("code-exit").empty());  // One word: in this order.
  CHECK(find(std::string("nul\0inside", 10)) == Offsets{5});
  for (const auto* hostile : {"\"", "a\"", "\"a", "a\" OR \"b", "text:x", "x) OR (y", "' OR 1=1 --",
                              "terms:s2", "s2", "*a", "^a", "NEAR(a b)", "a\\", "\xc3\x28", "\xff\xfe",
                              "\u202e"
                              "a"}) {
    INFO(hostile);
    const auto answer = indexed.try_to_ask("history", Value::Map{{"text", hostile}});
    if (answer)
      CHECK((*answer)["rows"].as<Value::Array>()->size() <= 1);
    else
      CHECK(answer.error().message.find("no letter or digit") != std::string::npos);
  }
  CHECK(indexed.all({}).size() == std::size(errors));
}

TEST_CASE("an option of the history that makes no sense is refused by name", "[history]") {
  simulation::SimDisk disk(1);
  const Place place;
  Indexed indexed(disk, place);
  const std::pair<Value, std::string> bad[] = {
      {Value::Map{{"state", "lost"}},
       "history: state \"lost\": none of done, failed, dead, cancelled, retrying"},
      {Value::Map{{"state", 3}}, "history: state 3: none of"},
      {Value::Map{{"state", "failed,"}}, "history: state \"failed,\": none of"},
      {Value::Map{{"limit", 0}}, "history: limit 0, limits 1 and 1000"},
      {Value::Map{{"limit", 1001}}, "history: limit 1001, limits 1 and 1000"},
      {Value::Map{{"limit", 20'001}, {"brief", 1}}, "history: limit 20001, limits 1 and 20000"},
      {Value::Map{{"brief", 2}}, "history: brief 2, limits 0 and 1"},
      {Value::Map{{"limit", "9"}}, "history: limit \"9\": no number"},
      {Value::Map{{"cursor", -1}}, "history: cursor -1, limits 0 and"},
      {Value::Map{{"since", 9}, {"until", 8}}, "history: since 9 is after until 8"},
      {Value::Map{{"project", 5}}, "history: project: no text"},
      {Value::Map{{"kind", std::string(256, 'x')}}, "history: kind: 256 bytes, limit 255"},
      {Value::Map{{"text", std::string(257, 'x')}}, "history: text: 257 bytes, limit 256"},
      {Value::Map{{"text", " -- "}}, "history: text \" -- \": no letter or digit"},
      {Value::Map{{"colour", "x"}}, "history: option colour: not known"},
      {Value::Map{{"step", 5}}, "history: step: is of counts"},
      {Value::Array{}, "history: the options are no map"}};
  for (const auto& [options, message] : bad) {
    const auto answer = indexed.try_to_ask("history", options);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().message.find(message) == 0);
  }
  const auto counts = indexed.try_to_ask("counts", Value::Map{{"project", "p"}});
  REQUIRE_FALSE(counts);
  CHECK(counts.error().message == "counts: over time takes since, until and step");
  CHECK_FALSE(std::filesystem::exists(place.path + "/index"));  // Nobody asked for anything.
}

TEST_CASE("an index is kept once somebody has asked for it, and lags behind", "[history]") {
  simulation::SimDisk disk(1);
  const Place place;
  Indexed indexed(disk, place);
  const auto tell = [&] { indexed.history.take(indexed.log->take_news()); };
  indexed.take({});
  tell();
  CHECK_FALSE(indexed.index.due(indexed.history));
  CHECK(indexed.all({}).size() == 1);
  CHECK_FALSE(indexed.index.due(indexed.history));
  for (int i = 0; i < 100; ++i) indexed.take({});
  tell();
  HistoryIndex again(place.path + "/none");
  CHECK_FALSE(again.due(indexed.history));
  while (indexed.index.due(indexed.history)) indexed.index.work(indexed.history);
  CHECK(indexed.ask("history", {}, Duration(0))["as_of"].int_or(0) == 101);
}

TEST_CASE("an index leaves the last of a disk to the log, and says how far it is", "[history]") {
  simulation::SimDisk disk(1);
  const Place place;
  Indexed indexed(disk, place);
  for (int i = 0; i < 10; ++i) indexed.take({});
  disk.set_free_bytes(1 << 20);
  const auto page = indexed.ask("history", {});
  CHECK(page["complete"] == Value(false));
  CHECK(page["as_of"] == 0);
  CHECK(page["head"] == 10);
  REQUIRE(indexed.index.due(indexed.history));
  const auto before = *indexed.index.due(indexed.history);
  indexed.index.work(indexed.history);
  CHECK(*indexed.index.due(indexed.history) > before + 1s);  // It does not try all the time.
  disk.set_free_bytes(1ULL << 40);
  CHECK(indexed.all({}).size() == 10);
}

TEST_CASE("a sink without a place for an index says that it knows no such query", "[history]") {
  simulation::SimDisk disk(1);
  const Place place;
  Indexed indexed(disk, place);
  const protocol::Query query{1, "history", 0, 0, {}};
  CHECK_FALSE(answer_to(query, {}, indexed.history));
}
