#include "ventilator/core/admission.hpp"

#include "rig.hpp"

using namespace eole;
using namespace eole::ventilator;

namespace {

/// What a submit is admitted by.
struct Parts {
  Config config;
  Durable durable = Rig::fresh();
  Gates gates{kOrigin, durable.projects, durable.classes};
  Quotas quotas;
  Moment moment{kStart, 0};
  std::uint64_t queued = 0;
  using Names = std::set<std::string>;
  using Why = std::optional<Error>;

  Admission admission() const { return {config, durable, gates, quotas, queued, moment}; }
  std::pair<std::optional<Answered>, Why> answered(const Submitted& event) const {
    Why conflict;
    const auto answer = admission().find_answer(event, conflict);
    return {answer, conflict};
  }
  std::pair<Why, Names> refused(const Submitted& event) const {
    Names awaited;
    auto why = admission().why_refused(event, awaited);
    return {why, awaited};
  }
  Why limited(const Submitted& event) const { return admission().why_limited(event); }
};

Submitted submit(std::uint64_t request, const std::string& key = "", const std::string& hash = "") {
  return {"client", {7, request, 0, key, 1, Rig::groups(1)}, hash};
}

/// A task of a project, after whatever tasks.
Submitted after(const std::string& project, const protocol::Parent& parent) {
  protocol::Conditions conditions;
  protocol::put_parent(conditions.parents, parent);
  protocol::TaskGroups groups;
  groups.add({"work", project}, "\x80", protocol::encode_conditions(conditions));
  return {"client", {7, 1, 0, "", 1, groups.take()}, ""};
}

}  // namespace

TEST_CASE("what a submit was answered is found by its key, or else by its request", "[admission]") {
  Parts parts;
  using Found = std::pair<std::optional<Answered>, std::optional<Error>>;
  parts.durable.answers.add({"key", "hash", {3, 2}, kStart});
  parts.durable.answers.add(7, 1, 0, {5, 1}, kStart);
  REQUIRE(parts.answered(submit(1)) == Found{Answered{5, 1}, {}});
  REQUIRE(parts.answered(submit(2)) == Found{});
  REQUIRE(parts.answered(submit(9, "key", "hash")) == Found{Answered{3, 2}, {}});
  REQUIRE(parts.answered(submit(1, "other", "hash")) == Found{});
  REQUIRE(parts.answered(submit(9, "key", "another")) ==
          Found{Answered{3, 2}, Error{"key key: was used for other tasks", ErrorCode::kKeyUsed}});
}

TEST_CASE("a submit is refused for the first reason that there is, and says for whom it waits",
          "[admission]") {
  Parts parts;
  using Refused = std::pair<std::optional<Error>, Parts::Names>;
  auto event = after("photos", {{}, 0, 1, "films"});
  REQUIRE(parts.refused(event) == Refused{{}, {"films"}});
  event.submit.key = "chain/none/1";
  event.submit.count = 0;
  REQUIRE(parts.refused(event) == Refused{Error{"submit: no tasks"}, {}});
  event.is_storage_full = true;
  REQUIRE(parts.refused(event) == Refused{Admission::no_room_on_disk(), {}});
  REQUIRE(parts.refused(after("films", {{}, 0, 1, "films"})) ==
          Refused{Error{"after project films: a task of it cannot wait for it"}, {}});
  REQUIRE(parts.refused(after("photos", {{kOrigin, 9}})) ==
          Refused{Error{"task 1 of the submit: after " + to_text(TaskId{kOrigin, 9}) +
                        ": no such task was accepted"},
                  {}});
}

TEST_CASE("what could be taken is limited by the queue, by what is remembered, then by quotas",
          "[admission]") {
  Parts parts;
  using Why = Parts::Why;
  parts.quotas.set("acme/", {.queued = 1}, kStart);
  protocol::TaskGroups groups;
  for (int i = 0; i < 2; ++i) groups.add(protocol::TaskClass{"work", "acme/photos"}, "\x80");
  const Submitted event{"client", {7, 1, 0, "key", 2, groups.take()}, "hash"};
  REQUIRE(parts.limited(submit(1)) == Why{});
  REQUIRE(parts.limited(event) ==
          Error{"quota tenant:acme/: 0 tasks are queued, with this submit 2, limit 1",
                ErrorCode::kTooLarge});
  parts.durable.answers.add({"first", "hash", {1, 1}, kStart});
  parts.config.answer_bytes_max = parts.durable.answers.bytes();
  REQUIRE(parts.limited(event) ==
          Error{"answers to earlier submits take " + std::to_string(parts.config.answer_bytes_max) +
                    " bytes, limit " + std::to_string(parts.config.answer_bytes_max) +
                    ": keys are kept for a day",
                ErrorCode::kFull});
  REQUIRE(parts.limited(submit(1)) == Why{});
  parts.queued = 9;
  parts.config.queued_max = 10;
  REQUIRE(parts.limited(submit(1)) == Why{});
  REQUIRE(parts.limited(event) == Error{"queue full: 9 tasks queued, limit 10", ErrorCode::kFull});
}

TEST_CASE("when too much is remembered a new key is refused by name, and who confirms goes on",
          "[admission]") {
  Config config;
  config.answer_bytes_max = 100;
  Core core(config, Rig::fresh(), {kStart, 0});
  Actions out;
  const auto submit = [&](const std::string& key, std::uint64_t request, RunId run = 7) {
    out.clear();
    core.on_event(
        Submitted{"client", {run, request, request - 1, key, 1, Rig::groups(1)}, "hash", false},
        kStart, out);
    const auto* refused = std::get_if<protocol::Refused>(&std::get<Reply>(out.front()).message);
    return refused == nullptr ? "" : refused->reason;
  };
  REQUIRE(submit("first", 1).empty());
  REQUIRE(submit(std::string(80, 'k'), 2).empty());
  REQUIRE(submit("third", 3) ==
          "answers to earlier submits take 133 bytes, limit 100: keys are kept for a day");
  REQUIRE(submit("first", 4).empty());  // It is known, and heard again.
  REQUIRE(core.accepted() == 2);
  REQUIRE(submit("", 5).empty());
  const auto silent = [&](std::uint64_t request) {
    out.clear();
    core.on_event(Submitted{"client", {8, request, 0, "", 1, Rig::groups(1)}, "", false}, kStart,
                  out);
    return std::holds_alternative<protocol::Refused>(std::get<Reply>(out.front()).message);
  };
  for (std::uint64_t request = 1; request <= 1024; ++request) REQUIRE_FALSE(silent(request));
  REQUIRE(silent(1025));
}
