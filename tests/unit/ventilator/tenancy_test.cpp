#include "ventilator/core/tenancy.hpp"

#include "common/base/text.hpp"
#include "ventilator/io/queries.hpp"
// Behind those: its kStart is none of the journal's.
#include "tests/simulation/sim_disk.hpp"
#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;
using Catch::Matchers::Contains;
using protocol::Value;

namespace {

const Within kAcme("acme/");
const Within kZeta("zeta/");

struct Tenants {
  simulation::SimDisk disk{1};
  std::unique_ptr<storage::Directory> directory = disk.open();
  Journal journal{*directory, {.entropy = std::uint64_t{kOrigin} << 34}, "boot"};
  Rig rig;

  /// As a node hands it over.
  void submit(const Within& within, protocol::TaskGroups groups, const std::string& key = "") {
    const auto count = groups.count();
    auto payload = groups.take();
    if (!within.is_all()) payload = *bound_to(within, payload);
    protocol::Submit submit{7, ++requests, 0, within.own(key), count, payload, within.prefix()};
    auto hash = payload;
    journal.write(
        rig.step(Submitted{"client", std::move(submit), key.empty() ? "" : hash, false, 1}),
        [&](auto& place) { return rig.core.save(place); });
  }
  void submit(const Within& within, const std::string& project,
              const std::string& conditions = "") {
    protocol::TaskGroups groups;
    groups.add({"work", project}, "\x80", conditions);
    submit(within, std::move(groups));
  }
  void control(const Within& within, const std::string& what, Value options) {
    rig.step(ControlAsked{"client", ++requests, what, std::move(options), false, within});
  }
  /// Empty: it was not refused.
  std::string refusal() const {
    const auto reply = rig.last<Reply>();
    const auto* refused = std::get_if<protocol::Refused>(&reply.message);
    return refused == nullptr ? "" : refused->reason;
  }
  /// Of which sort it is, and when it makes sense again.
  std::pair<std::string, std::uint32_t> sort() const {
    const auto refused = std::get<protocol::Refused>(rig.last<Reply>().message);
    return {refused.code, refused.retry_after_ms};
  }
  Expected<Value> ask(const Within& within, const std::string& what,
                      const Value& options = Value::Map{}, Seq seq = 0) {
    return answer_to({1, what, kOrigin, seq, options.to_msgpack(), within.prefix()}, rig.core,
                     journal, 1h);
  }
  std::uint64_t requests = 0;
};

std::string after(const protocol::Parent& parent) {
  protocol::Conditions conditions;
  protocol::put_parent(conditions.parents, parent);
  return protocol::encode_conditions(conditions);
}

std::string keyed(const std::string& key) {
  protocol::Conditions conditions;
  conditions.key = key;
  return protocol::encode_conditions(conditions);
}

Bytes task_of(const std::string& project) {
  protocol::TaskGroups groups;
  groups.add({"work", project}, "\x80");
  return groups.take();
}

std::vector<std::string> names(const Value& list, const char* what) {
  std::vector<std::string> found;
  for (const auto& one : *list.as<Value::Array>()) found.push_back(one[what].text_or(""));
  return found;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("within a prefix only its own projects take tasks", "[tenancy]") {
  Tenants all;
  all.submit(kAcme, "acme/photos");
  REQUIRE(all.refusal().empty());
  all.submit(kAcme, "zeta/films");
  REQUIRE(all.refusal() == "project zeta/films: is not within acme/");
  REQUIRE(all.sort().first == "outside");
  all.submit(kAcme, "");
  REQUIRE(all.refusal() == "no project is named: must begin with acme/");
  protocol::TaskGroups mixed;
  mixed.add(protocol::TaskClass{"work", "acme/photos"}, "\x80");
  mixed.add(protocol::TaskClass{"work", "zeta/films"}, "\x80");
  all.submit(kAcme, std::move(mixed));
  REQUIRE(all.refusal() == "project zeta/films: is not within acme/");
  REQUIRE(all.sort().first == "outside");
  REQUIRE(all.rig.core.accepted() == 1);
}

TEST_CASE("who is held to a prefix hears of keys within it alone, others of all", "[tenancy]") {
  Tenants all;
  const auto submit = [&](const Within& within, const std::string& project) {
    protocol::TaskGroups groups;
    groups.add({"work", project}, "\x80");
    all.submit(within, std::move(groups), "k");
  };
  submit(kAcme, "acme/photos/x");
  submit(kZeta, "zeta/films");
  submit(Within("acme/photos/"), "acme/photos/x");
  // Of one key: the last of those who may submit to the project, of whom he may know.
  const auto first_of = [&](const Within& within, const std::string& project) {
    const auto asked = Value::Map{{"key", "k"}, {"project", project}};
    const auto first = (*all.ask(within, "submission", asked))["first"].text_or("");
    return first.empty() ? 0 : parse_task_id(first)->seq;
  };
  REQUIRE(first_of(Within(), "acme/photos/x") == 3);
  REQUIRE(first_of(Within(), "acme/other") == 1);
  REQUIRE(first_of(Within(), "zeta/films") == 2);
  submit(Within(), "acme/photos/x");
  REQUIRE(first_of(Within(), "acme/photos/x") == 4);
  REQUIRE(first_of(kAcme, "acme/photos/x") == 3);
  REQUIRE(first_of(kAcme, "acme/other") == 1);
  REQUIRE(first_of(kAcme, "zeta/films") == 0);
  REQUIRE(first_of(kAcme, std::string(60'000, '/')) == 0);
  const auto key_of = [&](const Within& within, Seq seq) {
    return (*all.ask(within, "submission", Value::Map{}, seq))["key"].text_or("");
  };
  for (Seq seq = 1; seq <= 4; ++seq) {
    REQUIRE(key_of(Within(), seq) == "k");
    REQUIRE(key_of(kAcme, seq) == (seq == 1 || seq == 3 ? "k" : ""));
    REQUIRE(key_of(Within("acme/photos/"), seq) == (seq == 3 ? "k" : ""));
    REQUIRE(key_of(kZeta, seq) == (seq == 2 ? "k" : ""));
  }
  const auto own = [&](const Within& within) {
    return (*all.ask(within, "submission", Value::Map{{"key", "k"}}))["count"].int_or(0);
  };
  REQUIRE(own(kZeta) == 1);
  REQUIRE(own(Within("beta/")) == 0);
}

TEST_CASE("what tasks read of others is bound to the prefix, and written with them", "[tenancy]") {
  Tenants all;
  all.submit(kAcme, "acme/photos");
  REQUIRE(all.rig.core.class_of(1)->within == "acme/");
  all.submit(Within(), "acme/photos");
  REQUIRE(all.rig.core.class_of(2)->within.empty());
  const auto long_name = std::string(255, 'n');
  protocol::TaskClass large{long_name, long_name};
  while (protocol::encode_class(large).size() < protocol::kClassBytesMax) large.needs += 'x';
  Bytes groups;
  protocol::put_task_group(groups, {protocol::encode_class(large), 1, "\1"});
  REQUIRE_FALSE(bound_to(kAcme, groups));
}

TEST_CASE("a parent outside is one that was never accepted", "[tenancy]") {
  Tenants all;
  all.submit(kAcme, "acme/photos");
  all.submit(kZeta, "zeta/films");
  all.submit(kAcme, "acme/photos", after({{kOrigin, 1}}));
  REQUIRE(all.refusal().empty());
  all.submit(kAcme, "acme/photos", after({{kOrigin, 2}}));
  const auto outside = all.refusal();
  all.submit(kAcme, "acme/photos", after({{kOrigin, 99}}));
  const auto unknown = all.refusal();
  const auto id = [](Seq seq) { return to_text(TaskId{kOrigin, seq}); };
  REQUIRE(outside == text("task 1 of the submit: after ", id(2), ": no such task was accepted"));
  REQUIRE(unknown == text("task 1 of the submit: after ", id(99), ": no such task was accepted"));
  all.submit(kAcme, "acme/photos", after({{kOrigin, 1}, 0, 3}));  // One of them is.
  REQUIRE(all.refusal() ==
          text("task 1 of the submit: after ", id(3), ": no such task was accepted"));
  all.submit(kAcme, "acme/photos", after({{}, 0, 1, "zeta/films"}));
  REQUIRE(all.refusal() == "task 1 of the submit: after project zeta/films: is not within acme/");
  all.submit(Within(), "x", after({{kOrigin, 2}}));
  REQUIRE(all.refusal().empty());
}

TEST_CASE("keys of two prefixes are two, for submits and for the order of tasks", "[tenancy]") {
  Tenants all;
  const auto submit = [&](const Within& within, const std::string& project) {
    protocol::TaskGroups groups;
    groups.add({"work", project}, "\x80");
    all.submit(within, std::move(groups), "key");
  };
  submit(kAcme, "acme/photos");
  submit(kZeta, "zeta/films");
  REQUIRE(all.refusal().empty());
  submit(kZeta, "zeta/other");
  REQUIRE(all.refusal() == "key key: was used for other tasks");
  REQUIRE(all.sort().first == "key_used");
  REQUIRE(all.rig.core.accepted() == 2);
  all.submit(kAcme, "acme/photos", keyed("k"));
  all.submit(kZeta, "zeta/films", keyed("k"));
  REQUIRE(all.rig.core.held() == 0);
  all.submit(kZeta, "zeta/films", keyed("k"));
  REQUIRE(all.rig.core.held() == 1);
}

TEST_CASE("a cancel within a prefix cancels nothing outside", "[tenancy]") {
  Tenants all;
  all.submit(kAcme, "acme/photos");
  all.submit(kZeta, "zeta/films");
  all.submit(Within(), "");
  all.rig.step(CancelAsked{"client", 9, kOrigin, {{1, 4}}, kAcme});
  const auto answer =
      *Value::from_msgpack(std::get<protocol::Answer>(all.rig.last<Reply>().message).payload);
  REQUIRE(answer["cancelling"].to_json() == "[[1,1]]");
  REQUIRE(answer["unknown"].to_json() == "[[2,4]]");
  REQUIRE(all.rig.all<JournalCancel>() == std::vector<JournalCancel>{{1}});
}

TEST_CASE("a control within a prefix is about its own projects alone", "[tenancy]") {
  Tenants all;
  all.submit(kZeta, "zeta/films");
  const auto why = [&](const std::string& what, Value options) {
    all.control(kAcme, what, std::move(options));
    return all.refusal();
  };
  for (const auto* scope : {"all", "kind:work", "worker:w1", "project:zeta/films",
                            "project:", "tenant:acme/", "nonsense"})
    for (const auto* what : {"pause", "resume", "limit"})
      REQUIRE(why(what, Value::Map{{"scope", scope}, {"running", 1}}) ==
              text(what, ": scope ", scope, ": is not within acme/"));
  for (const auto* what : {"open", "close", "cancel"})
    REQUIRE(why(what, Value::Map{{"project", "zeta/films"}}) ==
            text(what, ": project zeta/films: is not within acme/"));
  all.control(kAcme, "pause", Value::Map{{"scope", "all"}, {"id", "a"}});
  REQUIRE(all.rig.all<JournalWish>().empty());  // Nor does it push out what others asked.
  REQUIRE(why("pause", Value::Map{{"scope", "project:acme/photos"}}).empty());
  REQUIRE(why("limit", Value::Map{{"scope", "project:acme/photos"}, {"running", 1}}).empty());
  REQUIRE(
      why("open", Value::Map{{"project", "acme/photos"}, {"collect", protocol::Blob{task_of("")}}})
          .empty());
  const auto collect = all.rig.core.project_counts().of("acme/photos")->known->collect;
  ByteReader reader(collect);
  REQUIRE(protocol::decode_class(protocol::read_task_group(reader)->task_class)->within == "acme/");
}

TEST_CASE("within a prefix schedules have its names, and its projects' tasks", "[tenancy]") {
  Tenants all;
  const auto add = [&](const Within& within, const std::string& name, const std::string& project) {
    all.control(within, "schedule",
                Value::Map{{"name", name},
                           {"state", "added"},
                           {"every_ms", 60'000},
                           {"task", protocol::Blob{task_of(project)}}});
    return all.refusal();
  };
  REQUIRE(add(kZeta, "zeta/nightly", "zeta/films").empty());
  REQUIRE(add(kAcme, "nightly", "acme/photos") == "schedule: name nightly: is not within acme/");
  REQUIRE_THAT(add(kAcme, "acme/nightly", "zeta/films"),
               Contains("project zeta/films: is not within acme/"));
  REQUIRE(add(kAcme, "acme/nightly", "acme/photos").empty());
  all.control(kAcme, "schedule", Value::Map{{"name", "zeta/nightly"}, {"state", "removed"}});
  REQUIRE(all.refusal() == "schedule: name zeta/nightly: is not within acme/");
  REQUIRE(names(*all.ask(kAcme, "schedules"), "name") == Names{"acme/nightly"});
  REQUIRE(all.ask(kAcme, "schedule", Value::Map{{"name", "zeta/nightly"}})->is_null());
  REQUIRE(names(*all.ask(Within(), "schedules"), "name") == Names{"acme/nightly", "zeta/nightly"});
}

TEST_CASE("a control's id is that of its prefix alone", "[tenancy]") {
  Tenants all;
  all.control(kAcme, "pause", Value::Map{{"scope", "project:acme/photos"}, {"id", "a"}});
  all.control(kZeta, "pause", Value::Map{{"scope", "project:zeta/films"}, {"id", "a"}});
  REQUIRE(all.rig.core.limits().pauses().list().size() == 2);
}

TEST_CASE("questions within a prefix are answered as if there was nothing else", "[tenancy]") {
  Tenants all;
  all.submit(kAcme, "acme/photos");
  all.submit(kZeta, "zeta/films");
  all.submit(Within(), "");
  all.rig.worker(1, 3);
  for (const auto* scope : {"project:zeta/films", "project:acme/photos", "kind:work"})
    all.control(Within(), "pause", Value::Map{{"scope", scope}});
  for (const auto* scope : {"project:zeta/films", "project:acme/photos", "all"})
    all.control(Within(), "limit", Value::Map{{"scope", scope}, {"running", 5}});
  for (const auto* scope : {"tenant:acme/", "tenant:zeta/", "tenant:acme/photos/"})
    all.control(Within(), "limit", Value::Map{{"scope", scope}, {"queued", 5}});
  const auto status = *all.ask(kAcme, "status");
  REQUIRE(status["running"].int_or(0) == 1);
  REQUIRE(status["queued"].int_or(9) == 0);
  REQUIRE(status["within"].text_or("") == "acme/");
  REQUIRE(status["accepted"].is_null());
  REQUIRE(status["paused"].to_json() == R"(["project:acme/photos"])");
  REQUIRE(names((*all.ask(kAcme, "tasks"))["tasks"], "project") == Names{"acme/photos"});
  REQUIRE(names((*all.ask(kAcme, "projects"))["projects"], "project") == Names{"acme/photos"});
  REQUIRE(all.ask(kAcme, "project", Value::Map{{"project", "zeta/films"}})->is_null());
  REQUIRE_FALSE(all.ask(kAcme, "project", Value::Map{{"project", "acme/photos"}})->is_null());
  REQUIRE(all.ask(kAcme, "task", {}, 2)->is_null());
  REQUIRE(all.ask(kAcme, "task", {}, 3)->is_null());
  REQUIRE_FALSE(all.ask(kAcme, "task", {}, 1)->is_null());
  REQUIRE(names(*all.ask(kAcme, "limits"), "scope") ==
          Names{"project:acme/photos", "tenant:acme/", "tenant:acme/photos/"});
  const auto workers = *all.ask(kAcme, "workers");
  REQUIRE((*workers.as<Value::Array>())[0]["held"].int_or(0) == 1);
  REQUIRE((*workers.as<Value::Array>())[0]["pid"].is_null());
  REQUIRE(all.ask(kAcme, "bounds").error().message ==
          "query bounds: tells of all projects, not of acme/");
  REQUIRE(all.ask(kAcme, "bounds").error().code == ErrorCode::kOutside);
}

TEST_CASE("a tenant has no more tasks queued than its quota, whoever submits", "[tenancy]") {
  Tenants all;
  all.control(Within(), "limit", Value::Map{{"scope", "tenant:acme/"}, {"queued", 2}});
  REQUIRE(all.refusal().empty());
  all.submit(kAcme, "acme/photos");
  all.submit(Within(), "acme/films");
  all.submit(kAcme, "acme/photos");
  REQUIRE(all.refusal() ==
          "quota tenant:acme/: 2 tasks are queued, with this submit 3, limit 2; try again later");
  REQUIRE(all.sort() == std::pair(std::string("quota"), 0U));
  all.submit(kZeta, "zeta/films");
  REQUIRE(all.refusal().empty());
  all.rig.settle({1});
  all.submit(kAcme, "acme/photos");
  REQUIRE(all.refusal().empty());
  all.control(Within(), "limit", Value::Map{{"scope", "tenant:acme/"}});
  all.submit(kAcme, "acme/photos");
  REQUIRE(all.refusal().empty());
}

TEST_CASE("a schedule's tasks wait until its tenant's quota has room", "[tenancy][schedules]") {
  Tenants all;
  all.control(kAcme, "schedule",
              Value::Map{{"name", "acme/nightly"},
                         {"state", "added"},
                         {"every_ms", 60'000},
                         {"task", protocol::Blob{task_of("acme/photos")}}});
  REQUIRE(all.refusal().empty());
  all.control(Within(), "limit", Value::Map{{"scope", "tenant:acme/"}, {"queued", 1}});
  all.submit(kAcme, "acme/photos");
  all.rig.pass(65s);
  REQUIRE(all.rig.all<JournalTasks>().empty());
  REQUIRE(all.rig.core.schedules().view("acme/nightly", 0)["last_error"].text_or("") ==
          "quota tenant:acme/: 1 task is queued, with this submit 2, limit 1; try again later");
  all.rig.settle({1});
  all.rig.pass(10s);
  REQUIRE(all.rig.all<JournalTasks>().size() == 1);
}

TEST_CASE("a tenant has no more tasks accepted a second than its quota", "[tenancy]") {
  Tenants all;
  const auto submit = [&](std::uint32_t count) {
    protocol::TaskGroups groups;
    for (std::uint32_t i = 0; i < count; ++i) groups.add(protocol::TaskClass{"work", "acme/photos"}, "\x80");
    all.submit(kAcme, std::move(groups));
    return all.refusal();
  };
  all.control(Within(), "limit", Value::Map{{"scope", "tenant:acme/"}, {"rate", 10}});
  REQUIRE(submit(21).empty());  // One was left: the others are paid off.
  REQUIRE(submit(1) == "quota tenant:acme/: 10 tasks a second are accepted; try again in 3 s");
  REQUIRE(all.sort() == std::pair(std::string("quota"), 2100U));
  all.rig.pass(2s);
  REQUIRE_FALSE(submit(1).empty());
  all.rig.pass(200ms);
  REQUIRE(submit(1).empty());
  all.rig.pass(3600s);
  REQUIRE(submit(10).empty());  // No more than a second adds up.
  REQUIRE_FALSE(submit(1).empty());
}

TEST_CASE("a quota that makes no sense is refused by name", "[tenancy]") {
  Tenants all;
  const auto why = [&](const std::string& what, Value options) {
    all.control(Within(), what, std::move(options));
    return all.refusal();
  };
  REQUIRE(why("limit", Value::Map{{"scope", "tenant:acme"}, {"queued", 1}}) ==
          "limit: prefix acme: is the begin of projects' names up to a /, like acme/");
  REQUIRE(why("limit", Value::Map{{"scope", "tenant:acme/"}, {"running", 1}}) ==
          "limit: running: a tenant is limited by queued, bytes and rate");
  REQUIRE(why("limit", Value::Map{{"scope", "kind:work"}, {"queued", 1}}) ==
          "limit: queued: is a limit of a tenant");
  REQUIRE(why("limit", Value::Map{{"scope", "tenant:acme/"}, {"bytes", 0}}) ==
          "limit: bytes: a number of bytes, limits 1 and 1099511627776");
  REQUIRE(why("pause", Value::Map{{"scope", "tenant:acme/"}}) ==
          "pause: a tenant has limits, and its projects are paused one by one");
}

TEST_CASE("quotas, and what counts for them, are known after a restart", "[tenancy]") {
  auto durable = Rig::fresh();
  durable.start = 2;
  durable.last = 2;
  durable.wishes.put("limit", "tenant:acme/", Value(Value::Map{{"queued", 2}}).to_msgpack());
  REQUIRE(durable.load_groups(1, 1, task_of("acme/photos")));
  REQUIRE(durable.load_groups(2, 1, task_of("acme/photos")));
  durable.settled.add(2, 2);
  durable.drop_settled();
  const auto load = durable.classes.load_within("acme/");
  REQUIRE(load.tasks == 1);
  REQUIRE(load.bytes == 6);
  Rig rig(std::move(durable));
  const auto submit = [&](std::uint64_t request) {
    rig.step(Submitted{"client", {7, request, 0, "", 1, task_of("acme/photos")}, "", false});
    return std::holds_alternative<protocol::Refused>(rig.last<Reply>().message);
  };
  REQUIRE_FALSE(submit(1));
  REQUIRE(submit(2));
}
