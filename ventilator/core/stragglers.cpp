#include "ventilator/core/stragglers.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::ventilator {

void Stragglers::on_leased(Seq seq, ClassId id, TimePoint now) {
  classes_[id].begun.insert_or_assign(seq, now);
}

void Stragglers::on_done(Seq seq, ClassId id, TimePoint now) {
  const auto found = classes_.find(id);
  if (found == classes_.end()) return;
  auto& [begun, took] = found->second;
  const auto its = begun.find(seq);
  if (its == begun.end()) return;
  took.push_back(now - its->second);
  if (took.size() > kTookMax) took.pop_front();
  begun.erase(its);
}

void Stragglers::on_given_up(Seq seq, ClassId id) {
  if (const auto found = classes_.find(id); found != classes_.end()) found->second.begun.erase(seq);
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
