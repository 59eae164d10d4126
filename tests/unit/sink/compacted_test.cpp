#include "sink/io/compacted.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "common/protocol/value.hpp"
#include "sink/io/answers.hpp"
#include "sink/io/history.hpp"
#include "sink/io/result_log.hpp"
#include "tests/simulation/sim_disk.hpp"

using namespace eole;
using namespace eole::sink;
using protocol::TaskState;
using protocol::Value;

namespace {

struct Written {
  std::uint64_t offset = 0;
  std::string project;
  std::string key;
  std::string body;
  TaskState state = TaskState::kDone;
};

Bytes batch_of(const Written& written) {
  protocol::ResultRecord result;
  result.id = {5, written.offset + 1};
  result.state = written.state;
  result.project = written.project;
  result.key = written.key;
  result.body = written.body;
  Bytes records;
  put_result(records, result);
  return protocol::encode_batch({written.offset, 7, 0, 1, "w1", records});
}

using Found = std::vector<std::pair<std::uint64_t, std::string>>;  // Offsets and bodies.

Found found_in(const Bytes& payload) {
  Found found;
  for (ByteReader reader(payload); !reader.is_done();) {
    const auto batch = *protocol::read_batch(reader.take(reader.get<std::uint32_t>()));
    REQUIRE(batch.worker == "w1");
    found.emplace_back(batch.first_offset, protocol::ResultReader(batch.records).next()->body);
  }
  return found;
}

/// A disk, and what was compacted on it, page by page.
struct Kept {
  explicit Kept(std::set<std::string> wanted = {"users"}, std::uint64_t bytes_max = 1 << 20)
      : projects(std::move(wanted)), most(bytes_max) {
    open();
  }
  void open(std::uint64_t log = 9) {
    compacted.emplace(*directory, projects, most);
    compacted->open(log);
  }
  /// A segment goes.
  void add(const std::vector<Written>& segment) {
    compacted->add(segment.front().offset, [&](const Compacted::OnBatch& on_batch) {
      for (const auto& written : segment) on_batch(*protocol::read_batch(batch_of(written)));
    });
  }
  Found read(const std::string& project, std::uint64_t offset, std::uint64_t end,
             std::size_t bytes = 200) {
    Bytes payload;
    while (offset < end) {
      Bytes page;
      const auto next = compacted->read(project, offset, end, bytes, page);
      REQUIRE(next > offset);
      offset = next;
      payload += page;
    }
    return found_in(payload);
  }
  simulation::SimDisk disk{1};
  std::unique_ptr<storage::Directory> directory = disk.open();
  std::set<std::string> projects;
  std::uint64_t most;
  std::optional<Compacted> compacted;
};

}  // namespace

TEST_CASE("the last record of each key is left of segments that go", "[compacted]") {
  std::mt19937_64 random(GENERATE(1, 2, 3, 4, 5));
  Kept kept({"users", "shops"});
  std::map<std::string, std::map<std::string, Written>> truth;
  std::uint64_t offset = 0;
  for (int segment = 0; segment < 30; ++segment) {
    std::vector<Written> written;
    for (int i = 0; i < 40; ++i) {
      Written one{offset++, random() % 3 == 0 ? "shops" : "users",
                  "k" + std::to_string(random() % 50), std::string(random() % 300, 'x')};
      if (random() % 4 == 0) one.project = "others";
      if (random() % 5 == 0) one.key.clear();
      if (random() % 5 == 0) one.state = TaskState::kFailed;
      if (!one.key.empty() && one.state == TaskState::kDone) truth[one.project][one.key] = one;
      written.push_back(std::move(one));
    }
    kept.add(written);
    if (random() % 4 == 0) kept.add(written);  // The sink was killed before the segment was gone.
    if (random() % 4 == 0) kept.disk.cut_power(), kept.directory = kept.disk.open(), kept.open();
    for (const auto* project : {"users", "shops"}) {
      std::map<std::uint64_t, std::string> wanted;
      for (const auto& [key, one] : truth[project]) wanted[one.offset] = one.body;
      REQUIRE(kept.read(project, 0, offset) == Found(wanted.begin(), wanted.end()));
      const auto from = random() % offset;
      wanted.erase(wanted.begin(), wanted.lower_bound(from));
      REQUIRE(kept.read(project, from, offset) == Found(wanted.begin(), wanted.end()));
    }
    REQUIRE(kept.read("others", 0, offset).empty());
  }
  REQUIRE(kept.compacted->from("users") == 0);
  REQUIRE_FALSE(kept.compacted->from("others"));
}

TEST_CASE("beyond its size the oldest of what is compacted goes, and that is said", "[compacted]") {
  Kept kept({"users"}, 1000);
  for (std::uint64_t offset = 0; offset < 20; ++offset)
    kept.add({{offset, "users", "k" + std::to_string(offset), std::string(100, 'x')}});
  const auto from = kept.compacted->from("users");
  REQUIRE(from > 10);
  REQUIRE(kept.read("users", *from, 20).size() == 20 - *from);
  REQUIRE(kept.disk.size_of("compacted") <= 1100);
  kept.open();
  REQUIRE(kept.compacted->from("users") == from);
  // One key that is written again and again needs no more room.
  for (std::uint64_t offset = 20; offset < 40; ++offset)
    kept.add({{offset, "users", "k19", std::string(100, 'x')}});
  REQUIRE(kept.compacted->from("users") == from);
}

TEST_CASE("what is whole of a project begins where it was first compacted", "[compacted]") {
  Kept kept({"users"});
  kept.add({{0, "shops", "a", "x"}, {1, "users", "a", "x"}});
  kept.projects = {"shops", "users"};
  kept.open();
  kept.add({{2, "users", "b", "x"}});
  REQUIRE_FALSE(kept.compacted->from("shops"));
  kept.add({{3, "shops", "b", "x"}});
  REQUIRE(kept.compacted->from("shops") == 3);
  REQUIRE(kept.compacted->from("users") == 0);
  // Not wanted for a while: what went meanwhile is missing.
  kept.projects = {"users"};
  kept.open();
  kept.projects = {"shops", "users"};
  kept.open();
  REQUIRE_FALSE(kept.compacted->from("shops"));
  REQUIRE(kept.read("users", 0, 9) == Found{{1, "x"}, {2, "x"}});
  kept.projects = {};
  kept.open();
  REQUIRE_FALSE(kept.directory->has("compacted"));
}

TEST_CASE("without room, of another log or damaged, nothing is compacted", "[compacted]") {
  Kept kept;
  kept.add({{0, "users", "a", "x"}});
  SECTION("no room") {
    kept.disk.set_free_bytes(0);
    kept.add({{1, "users", "b", "x"}});
    kept.disk.set_free_bytes(1 << 20);
    REQUIRE_FALSE(kept.directory->has("compacted"));
  }
  SECTION("another log") { kept.open(10); }
  SECTION("damage") {
    const auto place = GENERATE(0U, 9U, 17U, 30U, 60U, 100U);
    REQUIRE(kept.disk.flip_bit("compacted", place));
    kept.open();
  }
  SECTION("cut short") {
    kept.disk.truncate("compacted", kept.disk.size_of("compacted") - 1);
    kept.open();
  }
  REQUIRE_FALSE(kept.compacted->from("users"));
  kept.add({{1, "users", "b", "x"}});
  REQUIRE(kept.compacted->from("users") == 1);
}

TEST_CASE("a log that is cut is read on from what is left of it, without a gap", "[compacted]") {
  simulation::SimDisk disk{1};
  const auto directory = disk.open();
  ResultLog log(*directory, {.segment_bytes = 16384, .entropy = 1}, 1000);
  History history(*directory, {"users"});
  Actions actions;
  log.core().on_event(IntroduceReceived{"v", {1, 5, 1, 9, 100'000, 0, 1, {}}, {}}, actions);
  std::map<std::string, std::uint64_t> last;
  for (std::uint64_t offset = 0; offset < 1000; ++offset) {
    const auto key = "k" + std::to_string(offset % 7 == 0 ? offset : offset % 20);
    const auto batch = batch_of({offset, "users", key, std::string(100, 'x')});
    protocol::Results results{7, offset + 1, 0, 1, "w1", 5, Bytes(protocol::read_batch(batch)->records)};
    last[key] = offset;
    log.core().on_event(ResultsReceived{results, {}, {}}, actions);
    log.write(actions, 1000);
    actions.clear();
    history.take(log.take_news());
    if (const auto segment = log.segment_to_drop({30, 40'000}, UINT64_MAX, 1000, UINT64_MAX))
      log.drop(*segment, history.release(*segment));
  }
  REQUIRE(log.kept_from() > 500);
  REQUIRE_FALSE(history.read({1, 0, 0, 0, UINT32_MAX}));
  std::map<std::string, std::uint64_t> found;
  std::size_t records = 0;
  const auto take = [&](std::string_view batches) {
    for (ByteReader pieces(batches); !pieces.is_done();) {
      const auto batch = *protocol::read_batch(pieces.take(pieces.get<std::uint32_t>()));
      protocol::ResultReader results(batch.records);
      for (auto at = batch.first_offset; auto result = results.next(); ++at, ++records)
        found[std::string(result->key)] = at;
    }
  };
  const auto ask = [&](std::uint64_t from, const std::string& within) {
    const Value options = Value::Map{{"project", "users"}, {"from", from}};
    return answer_to({1, "compacted", 0, 0, options.to_msgpack(), within}, {}, history, 1h);
  };
  std::uint64_t next = 0;
  while (next < log.kept_from()) {
    const auto left = ask(next, "");
    REQUIRE(left);
    REQUIRE((*left)["from"] == Value(0));
    REQUIRE((*left)["kept_from"] == Value(log.kept_from()));
    take((*left)["batches"].as<protocol::Blob>()->bytes);
    next = static_cast<std::uint64_t>((*left)["next"].int_or(0));
  }
  REQUIRE(next == log.kept_from());
  take(history.read({1, 0, next, 0, UINT32_MAX})->payload);
  REQUIRE(found == last);
  REQUIRE(records < 600);
  REQUIRE_FALSE(ask(0, "acme/"));
}
