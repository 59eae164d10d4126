#include "ventilator/core/last_attempts.hpp"

#include <algorithm>

#include "ventilator/core/queue.hpp"

namespace eole::ventilator {

namespace {
constexpr std::size_t kTried = 64;  // Looked at in one turn.
constexpr int kReservedShare = 5;   // At most a fifth of the time a worker is kept empty.
constexpr Duration kReservedMost = 600s;
}  // namespace

std::vector<Worker*> LastAttempts::idle(Fleet& fleet, bool others_wait, std::size_t& busy) {
  std::vector<Worker*> idle;
  for (const auto run : fleet.order()) {
    auto& worker = *fleet.find(run);
    busy += worker.alone ? 1 : 0;
    if (worker.alone || (worker.is_others_turn && others_wait)) continue;
    if (worker.is_idle()) idle.push_back(&worker);
  }
  return idle;
}

LastAttempts::Placed LastAttempts::place(Fleet& fleet, const Tasks& tasks, bool others_wait,
                                         TimePoint now) {
  last_now_ = now;
  if (reserved_ && now >= reserved_until_) {
    reserved_.reset();
    next_reserved_ = now + reserved_for_ * (kReservedShare - 1);
    reserved_for_ = std::min(reserved_for_ * 2, kReservedMost);
  }
  if (waiting_.empty() || (reserved_ && fleet.find(*reserved_) == nullptr)) reserved_.reset();
  Placed result;
  if (waiting_.empty()) return result;
  std::size_t busy = 0;  // With last attempts.
  auto idle = this->idle(fleet, others_wait, busy);
  const auto most = std::max<std::size_t>(1, fleet.size() / 2);
  for (auto tries = std::min(waiting_.size(), kTried); tries > 0 && busy < most; --tries) {
    if (idle.empty() && (reserved_ || now < next_reserved_)) break;
    const auto seq = waiting_.front();
    waiting_.pop_front();
    const auto* task = tasks.find(seq);
    if (task == nullptr || !task->is(Task::State::kReady)) continue;
    if (fleet.size() > 0 && is_refused_by_all(*task, fleet.order())) {
      result.refused.push_back(seq);
      continue;
    }
    const auto willing = std::find_if(idle.begin(), idle.end(), [&](const Worker* worker) {
      return !is_refused_by(*task, worker->link.run);
    });
    if (willing == idle.end()) {
      if (!reserved_ && now >= next_reserved_) reserve(fleet, *task, others_wait, now);
      if (idle.empty() && (reserved_ || fleet.size() == 0)) {
        waiting_.push_front(seq);
        break;
      }
      waiting_.push_back(seq);
      continue;
    }
    const auto run = (*willing)->link.run;
    idle.erase(willing);
    ++busy;
    if (reserved_ == run) reserved_.reset();
    reserved_for_ = kReservedFor;
    result.placed.emplace_back(run, seq);
  }
  return result;
}

// The worker that is the nearest to having nothing takes nothing new for a while.
void LastAttempts::reserve(Fleet& fleet, const Task& task, bool others_wait, TimePoint now) {
  const Worker* nearest = nullptr;
  for (const auto run : fleet.order()) {
    const auto& worker = *fleet.find(run);
    if (worker.alone || worker.silence.is_suspect() || is_refused_by(task, run)) continue;
    if (worker.is_others_turn && others_wait) continue;
    if (nearest == nullptr || worker.leases.outstanding() < nearest->leases.outstanding())
      nearest = &worker;
  }
  if (nearest == nullptr) return;
  reserved_ = nearest->link.run;
  reserved_until_ = now + reserved_for_;
}

std::optional<TimePoint> LastAttempts::next_deadline() const {
  if (reserved_) return reserved_until_;
  if (!waiting_.empty() && last_now_ < next_reserved_) return next_reserved_;
  return std::nullopt;
}

}  // namespace eole::ventilator
