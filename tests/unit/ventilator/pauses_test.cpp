#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;
using protocol::TaskClass;
using protocol::Value;

namespace {

Actions& control(Rig& rig, const std::string& what, const std::string& scope) {
  return rig.step(ControlAsked{"boss", 3, what, Value::Map{{"scope", scope}}});
}

std::string refusal(Rig& rig, const std::string& what, const std::string& scope) {
  control(rig, what, scope);
  return std::get<protocol::Refused>(rig.last<Reply>().message).reason;
}

Actions& submit(Rig& rig, const TaskClass& task_class, std::uint32_t count) {
  Bytes groups;
  protocol::put_task_group(groups, {protocol::encode_class(task_class), count, ""});
  return rig.step(Submitted{"client", {7, 1 + rig.core.accepted(), 0, "", count, groups}, "", false});
}

}  // namespace

TEST_CASE("a pause is about all, a kind or a project, and says which holds a task",
          "[ventilator]") {
  Pauses pauses;
  const TaskClass photo{"download", "photos"};
  const auto why = [&] { return pauses.why(photo).value_or(Why{}).text; };
  REQUIRE(pauses.room(photo, {}) == kNoLimit);
  for (const auto* scope : {"kind:echo", "project:photo", "worker:download", "project:"})
    pauses.set(*parse_scope(scope), true);
  REQUIRE((why().empty() && pauses.room(photo, {}) == kNoLimit));
  for (const std::string scope : {"project:photos", "kind:download", "all"}) {
    pauses.set(*parse_scope(scope), true);
    REQUIRE((why() == scope + " is paused" && pauses.room(photo, {}) == 0));
    REQUIRE(to_text(*parse_scope(scope)) == scope);
  }
  REQUIRE(pauses.list() == std::vector<std::string>{"all", "kind:download", "kind:echo", "project:",
                                                    "project:photo", "project:photos",
                                                    "worker:download"});
  for (const auto* scope : {"all", "project:photos", "kind:download"})
    pauses.set(*parse_scope(scope), false);
  REQUIRE(pauses.room(photo, {}) == kNoLimit);
}

TEST_CASE("a scope that is none is refused by name", "[ventilator]") {
  const auto error = [](const std::string& written) { return parse_scope(written).error().message; };
  REQUIRE(error("photos") ==
          "photos: is all, or kind:, project:, worker:, key: or tenant: and a name");
  REQUIRE(error("kind:") == "kind: no name");
  REQUIRE(error("project:" + std::string(256, 'x')) ==
          "project: a name of 256 bytes, limit 255");
}

TEST_CASE("what is paused gets no lease until it goes on, and says so", "[ventilator]") {
  Rig rig;
  rig.worker(1, 3);
  control(rig, "pause", "project:photos");
  REQUIRE(rig.out ==
          Actions{JournalWish{"pause", "project:photos", Value(true).to_msgpack()},
                  Reply{"boss", protocol::Answer{3, Value(Value::Map{{"scope", "project:photos"},
                                                                     {"paused", true},
                                                                     {"was_paused", false}})
                                                        .to_msgpack()}}});
  REQUIRE(control(rig, "pause", "project:photos").size() == 1);  // Nothing new to write.
  submit(rig, {"work", "photos"}, 2);
  REQUIRE(rig.all<SendTasks>().empty());
  REQUIRE(rig.core.explain().why(1, "") == std::vector<Why>{{"paused", "project:photos is paused"}});
  submit(rig, {"work", "films"}, 1);
  REQUIRE(rig.sent(1) == Seqs{3});
  control(rig, "resume", "project:photos");
  REQUIRE(rig.sent(1) == Seqs{1, 2});
  REQUIRE(rig.all<JournalWish>() ==
          std::vector<JournalWish>{{"pause", "project:photos", ""}});
}

TEST_CASE("a pause holds what comes back, and a last attempt", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1, 1, 2);
  REQUIRE(rig.sent(1) == Seqs{1});
  control(rig, "pause", "kind:work");
  rig.step(GoodbyeReceived{Rig::peer(1), {1, 1, 1}});
  rig.answer_read();
  rig.worker(2, 1);
  rig.pass(1s);
  REQUIRE(rig.all<SendTasks>().empty());
  control(rig, "resume", "kind:work");
  REQUIRE(rig.sent(2) == Seqs{1});
}

TEST_CASE("a paused worker keeps what it has and gets nothing new, also with a new hello",
          "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(4);
  REQUIRE(rig.sent(1) == Seqs{1});
  control(rig, "pause", "worker:w1");
  REQUIRE(rig.credit(1, 1, 9).empty());
  rig.settle({1});
  REQUIRE(rig.sent(1).empty());
  rig.hello(1, 2, {}, 0, {1, 1, 1});
  rig.credit(1, 0, 9, 2);
  REQUIRE(rig.sent(1).empty());
  rig.worker(2, 1);
  REQUIRE(rig.sent(2) == Seqs{2});
  REQUIRE(rig.core.workers()[0].is_paused);
  REQUIRE_FALSE(rig.core.workers()[1].is_paused);
  control(rig, "resume", "worker:w1");
  REQUIRE(rig.sent(1) == Seqs{3, 4});
}

TEST_CASE("pauses survive a restart", "[ventilator]") {
  auto durable = Rig::restarted(2);
  durable.wishes.put("pause", "kind:work", Value(true).to_msgpack());
  durable.wishes.put("pause", "worker:w9", Value(true).to_msgpack());
  Rig rig(std::move(durable));
  rig.pass(3s);
  rig.hello(1, 1, {}, 0, {}, "work");
  rig.step(CreditReceived{Rig::peer(1), {2, 1, 1, 0, 9}});
  REQUIRE(rig.sent(1).empty());
  REQUIRE(rig.core.limits().pauses().list() == std::vector<std::string>{"kind:work", "worker:w9"});
  control(rig, "resume", "kind:work");
  REQUIRE(rig.sent(1) == Seqs{1, 2});
}

TEST_CASE("what nobody can wish is refused by name", "[ventilator]") {
  Rig rig;
  REQUIRE(refusal(rig, "dance", "all") == "control dance: not known");
  REQUIRE(refusal(rig, "pause", "") ==
          "pause: : is all, or kind:, project:, worker:, key: or tenant: and a name");
  rig.step(ControlAsked{"boss", 3, "pause", Value::Map{{"scope", "all"}}, true});
  REQUIRE(std::get<protocol::Refused>(rig.last<Reply>().message).reason ==
          "storage full: the ventilator's disk has no room");
  REQUIRE(rig.core.limits().pauses().is_empty());
}
