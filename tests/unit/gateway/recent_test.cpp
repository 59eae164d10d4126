#include "gateway/core/recent.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"
#include "common/protocol/value.hpp"

using namespace eole;
using namespace eole::gateway;
using protocol::Value;

namespace {

EventPointer event(std::uint64_t offset, std::size_t bytes = 10) {
  auto event = std::make_shared<Event>();
  event->offset = offset;
  event->topic = "shop/echo/done";
  event->frame.assign(bytes, 'x');
  return event;
}

Bytes batch_of(const std::vector<Bytes>& bodies) {
  Bytes records;
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    protocol::ResultRecord record;
    record.id = {1, i + 1};
    record.kind = "echo";
    record.project = "shop";
    record.is_final = i != 1;
    record.state = i == 1 ? protocol::TaskState::kFailed : protocol::TaskState::kDone;
    record.body = bodies[i];
    protocol::put_result(records, record);
  }
  return protocol::encode_batch(
      {40, 7, 1, static_cast<std::uint32_t>(bodies.size()), "w1", records});
}

Bytes body(std::size_t bytes) {
  return Value(Value::Map{{"value", std::string(bytes, 'v')}}).to_msgpack();
}

}  // namespace

TEST_CASE("a batch becomes one event a result, made once for all who hear it", "[recent]") {
  const auto events = events_of(batch_of({body(1), body(2), body(3)}), 41);
  REQUIRE(events.size() == 2);
  CHECK(events[0]->offset == 41);
  CHECK(events[0]->topic == "shop/echo/retrying");
  CHECK(events[1]->wamp_topic == "eole.shop.echo.done");
  const auto view = Value::from_json(events[1]->json());
  REQUIRE(view);
  CHECK((*view)["offset"] == Value(42));
  CHECK((*view)["worker"] == Value("w1"));
  CHECK((*view)["value"] == Value("vvv"));
  CHECK(events[1]->frame[0] == '\x81');
}

TEST_CASE("a value that is large is asked for by who wants it", "[recent]") {
  const auto events = events_of(batch_of({body(70000)}), 0);
  const auto view = *Value::from_json(events[0]->json());
  CHECK(view["value"].is_null());
  CHECK(view["value_bytes"] == Value(70005));
}

TEST_CASE("what makes no sense becomes no event", "[recent]") {
  CHECK(events_of("nonsense", 0).empty());
}

TEST_CASE("the recent end of the log is kept up to a size, without a gap", "[recent]") {
  Recent recent;
  recent.start(5);
  CHECK(recent.end() == 5);
  recent.add(event(5));
  recent.add(event(5));  // Once more: it is there.
  recent.add(event(6));
  CHECK(recent.begin() == 5);
  CHECK(recent.end() == 7);
  CHECK(recent.at(6)->offset == 6);
  for (std::uint64_t offset = 7; offset < 40; ++offset) recent.add(event(offset, 1 << 20));
  CHECK(recent.end() == 40);
  CHECK(recent.begin() == 25);
  recent.add(event(100));  // A gap: what was before it is not told as if it were next to it.
  CHECK(recent.begin() == 100);
  CHECK(recent.end() == 101);
}

TEST_CASE("who stands at one place and listens for the same is sent the same bytes", "[recent]") {
  const Interest pattern{*TopicPattern::parse("shop/*/done")};
  const Interest all{*TopicPattern::parse("#")};
  Recent recent;
  recent.start(41);
  for (auto& each : events_of(batch_of({body(1), body(2), body(3)}), 0)) recent.add(each);
  REQUIRE(recent.end() == 43);
  const auto one = recent.piece(41, all, Format::kWebSocket);
  CHECK(one.to == 43);
  CHECK(*one.bytes == recent.at(41)->frame + recent.at(42)->frame);
  CHECK(recent.piece(41, all, Format::kWebSocket).bytes == one.bytes);  // The very same.
  CHECK(*recent.piece(42, all, Format::kWebSocket).bytes == recent.at(42)->frame);
  CHECK(recent.piece(41, all, Format::kServerSent).bytes->starts_with("id: 41\ndata: {"));
  CHECK(*recent.piece(41, pattern, Format::kWebSocket).bytes == recent.at(42)->frame);
  const auto none = recent.piece(41, {*TopicPattern::parse("other/#")}, Format::kWebSocket);
  CHECK(none.to == 43);
  CHECK(none.bytes == nullptr);
  recent.add(event(43));
  CHECK(recent.piece(41, all, Format::kWebSocket).to == 44);  // What came since belongs to it.
  recent.start(41);                                           // Another log.
  for (std::uint64_t offset = 41; offset < 44; ++offset) recent.add(event(offset));
  CHECK(*recent.piece(41, all, Format::kWebSocket).bytes == std::string(30, 'x'));
}

TEST_CASE("who is within a prefix hears of no other projects", "[recent]") {
  const Interest shop{*TopicPattern::parse("#"), Within("shop/")};
  const Interest shopping{*TopicPattern::parse("#"), Within("shopping/")};
  Recent recent;
  recent.start(0);
  for (const auto* project : {"shop", "shop/x", "shopping/x", ""}) {
    auto event = std::make_shared<Event>();
    event->offset = recent.end();
    event->project = project;
    event->topic = topic_of(project, "echo", "done");
    event->frame = text("[", project, "]");
    recent.add(event);
  }
  CHECK(*recent.piece(0, shop, Format::kWebSocket).bytes == "[shop/x]");
  CHECK(*recent.piece(0, shopping, Format::kWebSocket).bytes == "[shopping/x]");
  CHECK(*recent.piece(0, {shop.pattern}, Format::kWebSocket).bytes ==
        "[shop][shop/x][shopping/x][]");
}

TEST_CASE("a piece ends behind 64 KiB, and is the same for who comes later", "[recent]") {
  const Interest all{*TopicPattern::parse("#")};
  Recent recent;
  recent.start(1);
  for (std::uint64_t offset = 1; offset <= 8; ++offset) recent.add(event(offset, 20'000));
  const auto first = recent.piece(1, all, Format::kWebSocket);
  CHECK(first.to == 5);
  recent.add(event(9));
  CHECK(recent.piece(1, all, Format::kWebSocket).bytes == first.bytes);
}
