#include "rig.hpp"

using namespace eole;
using namespace eole::ventilator;
using protocol::Conditions;
using protocol::Value;

namespace {

/// Tasks of keys, and a worker that takes all it gets.
struct KeyRig : Rig {
  explicit KeyRig(Durable durable = fresh()) : Rig(std::move(durable)) { worker(1, 1000); }
  /// Without a name: a plain task.
  static Bytes groups(const std::vector<std::string>& keys) {
    protocol::TaskGroups groups;
    for (const auto& key : keys) {
      Conditions conditions;
      conditions.key = key;
      const auto encoded = key.empty() ? Bytes() : protocol::encode_conditions(conditions);
      groups.add(protocol::TaskClass{"work"}, "\x80", encoded);
    }
    return groups.take();
  }
  Actions& submit(const std::vector<std::string>& keys) {
    const auto count = static_cast<std::uint32_t>(keys.size());
    return step(Submitted{
        "client", {7, ++requests, 0, "", count, groups(keys)}, "", false, clock().unix_ms});
  }
  Actions& limit(const std::string& scope, double rate) {
    Value options = Value::Map{{"scope", scope}};
    if (rate > 0) options.set("rate", rate);
    return step(ControlAsked{"boss", 3, "limit", std::move(options)});
  }
  std::string refusal(const std::string& what, Value options) {
    step(ControlAsked{"boss", 3, what, std::move(options)});
    return std::get<protocol::Refused>(last<Reply>().message).reason;
  }
  std::string code(Seq seq) const { return core.explain().why(seq, "").at(0).code; }
  std::uint64_t requests = 0;
};

}  // namespace

TEST_CASE("of a key so many tasks begin a second, and others are not held up", "[gates]") {
  KeyRig rig;
  rig.limit("key:a", 2);
  REQUIRE(
      rig.all<JournalWish>() ==
      std::vector<JournalWish>{{"limit", "key:a", Value(Value::Map{{"rate", 2.0}}).to_msgpack()}});
  rig.submit({"a", "a", "b", "b", ""});
  REQUIRE(rig.sent(1) == Seqs{1, 3, 5});
  rig.settle({1, 3});
  REQUIRE(rig.sent(1) == Seqs{4});
  REQUIRE(rig.core.explain().why(2, "") ==
          std::vector<Why>{{"rate", "of key:a begin 2 tasks a second at most", 500}});
  REQUIRE(rig.core.explain().task(2)->state == "waiting");
  REQUIRE(*rig.core.next_deadline() <= kStart + 501ms);
  rig.submit({"a", ""});
  REQUIRE(rig.sent(1) == Seqs{7});
  rig.pass(400ms);
  REQUIRE(rig.sent(1).empty());
  rig.pass(200ms);
  REQUIRE(rig.sent(1) == Seqs{2});
  rig.settle({2});
  REQUIRE(rig.sent(1).empty());
  rig.pass(600ms);
  REQUIRE(rig.sent(1) == Seqs{6});
}

TEST_CASE("what waited for a worker does not make its key's rate larger", "[gates]") {
  KeyRig rig;
  rig.limit("key:a", 1);
  rig.credit(1, 0, 1000);
  rig.step(GoodbyeReceived{Rig::peer(1), {1, 1, 1}});
  rig.submit({"a", "a"});
  rig.pass(10s);
  rig.worker(2, 1000);
  REQUIRE(rig.sent(2) == Seqs{1});
  rig.settle({1});
  REQUIRE(rig.sent(2).empty());
  rig.credit(2, 0, 1000);
  rig.pass(1100ms);
  REQUIRE(rig.sent(2) == Seqs{2});
}

TEST_CASE("what waits for its next attempt is counted as what waits", "[gates]") {
  KeyRig rig;
  rig.submit({"", ""});
  REQUIRE(rig.sent(1) == Seqs{1, 2});
  rig.credit(1, 0, 1000);
  rig.settle({}, {{1, {1, 1}, "exit 1"}, {2, {1, 2}, "exit 1"}});
  REQUIRE(rig.core.explain().task(1)->state == "waiting");
  REQUIRE(rig.core.held() == 2);
  REQUIRE(rig.core.queued() == 2);
  rig.step(CancelAsked{"client", 9, kOrigin, {{1, 1}}});
  REQUIRE(rig.core.held() == 1);
  rig.settle({1});
  REQUIRE(rig.core.held() == 1);
  rig.pass(10s);
  REQUIRE(rig.sent(1) == Seqs{2});
  REQUIRE(rig.core.held() == 0);
}

TEST_CASE("attempts count for their key's rate, too", "[gates]") {
  KeyRig rig;
  rig.limit("key:a", 0.5);
  rig.submit({"a", "a"});
  REQUIRE(rig.sent(1) == Seqs{1});
  rig.credit(1, 0, 1000);
  rig.settle({}, {{1, {1, 1}, "exit 1"}});
  REQUIRE(rig.code(1) == "backoff");
  REQUIRE(rig.core.held() == 2);
  rig.pass(1s);
  REQUIRE(rig.sent(1).empty());
  REQUIRE(rig.code(1) == "rate");
  REQUIRE(rig.code(2) == "key");
  REQUIRE(rig.core.held() == 2);
  rig.credit(1, 0, 1000);
  rig.pass(1100ms);
  REQUIRE(rig.sent(1) == Seqs{1});
  rig.credit(1, 0, 1000);
  rig.settle({}, {{1, {1, 2}, "exit 1"}});
  rig.pass(1s);
  REQUIRE(rig.code(1) == "rate");
  rig.step(CancelAsked{"client", 9, kOrigin, {{1, 1}}});
  REQUIRE(rig.core.explain().task(1)->state == "cancelling");
  rig.settle({1});
  rig.pass(1100ms);
  REQUIRE(rig.sent(1) == Seqs{2});
}

TEST_CASE("a key's rate holds from when it is set until it is taken back", "[gates]") {
  KeyRig rig;
  rig.submit({"a", "a", "a"});
  rig.limit("key:a", 0.001);
  rig.settle({1});
  REQUIRE(rig.sent(1) == Seqs{2});  // It begins with one.
  rig.settle({2});
  REQUIRE(rig.code(3) == "rate");
  rig.limit("key:a", 0);
  REQUIRE(rig.sent(1) == Seqs{3});
  rig.settle({3});
  rig.submit({"a", "a"});
  rig.limit("key:a", 0.001);
  rig.settle({4});
  rig.settle({5});
  rig.submit({"a", "a"});
  rig.settle({6});
  REQUIRE(rig.sent(1).empty());
  rig.limit("key:a", 10);  // A higher one lets go sooner.
  rig.pass(200ms);
  REQUIRE(rig.sent(1) == Seqs{7});
}

TEST_CASE("a key's rate survives a restart", "[gates]") {
  auto durable = Rig::fresh();
  durable.start = 2;
  durable.last = 3;
  const std::int64_t accepted = 0;
  REQUIRE(durable.load_groups(1, 3, KeyRig::groups({"a", "a", "b"}), {&accepted, 1}));
  durable.wishes.put("limit", "key:a", Value(Value::Map{{"rate", 1}}).to_msgpack());
  Rig rig(std::move(durable));
  rig.hello(9);
  rig.step(CreditReceived{Rig::peer(9), {2, 9, 1, 0, 100}});
  REQUIRE(rig.sent(9) == Seqs{1, 3});
  rig.settle({1});
  REQUIRE(rig.sent(9).empty());
  REQUIRE(rig.core.explain().why(2, "").at(0).code == "rate");
}

TEST_CASE("of a key nothing is limited but its rate", "[gates]") {
  KeyRig rig;
  for (const int running : {1, 3})
    REQUIRE(rig.refusal("limit", Value::Map{{"scope", "key:a"}, {"running", running}}) ==
            "limit: running: of a key one task runs at a time, so it has a rate only");
  REQUIRE(rig.refusal("limit", Value::Map{{"scope", "key:"}, {"rate", 1}}) ==
          "limit: key: no name");
  REQUIRE(rig.refusal("pause", Value::Map{{"scope", "key:a"}}) ==
          "pause: key:a: a key has a rate, and is not paused");
  REQUIRE(rig.core.wishes().find("limit", "key:a") == nullptr);
}
