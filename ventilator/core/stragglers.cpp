#include "ventilator/core/stragglers.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::ventilator {

// Looks through `emptied_` once for each class that has a task again.
void Stragglers::on_leased(Seq seq, ClassId id, const protocol::TaskClass& task_class,
                           TimePoint now) {
  auto its = classes_.find(id);
  if (its == classes_.end()) {
    its = classes_.emplace(id, Class{task_class, {}}).first;
    const auto known = std::find_if(emptied_.begin(), emptied_.end(),
                                    [&](const Class& one) { return one.task_class == task_class; });
    if (known != emptied_.end()) {
      its->second.took = std::move(known->took);
      emptied_.erase(known);
    }
  }
  its->second.begun.insert_or_assign(seq, now);
}

void Stragglers::on_done(Seq seq, ClassId id, TimePoint now) {
  const auto found = classes_.find(id);
  if (found == classes_.end()) return;
  auto& [task_class, took, begun] = found->second;
  const auto its = begun.find(seq);
  if (its == begun.end()) return;
  took.push_back(now - its->second);
  if (took.size() > kTookMax) took.pop_front();
  begun.erase(its);
}

void Stragglers::on_given_up(Seq seq, ClassId id) {
  if (const auto found = classes_.find(id); found != classes_.end()) found->second.begun.erase(seq);
}

void Stragglers::forget(ClassId id) {
  const auto found = classes_.find(id);
  if (found == classes_.end()) return;
  found->second.begun.clear();
  if (!found->second.took.empty()) emptied_.push_back(std::move(found->second));
  classes_.erase(found);
  if (emptied_.size() > kEmptiedMax) emptied_.pop_front();
}

std::optional<Duration> Stragglers::limit(ClassId id) const {
  const auto found = classes_.find(id);
  if (found == classes_.end() || found->second.took.size() < kTookMin) return std::nullopt;
  std::vector<Duration> took(found->second.took.begin(), found->second.took.end());
  const auto middle = took.begin() + static_cast<std::ptrdiff_t>(took.size() / 2);
  std::nth_element(took.begin(), middle, took.end());
  return kTimesUsual * *middle + patience_;
}

std::optional<Seq> Stragglers::find(TimePoint now, const MayCopy& may_copy) const {
  std::optional<std::pair<TimePoint, Seq>> oldest;
  for (const auto& [id, one] : classes_) {
    const auto limit = this->limit(id);
    if (!limit) continue;
    for (const auto& [seq, begun] : one.begun) {
      const std::pair its(begun, seq);
      const bool is_late = now - begun > *limit || planted("everybody-straggles");
      if (is_late && (!oldest || its < *oldest) && may_copy(seq, id)) oldest = its;
    }
  }
  return oldest ? std::optional(oldest->second) : std::nullopt;
}

}  // namespace eole::ventilator
