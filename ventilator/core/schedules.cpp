#include "ventilator/core/schedules.hpp"

#include <algorithm>
#include <array>

#include "common/base/durations.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/task_class.hpp"

namespace eole::ventilator {

using protocol::Blob;
using protocol::Value;

namespace {

constexpr std::int64_t kSecondMs = 1'000;
constexpr std::int64_t kDayMs = 86'400 * kSecondMs;

Bytes group_of(const Value& wish) {
  const auto* group = wish["task"].as<Blob>();
  return group == nullptr ? Bytes() : group->bytes;
}

bool is_paused(const Value& wish) { return wish["paused"] == Value(true); }

// Beats that came due while nobody was there are over.
void see(Value& wish, std::int64_t beat) {
  wish.set("seen", std::max(wish["seen"].int_or(0), beat));
}

// What stays the same when it is added again.
bool is_same(const Value& one, const Value& other) {
  constexpr std::array kNames{"cron", "zone", "every_ms", "missed", "task"};
  return std::all_of(kNames.begin(), kNames.end(),
                     [&](const char* name) { return one[name] == other[name]; });
}

}  // namespace

Expected<Rhythm> Rhythm::parse(const Value& wish) {
  Rhythm rhythm;
  rhythm.since_ = wish["since"].int_or(0);
  rhythm.every_ms_ = wish["every_ms"].int_or(0);
  const auto expression = wish["cron"].text_or("");
  if (expression.empty() == (rhythm.every_ms_ == 0))
    return Error{"either a cron expression or an interval is needed"};
  if (expression.empty()) {
    constexpr auto kLeast = static_cast<std::int64_t>(kEveryMsMin);
    if (rhythm.every_ms_ < kLeast || rhythm.every_ms_ > static_cast<std::int64_t>(kDurationMsMax))
      return Error{text("every ", show_duration(std::max<std::int64_t>(rhythm.every_ms_, 0)),
                        ": limits ", show_duration(kEveryMsMin), " and ",
                        show_duration(kDurationMsMax))};
    return rhythm;
  }
  auto cron = Cron::parse(expression);
  if (!cron) return cron.error();
  auto zone = Zone::find(wish["zone"].text_or("UTC"));
  if (!zone) return zone.error();
  rhythm.cron_ = *cron;
  rhythm.zone_ = *zone;
  return rhythm;
}

std::optional<std::int64_t> Rhythm::next_after(std::int64_t unix_ms) const {
  if (cron_) {
    const auto next = cron_->next_after(unix_ms / kSecondMs, *zone_);
    return next ? std::optional(*next * kSecondMs) : std::nullopt;
  }
  if (every_ms_ == 0) return std::nullopt;  // It cannot be read.
  if (unix_ms < since_) return since_ + every_ms_;
  return since_ + ((unix_ms - since_) / every_ms_ + 1) * every_ms_;
}

std::int64_t Rhythm::last_until(std::int64_t first, std::int64_t until) const {
  if (!cron_) return std::max(first, since_ + (until - since_) / every_ms_ * every_ms_);
  // Backwards in steps that grow, then forwards: few beats lie in between.
  constexpr std::array<std::int64_t, 5> kSteps{60 * kSecondMs, 3600 * kSecondMs, kDayMs,
                                               32 * kDayMs, 366 * kDayMs};
  auto last = first;
  for (const auto step : kSteps)
    if (const auto beat = next_after(std::max(first, until - step)); beat && *beat <= until) {
      last = *beat;
      break;
    }
  for (auto beat = next_after(last); beat && *beat <= until; beat = next_after(last)) last = *beat;
  return last;
}

Expected<Schedules::Schedule> Schedules::read(const std::string& name, Value wish) const {
  if (name.empty() || name.size() > kScheduleNameBytesMax)
    return Error{
        text("schedule: a name of ", name.size(), " bytes, limits 1 and ", kScheduleNameBytesMax)};
  auto rhythm = Rhythm::parse(wish);
  if (!rhythm) return Error{text("schedule ", name, ": ", rhythm.error().message)};
  const auto missed = wish["missed"].text_or("");
  if (missed != "once" && missed != "skip")
    return Error{text("schedule ", name, ": missed ", missed, ": is once or skip")};
  const auto tasks = protocol::count_grouped_tasks(group_of(wish));
  if (!tasks) return Error{text("schedule ", name, ": ", tasks.error().message)};
  if (*tasks != 1) return Error{text("schedule ", name, ": ", *tasks, " tasks, wanted is one")};
  return Schedule{*rhythm, std::move(wish)};
}

void Schedules::restore(const std::string& name, std::string_view wish) {
  auto value = Value::from_msgpack(wish);
  if (!value) return;
  auto schedule = read(name, *value);
  // A zone may be gone from the system: then it rests, and is shown.
  put(name, schedule ? std::move(*schedule) : Schedule{{}, std::move(*value)});
}

Expected<Bytes> Schedules::add(const std::string& name, Value wish, std::int64_t unix_ms) {
  wish.set("since", unix_ms);
  wish.set("seen", unix_ms);
  const auto known = schedules_.find(name);
  if (known != schedules_.end()) {
    if (is_same(known->second.wish, wish)) return Bytes();
    return Error{text("schedule ", name, ": there is another one of that name; remove it first"),
                 ErrorCode::kConflict};
  }
  if (schedules_.size() >= kSchedulesMax && !planted("schedules-without-a-bound"))
    return Error{
        text("schedule ", name, ": there are ", schedules_.size(), ", limit ", kSchedulesMax),
        ErrorCode::kFull};
  auto schedule = read(name, std::move(wish));
  if (!schedule) return schedule.error();
  auto kept = schedule->wish.to_msgpack();
  put(name, std::move(*schedule));
  return kept;
}

Expected<Bytes> Schedules::pause(const std::string& name, bool is_wanted, std::int64_t unix_ms) {
  const auto known = schedules_.find(name);
  if (known == schedules_.end())
    return Error{text("schedule ", name, ": there is none"), ErrorCode::kUnknown};
  auto& schedule = known->second;
  if (is_paused(schedule.wish) == is_wanted) return Bytes();
  schedule.wish.set("paused", is_wanted);
  if (!is_wanted) see(schedule.wish, unix_ms);  // What came meanwhile was not wanted.
  schedule.refused = {};
  plan(name, schedule);
  return schedule.wish.to_msgpack();
}

bool Schedules::remove(const std::string& name) {
  const auto known = schedules_.find(name);
  if (known == schedules_.end()) return false;
  looks_.erase({known->second.look_at, name});
  schedules_.erase(known);
  return true;
}

void Schedules::put(const std::string& name, Schedule schedule) {
  plan(name, schedules_.insert_or_assign(name, std::move(schedule)).first->second);
}

void Schedules::plan(const std::string& name, Schedule& schedule) {
  looks_.erase({schedule.look_at, name});
  schedule.next.reset();
  if (is_paused(schedule.wish)) return;
  schedule.next = schedule.rhythm.next_after(schedule.wish["seen"].int_or(0));
  if (schedule.next) look_at(name, schedule, *schedule.next);
}

void Schedules::look_at(const std::string& name, Schedule& schedule, std::int64_t unix_ms) {
  looks_.erase({schedule.look_at, name});
  schedule.look_at = unix_ms;
  looks_.emplace(unix_ms, name);
}

std::vector<Schedules::Due> Schedules::take_due(std::int64_t unix_ms) {
  std::vector<Due> due;
  std::vector<std::string> names;
  for (const auto& [when, name] : looks_) {
    if (when > unix_ms) break;
    names.push_back(name);
  }
  for (const auto& name : names) {
    auto& schedule = schedules_.at(name);
    const auto beat = schedule.rhythm.last_until(*schedule.next, unix_ms);
    const bool is_missed = unix_ms - beat > kLateMsMax;
    if (is_missed && schedule.wish["missed"].text_or("") == "skip") {
      see(schedule.wish, beat);
      plan(name, schedule);
    } else {
      due.push_back({name, beat, group_of(schedule.wish)});
    }
  }
  return due;
}

Bytes Schedules::fire(const Due& due) {
  auto& schedule = schedules_.at(due.name);
  auto kept = advanced(schedule.wish.to_msgpack(), due.beat);
  schedule.wish = *Value::from_msgpack(kept);
  schedule.refused = {};
  plan(due.name, schedule);
  return kept;
}

Bytes Schedules::advanced(std::string_view wish, std::int64_t beat) {
  auto value = Value::from_msgpack(wish);
  if (!value) return Bytes(wish);
  see(*value, beat);
  value->set("last", beat);
  value->set("fired", (*value)["fired"].int_or(0) + 1);
  return value->to_msgpack();
}

void Schedules::put_off(const Due& due, std::int64_t unix_ms, std::string reason) {
  auto& schedule = schedules_.at(due.name);
  const auto pause = std::clamp(2 * schedule.refused.pause_ms, kSecondMs, kPutOffMsMax);
  schedule.refused = {std::move(reason), planted("refused-beat-each-second") ? 0 : pause};
  look_at(due.name, schedule, unix_ms + pause);
}

std::optional<TimePoint> Schedules::next_deadline(const Moment& moment) const {
  if (looks_.empty()) return std::nullopt;
  const auto left = std::clamp<std::int64_t>(looks_.begin()->first - moment.unix_ms, 0, kSecondMs);
  return moment.now + std::chrono::milliseconds(left);
}

Value Schedules::view(const std::string& name, std::size_t beats) const {
  const auto known = schedules_.find(name);
  if (known == schedules_.end()) return {};
  const auto& schedule = known->second;
  auto view = schedule.wish;
  view.set("name", name);
  view.set("next", schedule.next ? Value(*schedule.next) : Value());
  if (!schedule.refused.reason.empty()) {
    view.set("last_error", schedule.refused.reason);
    view.set("tried_again", schedule.look_at);
  }
  Value::Array list;
  for (auto beat = schedule.next; beat && list.size() < std::min(beats, kNextBeatsMax);
       beat = schedule.rhythm.next_after(*beat))
    list.emplace_back(*beat);
  if (beats > 0) view.set("beats", std::move(list));
  return view;
}

Value::Array Schedules::list() const {
  Value::Array list;
  for (const auto& [name, schedule] : schedules_) {
    auto one = view(name, 0);
    one.set("task", Value());  // Shown one by one: together they may be large.
    list.push_back(std::move(one));
  }
  return list;
}

}  // namespace eole::ventilator
