#include "ventilator/core/schedules.hpp"

#include <catch2/catch.hpp>

#include "common/base/durations.hpp"
#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;
using protocol::Blob;
using protocol::Value;

namespace {

constexpr std::int64_t kUnix = 1'800'000'000'000;  // 2027-01-15T08:00:00Z
constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kHourMs = 60 * kMinuteMs;

Bytes group() {
  protocol::TaskGroups groups;
  groups.add({.kind = "work", .project = "nightly"}, "\x80");
  return groups.take();
}

Value wish(Value rhythm, const std::string& missed = "once") {
  rhythm.set("missed", missed);
  rhythm.set("task", Blob{group()});
  return rhythm;
}
Value every(std::int64_t milliseconds, const std::string& missed = "once") {
  return wish(Value::Map{{"every_ms", milliseconds}}, missed);
}
Value cron(const char* expression, const char* zone = "UTC") {
  return wish(Value::Map{{"cron", expression}, {"zone", zone}});
}

/// The beats that fire at these times, one look each.
std::vector<std::int64_t> fired(Schedules& schedules, const std::vector<std::int64_t>& looks) {
  std::vector<std::int64_t> beats;
  for (const auto look : looks)
    for (const auto& due : schedules.take_due(look)) {
      beats.push_back(due.beat);
      (void)schedules.fire(due);
    }
  return beats;
}

using Beats = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("each beat fires once, whatever the clock does", "[schedules]") {
  Schedules schedules;
  REQUIRE(schedules.add("beat", every(kMinuteMs), kUnix));
  REQUIRE(fired(schedules, {kUnix, kUnix + kMinuteMs - 1}) == Beats{});
  REQUIRE(fired(schedules, {kUnix + kMinuteMs, kUnix + kMinuteMs}) == Beats{kUnix + kMinuteMs});
  // Set back by an hour, and there again.
  REQUIRE(fired(schedules, {kUnix - kHourMs, kUnix + kMinuteMs, kUnix + 2 * kMinuteMs}) ==
          Beats{kUnix + 2 * kMinuteMs});
}

TEST_CASE("beats that nobody was there for come once, or not at all", "[schedules]") {
  Schedules schedules;
  REQUIRE(schedules.add("once", every(kMinuteMs), kUnix));
  REQUIRE(schedules.add("skip", every(7 * kMinuteMs, "skip"), kUnix));
  const auto later = kUnix + 24 * kHourMs + 3 * kMinuteMs + 5;  // 7 divides no part of it.
  const auto due = schedules.take_due(later);
  REQUIRE(due == std::vector<Schedules::Due>{{"once", later - 5, group()}});
  (void)schedules.fire(due[0]);
  REQUIRE(schedules.take_due(later).empty());
  REQUIRE(schedules.view("skip", 1)["next"].int_or(0) > later);
  REQUIRE(schedules.view("skip", 1)["fired"].int_or(0) == 0);
}

TEST_CASE("a beat that is a little late is not missed", "[schedules]") {
  Schedules schedules;
  REQUIRE(schedules.add("skip", every(kHourMs, "skip"), kUnix));
  REQUIRE(fired(schedules, {kUnix + kHourMs + kLateMsMax}) == Beats{kUnix + kHourMs});
  REQUIRE(fired(schedules, {kUnix + 2 * kHourMs + kLateMsMax + 1}) == Beats{});
}

TEST_CASE("after years away the last beat is found", "[schedules]") {
  Schedules schedules;
  REQUIRE(schedules.add("minutely", cron("* * * * *"), kUnix));
  REQUIRE(schedules.add("leap", cron("0 12 29 2 *"), kUnix));
  const auto later = *parse_time("2033-05-05T05:05:30Z");
  REQUIRE(fired(schedules, {later}) ==
          Beats{*parse_time("2033-05-05T05:05:00Z"), *parse_time("2032-02-29T12:00:00Z")});
}

TEST_CASE("a restart goes on behind the beats that became tasks", "[schedules]") {
  Schedules before;
  const auto added = before.add("beat", every(kMinuteMs), kUnix);
  const auto due = before.take_due(kUnix + kMinuteMs);
  const auto kept = before.fire(due.at(0));
  REQUIRE(kept == Schedules::advanced(*added, kUnix + kMinuteMs));
  Schedules after;
  after.restore("beat", kept);
  REQUIRE(fired(after, {kUnix + kMinuteMs, kUnix + 2 * kMinuteMs}) == Beats{kUnix + 2 * kMinuteMs});
  REQUIRE(after.view("beat", 0)["fired"].int_or(0) == 2);
  REQUIRE(after.view("beat", 0)["last"].int_or(0) == kUnix + 2 * kMinuteMs);
}

TEST_CASE("a schedule whose zone is gone rests, and is shown", "[schedules]") {
  Schedules schedules;
  schedules.restore("lost", cron("@daily", "Mars/Base").to_msgpack());
  REQUIRE(fired(schedules, {kUnix}) == Beats{});
  REQUIRE(schedules.view("lost", 3)["next"].is_null());
  REQUIRE(schedules.list().size() == 1);
  REQUIRE_FALSE(schedules.pause("lost", true, kUnix)->empty());
  REQUIRE_FALSE(schedules.pause("lost", false, kUnix)->empty());
  REQUIRE(schedules.remove("lost"));
}

TEST_CASE("what a pause has passed over is not made up for", "[schedules]") {
  Schedules schedules;
  REQUIRE(schedules.add("beat", every(kMinuteMs), kUnix));
  REQUIRE_FALSE(schedules.pause("beat", true, kUnix)->empty());
  REQUIRE(schedules.pause("beat", true, kUnix)->empty());  // Said again.
  REQUIRE(fired(schedules, {kUnix + kHourMs}) == Beats{});
  REQUIRE_FALSE(schedules.pause("beat", false, kUnix + kHourMs + 1)->empty());
  REQUIRE(fired(schedules, {kUnix + kHourMs + 1, kUnix + kHourMs + kMinuteMs}) ==
          Beats{kUnix + kHourMs + kMinuteMs});
  REQUIRE(schedules.remove("beat"));
  REQUIRE_FALSE(schedules.remove("beat"));
  REQUIRE(fired(schedules, {kUnix + 2 * kHourMs}) == Beats{});
}

TEST_CASE("what makes no schedule is refused by name", "[schedules]") {
  Schedules schedules;
  const auto why = [&](const std::string& name, Value asked) {
    const auto added = schedules.add(name, std::move(asked), kUnix);
    return added ? std::string() : added.error().message;
  };
  REQUIRE(why("", every(kMinuteMs)) == "schedule: a name of 0 bytes, limits 1 and 255");
  REQUIRE(why("x", every(999)) == "schedule x: every 0.999s: limits 1s and 36525d");
  REQUIRE(why("x", wish(Value::Map{})) ==
          "schedule x: either a cron expression or an interval is needed");
  REQUIRE(why("x", cron("0 0 30 2 *")) == "schedule x: cron: 0 0 30 2 *: never comes: no such day");
  REQUIRE(why("x", cron("@daily", "Mars/Base")).starts_with("schedule x: Mars/Base: no such time"));
  REQUIRE(why("x", every(kMinuteMs, "twice")) == "schedule x: missed twice: is once or skip");
  REQUIRE(why("x", Value::Map{{"every_ms", kMinuteMs}, {"missed", "once"}}) ==
          "schedule x: 0 tasks, wanted is one");
  REQUIRE(why("x", every(kMinuteMs)) == "");
  REQUIRE(why("x", every(kMinuteMs)) == "");  // Said again.
  REQUIRE(why("x", every(kHourMs)) ==
          "schedule x: there is another one of that name; remove it first");
  for (std::size_t i = 1; i < kSchedulesMax; ++i)
    REQUIRE(why("x" + std::to_string(i), every(kHourMs)) == "");
  REQUIRE(why("more", every(kHourMs)) == "schedule more: there are 1024, limit 1024");
}

namespace {

/// A core whose clock says kUnix at its start.
struct Planned : Rig {
  explicit Planned(Durable durable = fresh()) : Rig(std::move(durable)) { at(0); }
  Actions& at(std::int64_t after_ms, bool is_disk_full = false) {
    now += 1ms;
    out.clear();
    core.read_clock({now, kUnix + after_ms, is_disk_full});
    core.on_deadline(now, out);
    return out;
  }
  Actions& control(const std::string& name, const std::string& state,
                   Value options = Value::Map{}) {
    options.set("name", name);
    options.set("state", state);
    out.clear();
    core.on_event(ControlAsked{"boss", 3, "schedule", std::move(options)}, now, out);
    return out;
  }
};

}  // namespace

TEST_CASE("a beat and its task are one record of the journal", "[schedules]") {
  Planned rig;
  rig.control("nightly", "added", every(kMinuteMs));
  const auto added = rig.last<JournalWish>();
  REQUIRE((added.what == "schedule" && added.about == "nightly"));
  rig.at(kMinuteMs);
  protocol::Submit submit;
  submit.count = 1;
  submit.payload = group();
  const auto at = kUnix + kMinuteMs;
  REQUIRE(rig.out == Actions{JournalTasks{1, "", submit, at, "nightly", at}});
  rig.at(kMinuteMs);
  REQUIRE(rig.all<JournalTasks>().empty());
  REQUIRE(rig.core.class_of(1)->project == "nightly");
  // What a start finds in the journal: the wish, and the record.
  auto durable = Rig::fresh();
  durable.start = 2;
  durable.last = 1;
  durable.wishes.put("schedule", "nightly", added.value);
  durable.pass_beat("nightly", at);
  REQUIRE(durable.load_groups(1, 1, group()));
  Planned again(std::move(durable));
  again.at(kMinuteMs + 1);
  REQUIRE(again.all<JournalTasks>().empty());
  again.at(2 * kMinuteMs);
  REQUIRE(again.last<JournalTasks>().first == 2);
}

TEST_CASE("a beat that cannot be accepted is looked at again a second later", "[schedules]") {
  Planned rig;
  rig.control("nightly", "added", every(kMinuteMs));
  REQUIRE(rig.at(kMinuteMs, true) == Actions{});
  REQUIRE(rig.at(kMinuteMs + 999) == Actions{});
  rig.at(kMinuteMs + 1'000);
  REQUIRE(rig.last<JournalTasks>().beat == kUnix + kMinuteMs);
}

TEST_CASE("a schedule says why its task is not accepted, and asks less and less often",
          "[schedules]") {
  Planned rig;
  const auto project = [&](const char* what) {
    rig.step(ControlAsked{"boss", 4, what, Value::Map{{"project", "nightly"}}});
  };
  rig.control("beat", "added", every(kMinuteMs));
  project("close");
  std::vector<std::int64_t> looks;
  std::int64_t told = 0;
  for (std::int64_t ms = kMinuteMs; ms < 6 * kMinuteMs; ms += 1'000) {
    REQUIRE(rig.at(ms) == Actions{});
    const auto again = rig.core.schedules().view("beat", 0)["tried_again"].int_or(0) - kUnix;
    if (std::exchange(told, again) != again) looks.push_back(ms / 1'000 - 60);
  }
  REQUIRE(looks == std::vector<std::int64_t>{0, 1, 3, 7, 15, 31, 63, 123, 183, 243});
  REQUIRE(rig.core.schedules().view("beat", 0)["last_error"].text_or("") ==
          "project nightly: closed, takes no more tasks until it is opened again");
  rig.step(ControlAsked{"boss", 5, "open", Value::Map{{"project", "nightly"}, {"is_again", true}}});
  rig.at(7 * kMinuteMs);
  REQUIRE(rig.last<JournalTasks>().beat == kUnix + 7 * kMinuteMs);
  REQUIRE(rig.core.schedules().view("beat", 0)["last_error"].is_null());
  project("close");
  rig.control("never", "added", every(kMinuteMs));  // Said at once if it is known.
  REQUIRE(std::get<protocol::Refused>(rig.last<Reply>().message).reason ==
          "schedule never: project nightly: closed, takes no more tasks until it is opened again");
}
