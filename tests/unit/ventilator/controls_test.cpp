#include "common/protocol/chain_key.hpp"
#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;
using protocol::Value;

namespace {

Actions& control(Rig& rig, const std::string& what, const std::string& id, Value options) {
  options.set("id", id);
  return rig.step(ControlAsked{"boss", 3, what, std::move(options)});
}

Value answer(const Rig& rig) {
  return *Value::from_msgpack(std::get<protocol::Answer>(rig.last<Reply>().message).payload);
}

const Value kPhotos = Value::Map{{"scope", "project:photos"}};

}  // namespace

TEST_CASE("a copy of a pause that comes after its resume pauses nothing", "[ventilator]") {
  Rig rig;
  control(rig, "pause", "a", kPhotos);
  const auto first = answer(rig);
  control(rig, "resume", "b", kPhotos);
  const auto before = rig.core.limits().pauses().list();
  control(rig, "pause", "a", kPhotos);
  REQUIRE(answer(rig) == first);
  REQUIRE(rig.all<JournalWish>().empty());
  REQUIRE(rig.core.limits().pauses().list() == before);
  REQUIRE(before.empty());
  control(rig, "pause", "c", kPhotos);  // Somebody wishes it again.
  REQUIRE(rig.core.limits().pauses().list().size() == 1);
}

TEST_CASE("a copy is known across restarts", "[ventilator]") {
  Rig rig;
  control(rig, "pause", "a", kPhotos);
  auto durable = Rig::fresh();
  durable.start = 2;
  for (const auto& wish : rig.all<JournalWish>())
    durable.wishes.put(wish.what, wish.about, wish.value);
  Rig again(std::move(durable));
  control(again, "resume", "b", kPhotos);
  control(again, "pause", "a", kPhotos);
  REQUIRE(again.core.limits().pauses().is_empty());
}

TEST_CASE("opening a project that was closed is answered as it was, said again", "[ventilator]") {
  Rig rig;
  const Value photos = Value::Map{{"project", "photos"}};
  control(rig, "open", "a", photos);
  const auto first = answer(rig);
  control(rig, "close", "b", photos);
  control(rig, "open", "a", photos);
  REQUIRE(answer(rig) == first);
  control(rig, "open", "c", photos);
  REQUIRE(std::get<protocol::Refused>(rig.last<Reply>().message).reason ==
          "open: project photos: was closed");
}

TEST_CASE("a copy of what was refused is refused as it was, whatever has changed since",
          "[ventilator]") {
  Rig rig;
  const auto refused = [&] { return std::get<protocol::Refused>(rig.last<Reply>().message); };
  const Value photos = Value::Map{{"project", "photos"}};
  const Value again = Value::Map{{"project", "photos"}, {"is_again", true}};
  control(rig, "open", "a", photos);
  control(rig, "close", "b", photos);
  control(rig, "open", "c", Value::Map{{"project", "photos"}, {"expected", 7}});
  const auto wishes = rig.all<JournalWish>();
  REQUIRE(refused() == protocol::Refused{3, "open: project photos: was closed", "conflict"});
  control(rig, "open", "d", again);
  control(rig, "open", "c", Value::Map{{"project", "photos"}, {"expected", 7}});
  REQUIRE(refused() == protocol::Refused{3, "open: project photos: was closed", "conflict"});
  REQUIRE(rig.core.project_counts().of("photos")->known->expected == 0);

  auto durable = Rig::fresh();  // Across a restart, too.
  durable.start = 2;
  for (const auto& wish : wishes) durable.wishes.put(wish.what, wish.about, wish.value);
  Rig restarted(std::move(durable));
  control(restarted, "open", "c", photos);
  REQUIRE(std::get<protocol::Refused>(restarted.last<Reply>().message) == refused());
}

TEST_CASE("what a full disk refused is refused again, and not written", "[ventilator]") {
  Rig rig;
  auto options = kPhotos;
  options.set("id", "a");
  rig.step(ControlAsked{"boss", 3, "pause", options, true});
  REQUIRE(rig.all<JournalWish>().empty());
  control(rig, "pause", "a", kPhotos);
  REQUIRE(std::get<protocol::Refused>(rig.last<Reply>().message).reason ==
          "storage full: the ventilator's disk has no room");
  REQUIRE(rig.core.limits().pauses().is_empty());
}

TEST_CASE("so many controls are known that were heard, and no more", "[ventilator]") {
  constexpr int kHeardMax = 256;
  Rig rig;
  for (int i = 0; i <= kHeardMax; ++i)
    control(rig, i % 2 == 0 ? "pause" : "resume", std::to_string(i), kPhotos);
  int kept = 0;
  rig.core.wishes().each("heard_of_operators", [&](const std::string&, const Bytes&) { ++kept; });
  REQUIRE(kept == kHeardMax);
  control(rig, "resume", "x", kPhotos);
  control(rig, "pause", "2", kPhotos);
  REQUIRE(rig.core.limits().pauses().is_empty());
  control(rig, "pause", "0", kPhotos);  // As good as new.
  REQUIRE_FALSE(rig.core.limits().pauses().is_empty());
}

TEST_CASE("who may only submit has no control of an operator forgotten", "[ventilator]") {
  Rig rig;
  control(rig, "pause", "a", kPhotos);
  control(rig, "resume", "b", kPhotos);
  for (int i = 0; i < 300; ++i)
    control(rig, "open", std::to_string(i), Value::Map{{"project", "films"}});
  control(rig, "pause", "a", kPhotos);
  REQUIRE(rig.core.limits().pauses().is_empty());
}

TEST_CASE("what is declared is kept as it was said until it is taken back", "[ventilator]") {
  Rig rig;
  const Value thumbs = Value::Map{{"name", "thumbs"}, {"state", "added"}, {"from", "photos/#"}};
  control(rig, "chain", "a", thumbs);
  const Value kept = Value::Map{{"name", "thumbs"}, {"from", "photos/#"}};
  REQUIRE(Value::from_msgpack(*rig.core.wishes().find("chain", "thumbs")).operator*() == kept);
  REQUIRE(rig.all<JournalWish>().at(0).about == "thumbs");
  control(rig, "chain", "b", Value::Map{{"name", "thumbs"}, {"state", "removed"}});
  REQUIRE(answer(rig)["was_there"] == Value(true));
  REQUIRE(rig.core.wishes().find("chain", "thumbs") == nullptr);
  control(rig, "alert", "c", Value::Map{{"name", "x"}, {"state", "raised"}});
  REQUIRE(std::get<protocol::Refused>(rig.last<Reply>().message).reason ==
          "alert x: state raised: is added or removed");
}

TEST_CASE("a chain that was removed, or declared anew, makes no more tasks", "[ventilator]") {
  Rig rig;
  const auto declare = [&](const std::string& id, const std::string& state, Value task) {
    control(rig, "chain", id,
            Value::Map{
                {"name", "a/thumbs"}, {"state", state}, {"from", "#"}, {"task", std::move(task)}});
  };
  const Value small = Value::Map{{"kind", "echo"}};
  const Value large = Value::Map{{"kind", "image"}};
  const auto said_by = [&](const Value& task, std::uint64_t offset) {
    const auto key =
        protocol::chain_key(Value::Map{{"name", "a/thumbs"}, {"from", "#"}, {"task", task}});
    return rig.step(Submitted{
        "relay", {7, offset, 0, protocol::to_text(key, 9, offset), 1, Rig::groups(1)}, "", false});
  };
  const auto refusal = [&] { return std::get<protocol::Refused>(rig.last<Reply>().message).reason; };
  declare("1", "added", small);
  said_by(small, 1);
  REQUIRE(rig.all<JournalTasks>().size() == 1);
  declare("2", "added", large);
  said_by(small, 2);
  REQUIRE(refusal() == "chain a/thumbs: was declared anew");
  declare("3", "removed", {});
  said_by(large, 3);
  REQUIRE(refusal() == "chain a/thumbs: was removed");
  said_by(small, 1);  // It was accepted, and is answered so.
  REQUIRE(rig.all<JournalTasks>().empty());
  REQUIRE(std::get<protocol::Acceptance>(rig.last<Reply>().message).first == 1);
}
