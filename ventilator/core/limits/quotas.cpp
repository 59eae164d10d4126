#include "ventilator/core/limits/quotas.hpp"

#include <algorithm>

#include "common/base/counted.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/base/within.hpp"

namespace eole::ventilator {

namespace {

// What a submit has of these projects.
TaskClasses::Load load_of(std::string_view groups, const std::string& prefix) {
  TaskClasses::Load load;
  const Within within(prefix);
  for (ByteReader reader(groups); const auto group = protocol::read_task_group(reader);) {
    const auto task_class = protocol::decode_class(group->task_class);
    if (!task_class || !within.has(task_class->project)) continue;
    load.tasks += group->count;
    load.bytes += group->specs.size();
  }
  return load;
}

std::optional<Error> why_beyond(std::uint64_t has, std::uint64_t more, std::uint64_t most,
                                const char* what) {
  if (most == 0 || has + more <= most) return {};
  return Error{text(counted(has, what), has == 1 ? " is" : " are", " queued, with this submit ",
                    has + more, ", limit ", most, more > most ? "" : "; try again later"),
               more > most ? ErrorCode::kTooLarge : ErrorCode::kQuota};
}

}  // namespace

void Quotas::set(const std::string& prefix, const Quota& quota, TimePoint now) {
  if (quota == Quota{}) {
    held_.erase(prefix);
    return;
  }
  auto& held = held_[prefix];
  held.quota = quota;
  held.rate.set(quota.rate, now);
}

std::optional<Error> Quotas::why_refused(std::string_view groups, const TaskClasses& classes,
                                         TimePoint now) const {
  if (held_.empty() || planted("quota-not-counted")) return {};
  for (const auto& [prefix, held] : held_) {
    const auto more = load_of(groups, prefix);
    if (more.tasks == 0) continue;
    const auto has = classes.load_within(prefix);
    const auto& quota = held.quota;
    auto why = why_beyond(has.tasks, more.tasks, quota.queued, "task");
    if (!why) why = why_beyond(has.bytes, more.bytes, quota.bytes, "byte");
    if (!why && quota.rate > 0 && held.rate.left_at(now) < 1) {
      const auto wait = std::chrono::floor<std::chrono::milliseconds>(held.rate.when(1) - now);
      why =
          Error{text(held.rate.shown(),
                     held.rate.per_second == 1 ? " task a second is" : " tasks a second are",
                     " accepted; try again in ",
                     std::chrono::ceil<std::chrono::seconds>(wait).count(), " s"),
                ErrorCode::kQuota,
                static_cast<std::uint32_t>(std::clamp<std::int64_t>(wait.count(), 0, UINT32_MAX))};
    }
    if (!why) continue;
    why->message = text("quota tenant:", prefix, ": ", why->message);
    return why;
  }
  return {};
}

void Quotas::on_accepted(std::string_view groups, TimePoint now) {
  for (auto& [prefix, held] : held_) {
    if (held.quota.rate > 0) held.rate.take(load_of(groups, prefix).tasks, now);
  }
}

}  // namespace eole::ventilator
