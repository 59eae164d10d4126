#include "common/base/text.hpp"
#include "rig.hpp"

using namespace eole;
using namespace eole::ventilator;
using protocol::Blob;
using protocol::OnParentFailure;
using protocol::Value;

namespace {

Bytes tasks_of(const std::string& project, std::uint32_t count, const std::string& after = "",
               OnParentFailure on_failure = OnParentFailure::kFail) {
  protocol::TaskGroups groups;
  protocol::TaskClass task_class{"work", project};
  task_class.on_parent_failure = static_cast<std::uint8_t>(on_failure);
  protocol::Conditions conditions;
  protocol::Parent parent;
  parent.project = after;
  if (!after.empty()) protocol::put_parent(conditions.parents, parent);
  for (std::uint32_t i = 0; i < count; ++i)
    groups.add(task_class, "\x80", protocol::encode_conditions(conditions));
  return groups.take();
}

constexpr RunId kRun = 3;

/// A core with projects, and a worker that takes all it gets.
struct ProjectRig : Rig {
  explicit ProjectRig(Durable durable = fresh(), bool introduce = true)
      : Rig(std::move(durable), introduce) {
    if (introduce) worker(kRun, 1000);
  }
  Actions& feed(const std::string& project, std::uint32_t count, const std::string& after = "",
                OnParentFailure on_failure = OnParentFailure::kFail) {
    return step(Submitted{
        "client", {7, ++requests, 0, "", count, tasks_of(project, count, after, on_failure)}, ""});
  }
  Value ask(const std::string& what, Value::Map options) {
    step(ControlAsked{"client", ++requests, what, Value(std::move(options))});
    const auto reply = last<Reply>();
    if (const auto* refused = std::get_if<protocol::Refused>(&reply.message))
      return Value(refused->reason);
    return *Value::from_msgpack(std::get<protocol::Answer>(reply.message).payload);
  }
  void open(const std::string& project, std::int64_t expected = 0) {
    ask("open", {{"project", project}, {"expected", expected}, {"collect", Blob{tasks_of("", 1)}}});
  }
  std::string refusal() const { return std::get<protocol::Refused>(last<Reply>().message).reason; }
  Actions& end(const std::vector<Seq>& seqs, TaskState state = TaskState::kDone) {
    Settlement settlement;
    for (const auto seq : seqs) settlement.add({seq, seq}, state);
    const auto to = head + seqs.size();
    SettledReceived event{{0, kLog, head, to, to, {}}, settlement};
    head = to;
    return step(std::move(event));
  }
  /// The verdicts of tasks that were not done: a project's end is none of them.
  std::vector<PushVerdict> not_done() const {
    auto verdicts = all<PushVerdict>();
    std::erase_if(verdicts, [](const auto& one) { return one.state == TaskState::kDone; });
    return verdicts;
  }
  /// What the journal has of all that was done; keeps the records as they come.
  void keep() {
    for (const auto& action : out)
      if (const auto* project = std::get_if<JournalProject>(&action)) {
        REQUIRE(journal.projects.load(project->record));
      } else if (const auto* tasks = std::get_if<JournalTasks>(&action)) {
        journal.last = tasks->first + tasks->submit.count - 1;
        REQUIRE(journal.load_groups(tasks->first, tasks->submit.count, tasks->submit.payload));
        journal.projects.load_accepted(tasks->submit.payload, tasks->submit.key, tasks->first);
      }
  }
  Durable journal = fresh();
  std::uint64_t requests = 0;
};

}  // namespace

TEST_CASE("a project that is closed and over has its last task accepted, once", "[projects]") {
  ProjectRig rig;
  rig.open("photos");
  rig.feed("photos", 2);
  rig.end({1});
  CHECK(rig.all<JournalTasks>().empty());
  rig.ask("close", {{"project", "photos"}});
  CHECK(rig.all<JournalTasks>().empty());
  rig.end({2});
  const auto accepted = rig.all<JournalTasks>();
  REQUIRE(accepted.size() == 1);
  CHECK(accepted[0].first == 3);
  CHECK(accepted[0].submit.key == collect_key("photos"));
  CHECK(rig.sent(kRun) == Seqs{3});
  CHECK(rig.core.class_of(3)->project == "photos/collect");
  rig.end({3});
  rig.pass(1s);
  CHECK(rig.all<JournalTasks>().empty());
}

TEST_CASE("a project without a last task ends with one that nobody runs, once", "[projects]") {
  ProjectRig rig;
  rig.ask("open", {{"project", "photos"}, {"expected", 2}});
  rig.keep();
  rig.feed("photos", 2);
  rig.keep();
  rig.end({1}, TaskState::kFailed);
  rig.keep();
  rig.end({2});
  rig.keep();
  const auto accepted = rig.all<JournalTasks>();
  REQUIRE(accepted.size() == 1);
  CHECK(accepted[0].submit.payload == over_of("photos", {kOrigin, 1}));
  CHECK(rig.sent(kRun).empty());
  CHECK(rig.all<SendAnnounce>() == std::vector{SendAnnounce{3, rig.all<SendAnnounce>()[0].read}});
  CHECK(rig.all<PushVerdict>() == std::vector{PushVerdict{3, {}, 0, TaskState::kDone}});
  const bool is_read = GENERATE(false, true);
  rig.journal.start = 2;
  rig.journal.settled.add(1, is_read ? 3 : 2);
  rig.journal.drop_settled();
  Rig again(std::move(rig.journal), false);
  SeqRanges settled;
  settled.add(1, is_read ? 3 : 2);
  again.step(IntroducedReceived{2, kLog, 2, settled, {}});
  CHECK(again.all<JournalTasks>().empty());
  CHECK(again.all<PushVerdict>().size() == (is_read ? 0 : 1));
}

TEST_CASE("no client's task is taken for a project's end", "[projects]") {
  ProjectRig rig;
  const auto feed = [&](const protocol::TaskClass& task_class) {
    protocol::TaskGroups groups;
    groups.add(task_class, "\x80");
    rig.step(Submitted{"client", {7, ++rig.requests, 0, "", 1, groups.take()}, ""});
    const auto reply = rig.last<Reply>();
    const auto* refused = std::get_if<protocol::Refused>(&reply.message);
    return refused == nullptr ? "" : refused->reason;
  };
  const std::string reserved =
      "kind over: is the ventilator's own, for projects without a last task";
  const std::string early =
      "project photos/collect: is for the last task of photos, which is not over";
  CHECK(feed({"over", "films"}) == reserved);
  CHECK(feed({"work", "photos/collect"}) == early);
  protocol::TaskGroups last;
  last.add(protocol::TaskClass{"over"}, "\x80");
  CHECK(rig.ask("open", {{"project", "photos"}, {"collect", Blob{last.take()}}}).text_or("") ==
        "open: project photos: " + reserved);
  rig.open("photos");
  CHECK(feed({"work", "photos/collect"}) == early);
  rig.ask("close", {{"project", "photos"}});
  CHECK(feed({"work", "photos/collect"}) == "");  // As what was dead is run again.
}

TEST_CASE("a project that is opened again while its end is on its way ends twice", "[projects]") {
  ProjectRig rig;
  const auto done = [&](auto&&... steps) { (..., (steps(), rig.keep())); };
  done([&] { rig.ask("close", {{"project", "photos"}}); },
       [&] { rig.ask("open", {{"project", "photos"}, {"is_again", true}}); });
  rig.journal.start = 2;
  Rig again(std::move(rig.journal), false);
  again.step(IntroducedReceived{2, kLog, 0, {}, {}});
  CHECK(again.all<PushVerdict>() == std::vector{PushVerdict{1, {}, 0, TaskState::kDone}});
  again.settle({1});
  again.step(ControlAsked{"client", 9, "close", Value(Value::Map{{"project", "photos"}})});
  CHECK(again.all<PushVerdict>() == std::vector{PushVerdict{2, {}, 0, TaskState::kDone}});
}

TEST_CASE("a project of an expected size closes itself", "[projects]") {
  ProjectRig rig;
  rig.open("photos", 3);
  rig.feed("photos", 2);
  rig.end({1, 2});
  CHECK(rig.all<JournalTasks>().empty());
  rig.feed("photos", 1);
  rig.feed("photos", 1);
  CHECK(rig.refusal() == "project photos: closed, takes no more tasks until it is opened again");
  rig.end({3});
  CHECK(rig.all<JournalTasks>().size() == 1);
}

TEST_CASE("a restart neither forgets nor repeats a project's last task", "[projects]") {
  ProjectRig rig;
  const auto done = [&](auto&&... steps) { (..., (steps(), rig.keep())); };
  done([&] { rig.open("photos", 2); }, [&] { rig.feed("photos", 1); },
       [&] { rig.feed("photos", 1); });
  const bool is_over = GENERATE(false, true);
  if (is_over) done([&] { rig.end({1, 2}); });
  rig.journal.start = 2;
  if (is_over) {
    rig.journal.settled.add(1, 2);
    rig.journal.drop_settled();
  }
  Rig again(std::move(rig.journal), false);
  SeqRanges settled;
  settled.add(1, 2);
  again.step(IntroducedReceived{2, kLog, 2, settled, {}});
  CHECK(again.all<JournalTasks>().size() == (is_over ? 0 : 1));
}

TEST_CASE("counts of a project are those of its tasks that are not settled", "[projects]") {
  ProjectRig rig;
  rig.credit(kRun, 0, 1);
  rig.feed("a", 5);
  rig.feed("b", 3, "a");
  const auto a = rig.core.project_counts().of("a");
  REQUIRE(a);
  CHECK(a->running + a->queued == 5);
  CHECK(rig.core.project_counts().of("b")->waiting == 3);
  CHECK(rig.core.project_counts().list("a", 10, {}).size() == 1);
  rig.end({1, 2});
  CHECK(rig.core.project_counts().of("a")->running + rig.core.project_counts().of("a")->queued == 3);
  CHECK_FALSE(rig.core.project_counts().of("c"));
}

TEST_CASE("a task waits for what a project had accepted before it", "[projects]") {
  ProjectRig rig;
  rig.feed("a", 2);
  rig.feed("", 1, "a");  // 3
  rig.feed("a", 1);      // 4
  rig.feed("", 1, "a");  // 5
  rig.end({1});
  CHECK(rig.sent(kRun).empty());
  rig.end({2});
  CHECK(rig.sent(kRun) == Seqs{3});
  rig.end({4});
  CHECK(rig.sent(kRun) == Seqs{5});
}

TEST_CASE("a task waits for a project that was opened until that is closed and over",
          "[projects]") {
  ProjectRig rig;
  rig.ask("open", {{"project", "a"}});
  rig.feed("", 1, "a");
  CHECK(rig.sent(kRun).empty());
  rig.feed("a", 1);
  rig.end({2});
  CHECK(rig.sent(kRun).empty());
  rig.ask("close", {{"project", "a"}});
  CHECK(rig.sent(kRun) == Seqs{1});
}

TEST_CASE("a project with a task that was not done is one that was not done", "[projects]") {
  ProjectRig rig;
  rig.feed("a", 2);
  rig.feed("", 1, "a");
  rig.feed("", 1, "a", OnParentFailure::kRun);
  rig.end({1}, TaskState::kDead);
  const auto verdicts = rig.all<PushVerdict>();
  REQUIRE(verdicts.size() == 1);
  CHECK(verdicts[0].seq == 3);
  CHECK(verdicts[0].state == TaskState::kFailed);
  CHECK(verdicts[0].why.text == "project a, which it waits for, has tasks that were not done");
  rig.end({2});
  CHECK(rig.sent(kRun) == Seqs{4});
}

TEST_CASE("of tasks that end together none is forgotten when a project is over", "[projects]") {
  ProjectRig rig;
  rig.ask("open", {{"project", "a"}});
  rig.feed("", 1, "a");
  rig.feed("a", 1);
  rig.feed("a", 1, "", OnParentFailure::kSkip);  // Of another class.
  rig.ask("close", {{"project", "a"}});
  Settlement settlement;
  settlement.add({2, 2});
  settlement.add({3, 3}, TaskState::kDead);
  REQUIRE(settlement.ranges.size() == 1);
  rig.step(SettledReceived{{0, kLog, rig.head, rig.head + 2, rig.head + 2, {}}, settlement});
  const auto verdicts = rig.not_done();
  REQUIRE(verdicts.size() == 1);
  CHECK(verdicts[0].seq == 1);
}

TEST_CASE("who comes as a project is over takes nobody's turn who waits for it", "[projects]") {
  ProjectRig rig;
  rig.ask("open", {{"project", "a"}});
  rig.feed("", 1, "a");
  rig.feed("", 1, "a", OnParentFailure::kSkip);
  rig.feed("a", 1);
  const bool is_done = GENERATE(true, false);
  rig.end({3}, is_done ? TaskState::kDone : TaskState::kDead);
  // Both come before anybody was told that it is over.
  rig.core.on_event(ControlAsked{"client", 90, "close", Value(Value::Map{{"project", "a"}})},
                    rig.now, rig.out);
  rig.feed("", 1, "a", OnParentFailure::kRun);
  const auto verdicts = rig.not_done();
  CHECK(verdicts.size() == (is_done ? 0 : 2));
  CHECK(rig.sent(kRun) == (is_done ? Seqs{1, 2, 4} : Seqs{4}));
}

TEST_CASE("a restart knows who waits for which tasks of a project", "[projects]") {
  ProjectRig rig;
  const auto done = [&](auto&&... steps) { (..., (steps(), rig.keep())); };
  done([&] { rig.feed("a", 2); }, [&] { rig.feed("", 1, "a"); }, [&] { rig.feed("a", 1); },
       [&] { rig.feed("", 1, "a"); });
  const auto ended = GENERATE(Seq{1}, Seq{2});
  rig.journal.start = 2;
  ProjectRig again(std::move(rig.journal), false);
  SeqRanges settled;
  settled.add(1, ended);
  again.step(IntroducedReceived{2, kLog, 0, settled, {}});
  CHECK(again.core.project_counts().of("")->waiting == (ended == 1 ? 2 : 1));
}

TEST_CASE("a whole project is closed and cancelled", "[projects]") {
  ProjectRig rig;
  rig.credit(kRun, 0, 0);
  rig.feed("a", 3);
  const auto answer = rig.ask("cancel", {{"project", "a"}});
  CHECK(answer["cancelling"].int_or(0) == 3);
  CHECK(answer["next"].is_null());
  CHECK(rig.all<JournalCancel>().size() == 3);
  rig.feed("a", 1);
  CHECK(rig.refusal() == "project a: closed, takes no more tasks until it is opened again");
}

TEST_CASE("bad wishes for a project are refused by name", "[projects]") {
  ProjectRig rig;
  CHECK(rig.ask("open", {}) == Value("open: project: its name is missing"));
  CHECK(rig.ask("open", {{"project", std::string(250, 'p')}}) ==
        Value("open: project of 250 bytes, limit 247"));
  CHECK(rig.ask("open", {{"project", "a"}, {"collect", Blob{tasks_of("", 2)}}}) ==
        Value("open: project a: its last task: 2 tasks, must be one without conditions"));
  rig.feed("a", 1, "a");
  CHECK(rig.refusal() == "after project a: a task of it cannot wait for it");
  rig.ask("close", {{"project", "a"}});
  CHECK(rig.ask("open", {{"project", "a"}}) == Value("open: project a: was closed"));
  CHECK(rig.ask("open", {{"project", "a"}, {"is_again", true}})["state"] == Value("open"));
}

TEST_CASE("so many projects are known, and one that is over makes room", "[projects]") {
  ProjectRig rig;
  for (std::size_t i = 0; i < kProjectsMax; ++i)
    rig.ask("open", {{"project", "p" + std::to_string(i)}});
  CHECK(rig.ask("open", {{"project", "x"}}) ==
        Value("open: 4096 projects are not over, limit 4096"));
  rig.ask("close", {{"project", "p7"}});
  CHECK(rig.ask("open", {{"project", "x"}}).as<Value::Map>() == nullptr);
  rig.end({1});  // Its end is in the log.
  CHECK(rig.ask("open", {{"project", "x"}})["state"] == Value("open"));
  CHECK_FALSE(rig.core.project_counts().of("p7"));
}

TEST_CASE("a record of projects is read as it was written", "[projects]") {
  Projects projects;
  projects.put("a", {true, false, true, 3, 9, 2, 1, "x", 0});
  projects.put("b", {});
  SavePlace place{Part::kProjects, 0, 0};
  Bytes bytes;
  projects.save(place, bytes);
  Projects again;
  REQUIRE(again.load(bytes));
  CHECK(*again.find("a") == *projects.find("a"));
  CHECK(again.find("b") != nullptr);
  CHECK_FALSE(again.load("\x05"));
  projects.forget("a");
  REQUIRE(again.load(projects.record("a")));
  CHECK(again.find("a") == nullptr);
}

namespace {

// One task of `project` that waits for others, or for a key.
Bytes waiting_of(const std::string& project, std::vector<protocol::Parent> parents,
                 const std::string& key = "") {
  protocol::TaskGroups groups;
  protocol::Conditions conditions;
  conditions.key = key;
  for (const auto& parent : parents) protocol::put_parent(conditions.parents, parent);
  groups.add({"work", project}, "\x80", protocol::encode_conditions(conditions));
  return groups.take();
}
protocol::Parent all_of(const std::string& project) {
  protocol::Parent parent;
  parent.project = project;
  return parent;
}
protocol::Parent one(Seq seq) {
  protocol::Parent parent;
  parent.id = {kOrigin, seq};
  return parent;
}

}  // namespace

TEST_CASE("a task that would wait for one that waits for its project is refused", "[projects]") {
  ProjectRig rig;
  const auto submit = [&](const Bytes& task) {
    rig.step(Submitted{"client", {7, ++rig.requests, 0, "", 1, task}, ""});
    const auto reply = rig.last<Reply>().message;
    const auto* refused = std::get_if<protocol::Refused>(&reply);
    return refused == nullptr ? "" : refused->reason;
  };
  const auto waits = std::string(" project photos, of which this task is");
  rig.open("photos");
  REQUIRE(submit(waiting_of("films", {all_of("photos")}, "k")).empty());  // 1
  REQUIRE(submit(waiting_of("", {one(1)})).empty());                      // 2
  REQUIRE(submit(waiting_of("photos", {one(2)})) ==
          text("after ", to_text(TaskId{kOrigin, 2}), ": a circle, it waits for", waits));
  REQUIRE(submit(waiting_of("photos", {all_of("films")})) ==
          "after project films: a circle, tasks of it wait for" + waits);
  REQUIRE(submit(waiting_of("photos", {}, "k")) ==
          text("key k: a circle, ", to_text(TaskId{kOrigin, 1}), " of this key waits for", waits));
  REQUIRE(submit(waiting_of("photos", {}, "other")).empty());
  REQUIRE(submit(waiting_of("photos", {one(3)})).empty());
}

TEST_CASE("a circle that was closed within one submit says so", "[projects]") {
  ProjectRig rig;
  rig.open("photos");
  protocol::Parent before;
  before.back = 1;
  protocol::TaskGroups groups;
  protocol::Conditions conditions;
  protocol::put_parent(conditions.parents, all_of("photos"));
  groups.add({"work", "films"}, "\x80", protocol::encode_conditions(conditions));
  conditions.parents.clear();
  protocol::put_parent(conditions.parents, before);
  groups.add({"work", "photos"}, "\x80", protocol::encode_conditions(conditions));
  rig.step(Submitted{"client", {7, ++rig.requests, 0, "", 2, groups.take()}, ""});
  const auto circle = [](Seq other) {
    return Why{"circle",
               text("it waits for itself, and so for ever: it waits for ",
                    to_text(TaskId{kOrigin, other}), ", and that for it; cancel one of them"),
               0,
               {other}};
  };
  REQUIRE(rig.core.explain().why(1, "").front() == circle(2));
  REQUIRE(rig.core.explain().why(2, "").front() == circle(1));
  REQUIRE(rig.core.explain().why(2, "").size() == 2);
}
