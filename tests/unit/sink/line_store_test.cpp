#include "sink/io/line_store.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "common/protocol/log_lines.hpp"
#include "common/storage/real_disk.hpp"
#include "sink/core/log_rates.hpp"
#include "sink/io/history_desk.hpp"

using namespace eole;
using namespace eole::sink;
using protocol::Value;

namespace {

const std::int64_t kNow = process::unix_ms();

struct Place {
  std::string path;
  Place() {
    std::string pattern = "/tmp/eole-lines-XXXXXX";
    path = ::mkdtemp(pattern.data());
  }
  ~Place() { std::filesystem::remove_all(path); }
};

LineBatch batch_of(const std::string& role, const std::vector<LogLine>& lines) {
  LineBatch batch{role + "-local", {role, "n1", 0, {}}, static_cast<std::uint32_t>(lines.size())};
  for (const auto& line : lines) protocol::put_log_line(batch.said.payload, line);
  return batch;
}
LogLine said(const std::string& text, LogLevel level = LogLevel::kInfo, TaskId task = {}) {
  return {kNow, level, task, text};
}

struct Lines {
  std::vector<std::string> texts;
  Value page;
};
Lines ask(LineStore& store, Value options, std::int64_t now = kNow) {
  auto page = store.answer(options, now, 10s);
  REQUIRE(page);
  Lines lines{{}, *page};
  for (const auto& line : *(*page)["lines"].as<Value::Array>())
    lines.texts.push_back(line["text"].text_or(""));
  return lines;
}
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("lines of a message come back as they were said", "[log]") {
  Bytes bytes;
  const std::vector lines{said("one", LogLevel::kError, {5, 6}), said("")};
  for (const auto& line : lines) protocol::put_log_line(bytes, line);
  CHECK(protocol::count_log_lines(bytes) == 2);
  ByteReader reader(bytes);
  CHECK(protocol::read_log_line(reader) == lines[0]);
  CHECK(protocol::read_log_line(reader) == lines[1]);
  CHECK_FALSE(protocol::count_log_lines(bytes + "x"));
  bytes[8] = 4;  // No level.
  CHECK_FALSE(protocol::count_log_lines(bytes));
  CHECK_FALSE(protocol::count_log_lines(std::string(protocol::kLogLinesBytesMax + 1, 'x')));
}

TEST_CASE("lines are found by level, task and role, the newest first", "[log]") {
  const Place place;
  LineStore store(place.path + "/lines", {}, 1);
  CHECK(ask(store, Value::Map{}).texts.empty());
  store.add(batch_of("worker", {said("a"), said("b", LogLevel::kWarning, {5, 7})}), kNow);
  store.add(batch_of("sink", {said("c", LogLevel::kError)}), kNow);
  store.add(batch_of("worker", {said("d")}), kNow);
  CHECK(ask(store, Value::Map{}).texts == Texts{"d", "c", "b", "a"});
  CHECK(ask(store, Value::Map{{"level", "warn"}}).texts == Texts{"c", "b"});
  CHECK(ask(store, Value::Map{{"role", "worker"}}).texts == Texts{"d", "b", "a"});
  CHECK(ask(store, Value::Map{{"task", to_text(TaskId{5, 7})}}).texts == Texts{"b"});
  CHECK(ask(store, Value::Map{{"since", kNow + 1}}).texts.empty());
  CHECK_FALSE(store.answer(Value::Map{{"level", "loud"}}, kNow, 1s));
  CHECK_FALSE(store.answer(Value::Map{{"task", "7"}}, kNow, 1s));
  CHECK_FALSE(store.answer(Value::Map{{"limit", 1001}}, kNow, 1s));
}

TEST_CASE("pages of lines join without a gap, both ways", "[log]") {
  const Place place;
  LineStore store(place.path + "/lines", {}, 1);
  Texts all;
  for (int i = 0; i < 10; ++i) {
    store.add(batch_of(i % 2 == 0 ? "worker" : "sink", {said(text(i, "a")), said(text(i, "b"))}),
              kNow);
    for (const auto* end : {"a", "b"}) all.push_back(text(i, end));
  }
  Texts back;
  Value options = Value::Map{{"limit", 3}};
  while (true) {
    const auto page = ask(store, options);
    back.insert(back.end(), page.texts.begin(), page.texts.end());
    if (page.page["next"].is_null()) break;
    options.set("before", page.page["next"]);
  }
  CHECK(Texts(back.rbegin(), back.rend()) == all);
  Texts forth;
  options = Value::Map{{"limit", 3}, {"after", 0}};
  for (int i = 0; i < 8; ++i) {
    const auto page = ask(store, options);
    forth.insert(forth.end(), page.texts.begin(), page.texts.end());
    options.set("after", page.page["next"]);
  }
  CHECK(forth == all);
  store.add(batch_of("gateway", {said("new")}), kNow);
  CHECK(ask(store, options).texts == Texts{"new"});
}

TEST_CASE("lines survive the sink, and go on behind the last one", "[log]") {
  const Place place;
  std::int64_t head = 0;
  {
    LineStore store(place.path + "/lines", {}, 1);
    store.add(batch_of("worker", {said("before")}), kNow);
    head = ask(store, Value::Map{}).page["head"].int_or(0);
  }
  LineStore store(place.path + "/lines", {}, 2);
  store.add(batch_of("worker", {said("after")}), kNow);
  CHECK(ask(store, Value::Map{}).texts == Texts{"after", "before"});
  CHECK(ask(store, Value::Map{{"after", head}}).texts == Texts{"after"});
}

TEST_CASE("a store of lines that is damaged or gone is begun anew, above all offsets", "[log]") {
  const Place place;
  const auto directory = place.path + "/lines";
  std::int64_t head = 0;
  {
    LineStore store(directory, {}, 1);
    store.add(batch_of("worker", {said("lost")}), kNow);
    head = ask(store, Value::Map{}).page["head"].int_or(0);
  }
  SECTION("damaged") {
    std::ofstream(directory + "/worker-local/00000001.seg", std::ios::trunc) << "no segment";
  }
  SECTION("gone") { std::filesystem::remove_all(directory); }
  LineStore store(directory, {}, 2);
  store.add(batch_of("worker", {said("new")}), kNow + 1000);
  CHECK(ask(store, Value::Map{{"after", head}}, kNow + 1000).texts == Texts{"new"});
}

TEST_CASE("who read a line that a power cut took hears what comes after it", "[log]") {
  const Place place;
  const auto directory = place.path + "/lines";
  std::int64_t head = 0;
  {
    LineStore store(directory, {}, 1);
    store.add(batch_of("worker", {said("kept")}), kNow);
    store.add(batch_of("sink", {said("lost"), said("lost")}), kNow);
    head = ask(store, Value::Map{}).page["head"].int_or(0);
  }
  std::filesystem::remove_all(directory + "/sink-local");
  LineStore store(directory, {}, 2);
  store.add(batch_of("worker", {said("new")}), kNow + 1000);
  CHECK(ask(store, Value::Map{{"after", head}}, kNow + 1000).texts == Texts{"new"});
}

TEST_CASE("who logs much drives out its own lines, and nobody else's", "[log]") {
  const Place place;
  const LineRetention retention{1 << 20, 7};
  LineStore store(place.path + "/lines", retention, 1);
  store.add(batch_of("sink", {said("precious")}), kNow);
  const std::string much(4000, 'x');
  for (int i = 0; i < 600; ++i) store.add(batch_of("worker", {said(text(i, much))}), kNow);
  CHECK(store.bytes() <= retention.bytes);
  CHECK(ask(store, Value::Map{{"role", "sink"}}).texts == Texts{"precious"});
  const auto worker = ask(store, Value::Map{{"role", "worker"}, {"limit", 1000}}).texts;
  CHECK(worker.front().starts_with("599"));
  CHECK(worker.size() < 300);
}

TEST_CASE("lines go when they are too old", "[log]") {
  const Place place;
  constexpr std::int64_t kDay = 86'400'000;
  LineStore store(place.path + "/lines", {1 << 20, 7}, 1);
  store.add(batch_of("worker", {said("old")}), kNow);
  CHECK(ask(store, Value::Map{}, kNow + 8 * kDay).texts.empty());
  auto young = said("young");
  young.unix_ms += 8 * kDay;
  store.add(batch_of("worker", {young}), kNow + 8 * kDay);
  CHECK(ask(store, Value::Map{}, kNow + 8 * kDay).texts == Texts{"young"});
}

TEST_CASE("what was left out is told where it is missing", "[log]") {
  const Place place;
  LineStore store(place.path + "/lines", {}, 1);
  auto batch = batch_of("worker", {said("a")});
  batch.said.dropped = 3;
  store.add(batch, kNow);
  CHECK(ask(store, Value::Map{}).texts ==
        Texts{"a", "3 lines that came before were left out: there were too many"});
}

TEST_CASE("a peer that says too much is slowed, another one is not", "[log]") {
  LogRates rates;
  TimePoint now{};
  now += 1h;
  std::uint64_t taken = 0;
  while (rates.take("loud", 64 << 10, 100, now)) ++taken;
  CHECK(taken == kLogBytesAtOnceMax / (64 << 10));
  CHECK(rates.take("quiet", 1000, 1, now) == 0);
  CHECK_FALSE(rates.take("loud", 64 << 10, 100, now + 1s));
  CHECK(rates.take("loud", 64 << 10, 100, now + 8s) == 200);
}

TEST_CASE("peers that are not heard any more make room for others", "[log]") {
  LogRates rates;
  TimePoint now{};
  now += 1h;
  for (std::size_t i = 0; i < kLogPeersMax; ++i) CHECK(rates.take(text(i), 1, 1, now));
  CHECK_FALSE(rates.take("another", 1, 1, now));
  CHECK(rates.take("another", 1, 1, now + 60s));
}

TEST_CASE("lines that the history has no time for are left out beyond a bound", "[log]") {
  const Place place;
  HistoryDesk desk;
  constexpr std::uint64_t kSaid = 100;
  for (std::uint64_t i = 0; i < kSaid; ++i)
    desk.keep(batch_of("worker", std::vector(8, said(std::string(4000, 'x')))));
  const auto directory = storage::open_directory(place.path + "/log");
  History history(*directory);
  LineStore store(place.path + "/lines", {}, 1);
  desk.serve(history, nullptr, &store);
  const auto kept = ask(store, Value::Map{{"limit", 1000}}, process::unix_ms()).texts.size();
  CHECK(kept > 100);
  CHECK(kept < kLinesWaitingBytesMax / 4000);
  desk.keep(batch_of("worker", {said("later")}));
  desk.serve(history, nullptr, &store);
  const auto newest = ask(store, Value::Map{{"limit", 2}}, process::unix_ms()).texts;
  CHECK(newest == Texts{"later", text(kSaid * 8 - kept,
                                      " lines that came before were left out: "
                                      "there were too many")});
}
