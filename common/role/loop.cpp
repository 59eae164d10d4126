#include "common/role/loop.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace eole::role {

namespace {
constexpr Duration kRestAfter = 20ms;
}

Loop::Loop(const net::ClusterFile& cluster, Kind kind)
    : authority_(kind == Kind::kServes && cluster.is_encrypted()
                     ? net::Authority(cluster.key_table, cluster.server_key)
                     : net::Authority()) {
  kind == Kind::kServes ? context_.emplace(cluster, authority_) : context_.emplace(cluster);
  poller_.add(stop_.fd(), is_stop_due_);
  log_.emplace(*this, cluster);
}

void Loop::pause(Duration time) { std::this_thread::sleep_for(time); }

int Loop::take_stops() { return std::exchange(is_stop_due_, false) ? stop_.take() : 0; }

std::optional<TimePoint> Loop::report() {
  const auto log = log_->send();
  const auto life = watchdog_.tell(now());
  return log && life ? std::min(log, life) : log ? log : life;
}

void Loop::sleep(std::optional<TimePoint> until, const std::function<void()>& rest) {
  if (const auto due = report()) until = std::min(until.value_or(*due), *due);
  const auto left = [&] { return until ? std::optional(*until - now()) : std::nullopt; };
  const auto first = left();
  if (poller_.wait(std::min(first.value_or(kRestAfter), kRestAfter)) ||
      (first && *first <= kRestAfter))
    return;
  rest();
  poller_.wait(left());
}

}  // namespace eole::role
