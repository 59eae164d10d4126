#include "common/protocol/event.hpp"

#include <catch2/catch.hpp>

#include "common/protocol/news.hpp"
#include "common/protocol/result_view.hpp"

using namespace eole;
using namespace eole::protocol;

namespace {

using Published = std::vector<std::pair<std::string, std::string>>;

Published events_of(const ResultRecord& result, std::string_view wanted) {
  Bytes runs;
  put_result(runs, result);
  Published published;
  each_event(
      encode_batch({7, 0, 0, 1, "w1", runs}), 0xabc,
      [&](std::string_view topic) { return topic.starts_with(wanted); },
      [&](const std::string& topic, std::string bytes) { published.emplace_back(topic, bytes); });
  return published;
}

ResultRecord result_with(std::string_view body) {
  ResultRecord result;
  result.id = {123456, 42};
  result.attempt = 3;
  result.finished_unix_ms = 1'790'000'000'123;
  result.kind = "echo";
  result.project = "a.b%";
  result.body = body;
  return result;
}

}  // namespace

TEST_CASE("both writings of an event say the same, and what its view says", "[event]") {
  const auto body = Value(Value::Map{{"value", Value::Array{1, -2, 2.5, true, Value(), "é\n\"", ""}},
                                     {"id", "fake"},
                                     {"deep", Value::Map{{"id", Value::Map{}}, {"b", Blob{"\xff"}}}},
                                     {"spec", Value::Map{{"a", 1}}}})
                        .to_msgpack();
  const auto result = result_with(body);
  const auto json = events_of(result, "json.");
  const auto msgpack = events_of(result, "event.");
  REQUIRE(json.size() == 1);
  REQUIRE(json[0].first == "json.a%2Eb%25.echo.done");
  REQUIRE(msgpack[0].first == "event.a%2Eb%25.echo.done");
  const auto event = Value::from_json(json[0].second);
  REQUIRE(event);
  const auto view = view_of(result, "w1", 7);
  REQUIRE((*event)["id"] == Value("0000000000000abc-7"));
  REQUIRE((*event)["subject"] == view["id"]);
  for (const auto& [name, value] : *(*event)["data"].as<Value::Map>()) REQUIRE(value == view[name]);
  REQUIRE((*event)["data"]["deep"] == view["deep"]);
  const auto other = Value::from_msgpack(msgpack[0].second);
  REQUIRE(other);
  REQUIRE((*other)["data"].as<Value::Map>()->size() == (*event)["data"].as<Value::Map>()->size());
  for (const auto& [name, value] : *(*event)["data"].as<Value::Map>())
    REQUIRE((*other)["data"][name] == value);
  REQUIRE(events_of(result, "json.a.").empty());
}

TEST_CASE("the end of a project's last task is told as the project's, too", "[event]") {
  auto last = result_with("\x80");
  last.project = "a.b/collect";
  const auto events = events_of(last, "json.");
  REQUIRE(events.size() == 2);
  REQUIRE(events[0].first == "json.a%2Eb.%project.over");
  const auto over = *Value::from_json(events[0].second);
  REQUIRE(over["type"] == Value("eole.project.over"));
  REQUIRE(over["subject"] == Value("a.b"));
  REQUIRE(over["id"] == Value("0000000000000abc-7-over"));
  REQUIRE(over["data"]["offset"] == Value(7));
  REQUIRE(over["data"]["last"] == Value(to_text(last.id)));
  REQUIRE(over["data"]["last_state"] == Value("done"));
  last.is_final = false;
  REQUIRE(events_of(last, "json.").size() == 1);
}

TEST_CASE("a body that is no map is told as bytes", "[event]") {
  for (const auto* body : {"\xc1", "\x01", "\x81\x01\x02", "", "\x82\xa1x\x01", "\x81\x80\x01"}) {
    const auto event = Value::from_json(events_of(result_with(body), "json.")[0].second);
    REQUIRE(event);
    REQUIRE((*event)["data"]["body"] == Value(Blob{body}));
  }
  const auto empty = Value::from_json(events_of(result_with("\x80"), "json.")[0].second);
  REQUIRE((*empty)["data"]["body"].is_null());
}

TEST_CASE("news comes as it was sent, under topics that no task has", "[event]") {
  const NewsItem worker{"joined", "worker", "w1", {}, {}, {{"reason", "x"}}, 5};
  const NewsItem created{"created", "project", "shop", "shop"};
  const auto sent = encode_news("ventilator", {worker, created});
  REQUIRE(sent.size() == 1);
  REQUIRE(*decode_news(sent[0]) == std::vector{worker, created});
  REQUIRE(topic_of(worker) == ".%worker.joined");
  REQUIRE(topic_of(created) == "shop.%project.created");
  REQUIRE(event_topic("shop", "%project", "created") == "shop.%25project.created");
  REQUIRE(event_of(worker, "/eole/ventilator", 3).type == "eole.worker.joined");
  REQUIRE(encode_news("v", std::vector(kNewsItemsMax + 1, created)).size() == 2);
}

TEST_CASE("a disk with little room is told at once, each minute, and when it is over", "[event]") {
  DiskNews disk;
  const TimePoint now(1000s);
  const auto event = [&](std::uint64_t free, Duration later) -> std::string {
    const auto news = disk.look("sink", free, now + later, 5);
    return news ? topic_of(*news) : "";
  };
  REQUIRE(event(DiskNews::kLowBytes, 0s) == "");
  REQUIRE(event(DiskNews::kLowBytes - 1, 1s) == ".%disk.low");
  REQUIRE(event(0, 60s) == "");
  REQUIRE(event(0, 61s) == ".%disk.low");
  REQUIRE(event(DiskNews::kLowBytes, 62s) == ".%disk.enough");
  REQUIRE(event(DiskNews::kLowBytes, 300s) == "");
}

TEST_CASE("news that nobody has is refused", "[event]") {
  const auto why = [](const NewsItem& item) {
    return decode_news(encode_news("v", {item})[0]).error().message;
  };
  REQUIRE(why({"exploded", "worker"}) == "news: worker exploded: is not known");
  REQUIRE(why({"joined", "star"}) == "news: star joined: is not known");
  const NewsItem nested{"joined", "worker", {}, {}, {}, {{"a", Value::Map{}}}};
  REQUIRE(why(nested) == "news: more than 16 flat members");
  REQUIRE_FALSE(decode_news({"v", "odd"}));
}
