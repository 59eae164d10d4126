#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;
using protocol::TaskClass;
using protocol::Value;

namespace {

const TaskClass kPhoto{"download", "photos"};
const TaskClass kFilm{"download", "films"};
const TaskClass kEcho{"echo", "photos"};

Scope scope(const std::string& written) { return *parse_scope(written); }

Actions& limit(Rig& rig, Value options) {
  return rig.step(ControlAsked{"boss", 3, "limit", std::move(options)});
}

Actions& submit(Rig& rig, const TaskClass& task_class, std::uint32_t count) {
  Bytes groups;
  protocol::put_task_group(groups, {protocol::encode_class(task_class), count, ""});
  return rig.step(
      Submitted{"client", {7, 1 + rig.core.accepted(), 0, "", count, groups}, "", false});
}

std::vector<std::uint64_t> rooms(const Limit& limit, TimePoint now = kStart) {
  return {limit.room(kPhoto, now), limit.room(kFilm, now), limit.room(kEcho, now)};
}
using Rooms = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("a cap leaves what is not leased of it, to all that it is about", "[ventilator]") {
  Caps caps;
  REQUIRE(rooms(caps) == Rooms{kNoLimit, kNoLimit, kNoLimit});
  caps.set(scope("kind:download"), 5);
  caps.set(scope("project:photos"), 3);
  REQUIRE(rooms(caps) == Rooms{3, 5, 3});
  caps.on_leased(kPhoto, 2, kStart);
  REQUIRE(rooms(caps) == Rooms{1, 3, 1});
  REQUIRE(caps.why(kPhoto) == std::nullopt);
  caps.recount();
  caps.count(kEcho, 4);  // Set lower than what was leased.
  caps.count(kFilm, 1);
  REQUIRE(rooms(caps) == Rooms{0, 4, 0});
  REQUIRE(caps.why(kPhoto)->text == "project:photos has 4 tasks running, limit 3");
  REQUIRE(caps.why(kFilm) == std::nullopt);
  caps.set(scope("project:photos"), 0);
  REQUIRE(rooms(caps) == Rooms{4, 4, kNoLimit});
}

TEST_CASE("a rate lets go so many a second, whatever the turns", "[ventilator]") {
  Rates rates;
  rates.set(scope("kind:download"), 20, kStart);
  REQUIRE(rooms(rates) == Rooms{1, 1, kNoLimit});
  REQUIRE(rooms(rates, kStart + 10s) == Rooms{2, 2, kNoLimit});  // A tenth of a second adds up.
  std::uint64_t leased = 0;
  auto now = kStart;
  while (now < kStart + 10s) {
    rates.refresh(now);
    if (const auto room = rates.room(kPhoto, now)) {
      rates.on_leased(kPhoto, room, now);
      leased += room;
    }
    REQUIRE(rates.next_deadline());
    REQUIRE(*rates.next_deadline() > now);
    now = *rates.next_deadline();
  }
  REQUIRE((leased >= 199 && leased <= 201));
  REQUIRE(rates.why(kPhoto)->text == "of kind:download begin 20 tasks a second at most");
  REQUIRE(rates.why(kEcho) == std::nullopt);
  rates.refresh(now + 1s);
  REQUIRE(rates.next_deadline() == std::nullopt);
  rates.set(scope("kind:download"), 0, now);
  REQUIRE((rates.is_empty() && rates.room(kPhoto, now) == kNoLimit));
}

TEST_CASE("a rate below one a second lets one go at a time", "[ventilator]") {
  Rates rates;
  rates.set(scope("all"), 0.1, kStart);
  rates.on_leased(kEcho, 1, kStart);
  REQUIRE(rooms(rates, kStart + 9s) == Rooms{0, 0, 0});
  REQUIRE(rooms(rates, kStart + 11s) == Rooms{1, 1, 1});
  REQUIRE(rooms(rates, kStart + 60s) == Rooms{1, 1, 1});
}

TEST_CASE("a cap is never passed, and what ends makes room for the next", "[ventilator]") {
  Rig rig;
  for (const RunId run : {1, 2}) rig.worker(run, 100, "download");
  limit(rig, Value::Map{{"scope", "kind:download"}, {"running", 4}});
  REQUIRE(rig.all<JournalWish>() ==
          std::vector<JournalWish>{
              {"limit", "kind:download", Value(Value::Map{{"running", 4}}).to_msgpack()}});
  submit(rig, kPhoto, 10);
  REQUIRE(rig.sent(1).size() == 2);  // Shared among those who could have more.
  REQUIRE(rig.sent(2).size() == 2);
  REQUIRE(rig.core.explain().why(10, "") ==
          std::vector<Why>{{"cap", "kind:download has 4 tasks running, limit 4"}});
  rig.settle({1, 2, 3});
  REQUIRE(rig.sent(1).size() + rig.sent(2).size() == 3);
  limit(rig, Value::Map{{"scope", "kind:download"}});
  REQUIRE(rig.sent(1).size() + rig.sent(2).size() == 3);
}

TEST_CASE("what an earlier start leased counts, until it is known to be over", "[ventilator]") {
  auto durable = Rig::restarted(5);
  durable.wishes.put("limit", "kind:work", Value(Value::Map{{"running", 2}}).to_msgpack());
  for (const Seq seq : {1, 2}) durable.notes.put(seq, {1, {1, seq}, 1});
  Rig rig(std::move(durable));
  rig.hello(9);
  rig.step(CreditReceived{Rig::peer(9), {2, 9, 1, 0, 100}});
  rig.submit(3, 50);
  REQUIRE(rig.sent(9).empty());
  rig.settle({1});
  REQUIRE(rig.sent(9) == Seqs{3});
}

TEST_CASE("a rate is kept over many turns", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1000);
  limit(rig, Value::Map{{"scope", "all"}, {"rate", 50}});
  submit(rig, {"work"}, 500);
  std::size_t sent = rig.sent(1).size();
  for (int i = 0; i < 20; ++i) {
    rig.beat(1, sent, 1000);
    rig.pass(100ms);
    sent += rig.sent(1).size();
  }
  REQUIRE((sent >= 95 && sent <= 106));
}

TEST_CASE("a million tasks of one project do not delay ten of another", "[ventilator]") {
  Rig rig;
  submit(rig, {"work", "large"}, 65536);
  rig.worker(1, 100);
  REQUIRE(rig.sent(1).size() == 100);
  submit(rig, {"work", "small"}, 10);
  rig.credit(1, 100, 120);
  const auto sent = rig.sent(1);
  REQUIRE(sent.size() == 20);
  REQUIRE(std::count_if(sent.begin(), sent.end(), [](Seq seq) { return seq > 65536; }) == 10);
}

TEST_CASE("what makes no limit is refused by name", "[ventilator]") {
  Rig rig;
  const auto refusal = [&](Value options) {
    limit(rig, std::move(options));
    return std::get<protocol::Refused>(rig.last<Reply>().message).reason;
  };
  REQUIRE(refusal(Value::Map{{"scope", "worker:w1"}, {"running", 1}}) ==
          "limit: a worker is limited by its slots");
  REQUIRE(refusal(Value::Map{{"scope", "all"}, {"running", 0}}) ==
          "limit: running: a number of tasks, limits 1 and 1099511627776");
  for (const Value& rate : {Value(0), Value("fast"), Value(-1.0), Value(1e10)})
    REQUIRE(refusal(Value::Map{{"scope", "all"}, {"rate", rate}}) ==
            "limit: rate: tasks a second, limits 0.000001 and 1000000000");
}
