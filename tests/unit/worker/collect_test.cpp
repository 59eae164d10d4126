#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "common/base/text.hpp"
#include "common/process/hash.hpp"
#include "common/process/system.hpp"
#include "worker/handlers/kinds.hpp"
#include "worker/handlers/parts.hpp"
#include "worker/runners/part_lists.hpp"

using namespace eole;
using namespace eole::worker;
using protocol::Blob;

namespace {

Value json(std::string_view text) { return *Value::from_json(text); }
std::string id_of(Seq seq) { return to_text(TaskId{5, seq}); }

/// A sink with the results of a project, in pages of two.
class Sink final : public TaskContext {
 public:
  Sink() {
    std::string name = std::filesystem::temp_directory_path() / "eole-collect-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory_ = name;
  }
  ~Sink() override { std::filesystem::remove_all(directory_); }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  void end(Seq seq, Value result, const char* state = "done") {
    result.set("id", id_of(seq));
    result.set("state", state);
    results.push_back(std::move(result));
  }
  Value file(const std::string& bytes, const std::string& name) {
    const auto sha256 = hex(process::sha256(bytes));
    artifacts[sha256] = bytes;
    return Value::Map{{"sha256", sha256}, {"bytes", bytes.size()}, {"name", name}};
  }
  Outcome collect(const std::string& how, const std::string& project = "") {
    Value args = Value::Map{{"how", how}};
    if (!project.empty()) args.set("project", project);
    return run_collect(args, *this);
  }
  static std::string bytes_of(const Outcome& outcome) {
    REQUIRE(outcome.files.size() == 1);
    return read_file(outcome.files[0].path);
  }
  static std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string task_id() const override { return id_of(1000); }
  std::string project() const override { return project_; }
  std::string traceparent() const override { return {}; }
  std::uint32_t attempt() const override { return 1; }
  bool is_cancelled() const override { return is_cancelled_; }
  void end_by(TimePoint, std::chrono::milliseconds) override {}
  int cancel_fd() const override { return -1; }
  void progress(std::uint64_t, std::uint64_t, std::string_view) override {}
  void output(std::string_view, std::string_view) override {}
  std::string scratch_path(std::string_view suffix) override {
    return text(directory_, "/", suffix);
  }
  std::string scratch_directory() override { return directory_; }
  std::optional<std::string> lasting_path() override { return std::nullopt; }
  bool has_lasting() const override { return false; }
  Expected<void> fetch(const std::string&, const std::string&, std::uint64_t) override {
    return Error{"not asked for"};
  }
  Expected<void> read(const std::string& sha256, const OnBytes& on_bytes) override {
    const auto found = artifacts.find(sha256);
    if (found == artifacts.end()) return Error{text("artifact ", sha256, ": not there")};
    on_bytes(found->second);
    return {};
  }
  Expected<Value> parts(const std::string& project, const Value& from) override {
    if (project != "photos") return Value();
    const auto first = static_cast<std::size_t>(from.int_or(0));
    Value::Array page;
    for (auto i = first; i < std::min(first + 2, results.size()); ++i) page.push_back(results[i]);
    const auto next = first + page.size();
    return Value(Value::Map{{"parts", std::move(page)},
                            {"tasks", results.size() + lost},
                            {"next", next < results.size() ? Value(next) : Value()}});
  }
  void reach(const std::string&, std::uint64_t, std::uint64_t) override {}
  Expected<std::string> hand_over(const std::string&, std::uint64_t) override {
    return Error{"nothing is handed over"};
  }
  Expected<std::string> keep(std::string_view) override { return Error{"nothing is kept"}; }
  void take_back(const std::string&) override {}
  Expected<std::string> secret(const std::string&) override { return Error{"none"}; }
  const Mask& mask() const override { throw std::logic_error("there are no secrets"); }
  Web& web() override { throw std::logic_error("nothing is collected from the web"); }
  ProcessRunner* runner() override { return nullptr; }

  std::vector<Value> results;
  std::map<std::string, std::string> artifacts;
  std::size_t lost = 0;
  bool is_cancelled_ = false;
  std::string project_ = "photos/collect";

 private:
  std::string directory_;
};

Value of(Value value) { return Value::Map{{"value", std::move(value)}}; }

}  // namespace

TEST_CASE("outputs are put together in the order of the tasks, however they ended", "[collect]") {
  Sink sink;
  sink.end(3, of("third"));
  sink.end(1, of(Blob{"first\xff"}));
  sink.end(2,
           Value::Map{{"artifact", sink.file("second", "a.txt")}, {"value", json(R"({"n":2})")}});
  sink.end(5, of(json(R"({"n":5})")));
  sink.end(4, Value::Map{});
  const auto outcome = sink.collect("concat");
  REQUIRE(outcome.is_done);
  CHECK(Sink::bytes_of(outcome) == "first\xffsecondthird{\"n\":5}\n");
  CHECK(outcome.files[0].name == "photos");
  CHECK(outcome.value == json(R"({"parts":5,"bytes":25})"));
  CHECK(sink.collect("concat", "films").error ==
        "collect: project films: the sink knows no task of it that has ended");
}

TEST_CASE("of commands it is what they printed", "[collect]") {
  Sink sink;
  sink.end(2, Value::Map{{"value", json(R"({"exit_code":0,"stdout":"be…","stdout_bytes":5})")},
                         {"artifacts", Value::Array{sink.file("noise", "stderr"),
                                                    sink.file("bells", "stdout")}}});
  sink.end(1, of(json(R"({"exit_code":0,"stdout":"all ","stderr":"noise"})")));
  CHECK(Sink::bytes_of(sink.collect("concat")) == "all bells");
  sink.end(3, of(json(R"({"exit_code":0,"stdout":"be…","stdout_bytes":5})")));
  CHECK(sink.collect("concat").error ==
        text("collect: project photos: part ", id_of(3),
             ": it printed 5 bytes, of which 0 are kept (output_max)"));
}

TEST_CASE("parts of a file are joined if they are of one version, in order, and all of it",
          "[collect]") {
  // What one part says of itself, after "abc" at 0 of a file of 5 bytes.
  const auto joined = [](const char* second) {
    Sink sink;
    const auto end = [&](Seq seq, const char* bytes, Value value) {
      sink.end(seq,
               Value::Map{{"artifact", sink.file(bytes, "part")}, {"value", std::move(value)}});
    };
    end(1, "abc", json(R"({"part":{"number":1,"of":2,"from":0,"total":5,"version":"v1"}})"));
    if (*second != '\0') end(2, "de", json(second));
    const auto outcome = sink.collect("concat");
    return outcome.is_done ? Sink::bytes_of(outcome) : outcome.error;
  };
  CHECK(joined(R"({"part":{"number":2,"of":2,"from":3,"total":5,"version":"v1"}})") == "abcde");
  const auto is_refused = [&](const char* second, std::string_view why) {
    return joined(second).find(why) != std::string::npos;
  };
  CHECK(is_refused(R"({"part":{"number":2,"of":2,"from":3,"total":5,"version":"v2"}})",
                   "of another file or version: its version is"));
  CHECK(is_refused(R"({"part":{"number":2,"of":2,"from":3,"total":6,"version":"v1"}})",
                   "its total is"));
  CHECK(is_refused(R"({"part":{"number":3,"of":2,"from":4,"total":5,"version":"v1"}})",
                   "begins at 4, the parts before it end at 3"));
  CHECK(is_refused("{}", "is no part of a file, and others are"));
  CHECK(is_refused("", "the parts have 3 bytes, the file 5"));
}

TEST_CASE("a list of values is told if it is short, and a file in any case", "[collect]") {
  Sink sink;
  sink.end(2, of(json(R"({"b":[2]})")));
  sink.end(1, of(1));
  const auto outcome = sink.collect("json");
  CHECK(outcome.value["list"] == json(R"([1,{"b":[2]}])"));
  CHECK(json(Sink::bytes_of(outcome)) == outcome.value["list"]);
  CHECK(outcome.files[0].name == "photos.json");
  for (Seq seq = 3; seq < 10; ++seq) sink.end(seq, of(std::string(30'000, 'x')));
  const auto large = sink.collect("json");
  CHECK(large.value["list"].is_null());
  CHECK(json(Sink::bytes_of(large)).as<Value::Array>()->size() == 9);
}

TEST_CASE("numbers are summed, those of maps by their names", "[collect]") {
  const auto sum = [](std::initializer_list<const char*> values) {
    Sink sink;
    Seq seq = 0;
    for (const auto* value : values) sink.end(++seq, of(json(value)));
    const auto outcome = sink.collect("sum");
    return outcome.is_done ? outcome.value["sum"].to_json() : outcome.error;
  };
  const auto failed = [](Seq seq, const char* why) {
    return text("collect: project photos: part ", id_of(seq), ": ", why);
  };
  CHECK(sum({"1", "2", "39"}) == "42");
  CHECK(sum({"1", "0.5"}) == "1.5");
  CHECK(sum({R"({"a":1,"b":{"c":2}})", R"({"a":3,"d":4})", R"({"b":{"c":5}})"}) ==
        R"({"a":4,"b":{"c":7},"d":4})");
  CHECK(sum({"1", "\"two\""}) == failed(2, "value is no number"));
  CHECK(sum({R"({"a":{"b":1}})", R"({"a":{"b":null}})"}) == failed(2, "value.a.b is no number"));
  CHECK(sum({"1", R"({"a":1})"}) == failed(2, "value is a map, and a number elsewhere"));
  CHECK(sum({"9223372036854775807", "1"}) == failed(2, "value: the sum is beyond 64 bits"));
}

TEST_CASE("a manifest has size and digest of each part, and each was read", "[collect]") {
  Sink sink;
  const auto file = sink.file("second", "a.txt");
  sink.end(2, Value::Map{{"artifact", file}});
  sink.end(1, of("first"));
  const auto outcome = sink.collect("manifest");
  REQUIRE(outcome.is_done);
  CHECK(outcome.value["list"] ==
        Value(Value::Array{
            Value::Map{{"id", id_of(1)}, {"bytes", 5}, {"sha256", hex(process::sha256("first"))}},
            Value::Map{
                {"id", id_of(2)}, {"name", "a.txt"}, {"bytes", 6}, {"sha256", file["sha256"]}}}));
  sink.artifacts.at(file["sha256"].text_or("")) = "sec";
  CHECK(sink.collect("manifest").error == text("collect: project photos: part ", id_of(2),
                                               ": artifact ", file["sha256"].text_or(""),
                                               ": has 3 bytes, its result says 6"));
  sink.artifacts.clear();
  CHECK(sink.collect("manifest").error == text("collect: project photos: part ", id_of(2),
                                               ": artifact ", file["sha256"].text_or(""),
                                               ": not there"));
}

TEST_CASE("what was not done is named, and nothing is put together without it", "[collect]") {
  Sink sink;
  sink.end(4, Value::Map{{"error", "why"}}, "dead");
  sink.end(1, of("first"));
  sink.end(2, Value::Map{}, "cancelled");
  CHECK(sink.collect("json").error == text("collect: project photos: 2 of 3 parts were not done: ",
                                           id_of(2), " cancelled, ", id_of(4), " dead"));
  for (Seq seq = 10; seq < 20; ++seq) sink.end(seq, Value::Map{}, "failed");
  const auto error = sink.collect("sum").error;
  CHECK(error.ends_with(text(id_of(15), " failed, …")));
  sink.results.resize(3);
  sink.lost = 1;
  CHECK(sink.collect("sum").error == "collect: project photos: the log has 3 of its 4 parts");
}

TEST_CASE("what was done anew takes the place of what was not", "[collect]") {
  Sink sink;
  const auto anew = [&](Seq seq, const char* value, const char* state = "done") {
    auto result = of(value);
    result.set("instead_of", id_of(1));
    sink.end(seq, result, state);
  };
  sink.end(2, of("b"));
  sink.end(1, Value::Map{}, "failed");
  anew(5, "", "failed");
  CHECK(sink.collect("concat").error ==
        text("collect: project photos: 1 of 2 parts was not done: ", id_of(5), " failed"));
  anew(6, "a");
  anew(7, "", "cancelled");
  const auto outcome = sink.collect("concat");
  CHECK(Sink::bytes_of(outcome) == "ab");
  CHECK(outcome.value == json(R"({"parts":2,"bytes":2})"));
}

TEST_CASE("a collect that is told to end does", "[collect]") {
  Sink sink;
  sink.end(1, of("first"));
  sink.is_cancelled_ = true;
  CHECK(sink.collect("concat").error == "cancelled");
}

TEST_CASE("any last task may have the parts as a file of lines, in their order", "[collect]") {
  Sink sink;
  sink.end(2, of(Blob{"\xff"}));
  sink.end(1, of(json(R"({"n":1})")));
  auto args = json(R"({"argv":["./merge",{"$parts":true}],"env":{"PARTS":{"$parts":"photos"}}})");
  const auto put = put_part_lists(args, sink);
  REQUIRE(put);
  const auto path = args["env"]["PARTS"].text_or("");
  CHECK(path.starts_with("/"));
  CHECK(args["argv"] == Value(Value::Array{"./merge", path}));
  CHECK(Sink::read_file(path) == text(R"({"id":")", id_of(1), R"(","value":{"n":1}})", "\n",
                                      R"({"id":")", id_of(2), R"(","value":{"base64":"/w=="}})",
                                      "\n"));
}

TEST_CASE("parts that cannot be had are told by what is wrong", "[collect]") {
  Sink sink;
  sink.end(1, Value::Map{}, "failed");
  const auto told = [&](const char* args) {
    auto given = json(args);
    const auto put = put_part_lists(given, sink);
    return put ? "good" : put.error().message;
  };
  CHECK(told(R"({"a":{"$parts":true}})") ==
        text("$parts photos: 1 of 1 parts was not done: ", id_of(1), " failed"));
  CHECK(told(R"([{"$parts":"films"}])") ==
        "$parts films: the sink knows no task of it that has ended");
  CHECK(told(R"({"$parts":1})") == "$parts: must be true, or a project's name");
  CHECK(told(R"({"$parts":true,"path":"a"})") == "$parts: a reference has nothing beside it");
  sink.project_ = "photos";
  CHECK(told(R"({"$parts":true})") ==
        "$parts: names no project, and this is no project's last task");
}
