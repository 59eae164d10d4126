#include "gateway/core/pull/leases.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::gateway {

bool Leases::ask(Ask ask, std::uint32_t most, Duration time) {
  if (slots() + most > kLeasesMax) return false;
  waiting_.push_back({ask, most, time});
  wanted_ += most;
  return true;
}

void Leases::forget(Ask ask) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const Waiting& waiting) { return waiting.ask == ask; });
  if (found == waiting_.end()) return;
  wanted_ -= found->most;
  waiting_.erase(found);
}

std::optional<Leases::Given> Leases::give(const worker::StartTask& task, std::string lease,
                                          TimePoint now) {
  if (waiting_.empty()) return std::nullopt;
  auto& first = waiting_.front();
  const auto ask = first.ask;
  Leased leased{lease, task, first.time, now + first.time};
  deadlines_.emplace(leased.until, lease);
  of_task_.emplace(task.id, lease);
  const auto [entry, is_new] = leased_.emplace(std::move(lease), std::move(leased));
  --wanted_;
  if (--first.most == 0) waiting_.pop_front();
  return Given{ask, &entry->second};
}

const Leased* Leases::find(std::string_view lease) const {
  const auto found = leased_.find(lease);
  return found == leased_.end() ? nullptr : &found->second;
}

const Leased* Leases::renew(std::string_view lease, Duration time, TimePoint now) {
  const auto found = leased_.find(lease);
  if (found == leased_.end()) return nullptr;
  auto& leased = found->second;
  if (time > Duration{}) leased.time = time;
  deadlines_.erase({leased.until, leased.lease});
  leased.until = now + leased.time;
  deadlines_.emplace(leased.until, leased.lease);
  return &leased;
}

std::optional<Leased> Leases::end(std::string_view lease) {
  const auto found = leased_.find(lease);
  if (found == leased_.end()) return std::nullopt;
  ended_.insert(found->first);
  ended_order_.push_back(found->first);
  if (ended_order_.size() > kEndedMax) {
    ended_.erase(ended_order_.front());
    ended_order_.pop_front();
  }
  return remove(found);
}

std::optional<Leased> Leases::revoke(const TaskId& id) {
  const auto found = of_task_.find(id);
  if (found == of_task_.end()) return std::nullopt;
  return remove(leased_.find(found->second));
}

std::vector<Leased> Leases::take_lapsed(TimePoint now) {
  std::vector<Leased> lapsed;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now && !planted("leases-never-lapse"))
    lapsed.push_back(remove(leased_.find(deadlines_.begin()->second)));
  return lapsed;
}

std::optional<TimePoint> Leases::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

Leased Leases::remove(Entries::iterator entry) {
  auto leased = std::move(entry->second);
  deadlines_.erase({leased.until, leased.lease});
  of_task_.erase(leased.task.id);
  leased_.erase(entry);
  return leased;
}

}  // namespace eole::gateway
