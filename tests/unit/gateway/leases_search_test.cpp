#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>

#include "common/base/text.hpp"
#include "gateway/core/pull/leases.hpp"

// A seeded search: holders, askers and time do whatever they can, and the gateway is killed between
// any two steps. What a lease may be is said a second time here, in the simplest way.
using namespace eole;
using namespace eole::gateway;

namespace {

class World {
 public:
  explicit World(std::uint32_t seed) : random_(seed) {
    for (Seq seq = 1; seq <= kTasks; ++seq) queued_.insert(seq);
  }

  void step() {
    switch (pick(10)) {
      case 0: return ask();
      case 1: return forget();
      case 2:
      case 3: return give();
      case 4: return renew();
      case 5:
      case 6: return end();
      case 7: return revoke();
      case 8: return pass();
      default:
        if (pick(20) == 0) kill();
    }
  }

  void check() {
    std::uint32_t wanted = 0;
    for (const auto& [ask, most] : asks_) wanted += most;
    REQUIRE(leases_.slots() == held_.size() + wanted);
    REQUIRE(leases_.slots() <= Leases::kLeasesMax);
    REQUIRE(leases_.first() ==
            (order_.empty() ? std::nullopt : std::optional<Leases::Ask>(order_.front())));
    std::optional<TimePoint> soonest;
    for (const auto& [lease, held] : held_) {
      REQUIRE(leases_.find(lease) != nullptr);
      REQUIRE(leases_.find(lease)->task.id.seq == held.seq);
      soonest = std::min(soonest.value_or(held.until), held.until);
    }
    REQUIRE(leases_.next_deadline() == soonest);
    for (const auto& lease : nobodys_) REQUIRE(leases_.find(lease) == nullptr);
    // No task is lost, and none is in two hands.
    std::set<Seq> all = queued_;
    for (const auto& [lease, held] : held_) REQUIRE(all.insert(held.seq).second);
    for (const auto seq : done_) REQUIRE(all.insert(seq).second);
    REQUIRE(all.size() == kTasks);
  }

 private:
  static constexpr Seq kTasks = 12;
  struct Held {
    Seq seq = 0;
    Duration time{};
    TimePoint until{};
  };

  std::uint32_t pick(std::size_t most) {
    return std::uniform_int_distribution<std::uint32_t>(0, static_cast<std::uint32_t>(most - 1))(
        random_);
  }
  template <class Of>
  auto any(Of& of) {
    return std::next(of.begin(), pick(of.size()));
  }
  /// One that is held, or one that is not any more.
  std::string some_lease() {
    const bool is_old = held_.empty() || (pick(3) == 0 && !nobodys_.empty());
    if (is_old) return nobodys_.empty() ? "never" : *any(nobodys_);
    return any(held_)->first;
  }
  void let_go(std::map<std::string, Held>::iterator held, std::set<Seq>& to) {
    to.insert(held->second.seq);
    nobodys_.insert(held->first);
    held_.erase(held);
  }

  void ask() {
    const auto most = 1 + pick(3) + (pick(50) == 0 ? Leases::kLeasesMax : 0);
    const Duration time = std::chrono::seconds(1 + pick(30));
    const bool has_room = leases_.slots() + most <= Leases::kLeasesMax;
    REQUIRE(leases_.ask(++last_ask_, most, time) == has_room);
    if (!has_room) return;
    asks_[last_ask_] = most;
    times_[last_ask_] = time;
    order_.push_back(last_ask_);
  }
  void forget() {
    const auto ask = order_.empty() || pick(4) == 0 ? Leases::Ask{pick(30)} : *any(order_);
    leases_.forget(ask);
    asks_.erase(ask);
    order_.remove(ask);
  }
  void give() {
    if (queued_.empty()) return;
    const auto seq = *any(queued_);
    worker::StartTask task;
    task.id = {1, seq};
    const auto lease = text("lease ", ++last_lease_);
    const auto given = leases_.give(task, lease, now_);
    REQUIRE(given.has_value() == !order_.empty());
    if (!given) return;
    const auto ask = order_.front();
    REQUIRE(given->ask == ask);
    held_[lease] = {seq, times_[ask], now_ + times_[ask]};
    REQUIRE(given->leased->until == held_[lease].until);
    queued_.erase(seq);
    if (--asks_[ask] > 0) return;
    asks_.erase(ask);
    order_.pop_front();
  }
  void renew() {
    const auto lease = some_lease();
    const Duration time = std::chrono::seconds(pick(20));
    const auto held = held_.find(lease);
    const auto* renewed = leases_.renew(lease, time, now_);
    REQUIRE((renewed != nullptr) == (held != held_.end()));
    if (renewed == nullptr) return;
    if (time > Duration{}) held->second.time = time;
    held->second.until = now_ + held->second.time;
    REQUIRE(renewed->until == held->second.until);
  }
  void end() {
    const auto lease = some_lease();
    const auto held = held_.find(lease);
    const auto ended = leases_.end(lease);
    REQUIRE(ended.has_value() == (held != held_.end()));
    if (!ended) {
      REQUIRE(leases_.has_ended(lease) == ended_.contains(lease));
      return;
    }
    ended_.insert(lease);
    let_go(held, done_);
  }
  void revoke() {
    const Seq seq = 1 + pick(kTasks);
    const auto held = std::find_if(held_.begin(), held_.end(),
                                   [&](const auto& one) { return one.second.seq == seq; });
    const auto revoked = leases_.revoke({1, seq});
    REQUIRE(revoked.has_value() == (held != held_.end()));
    if (revoked) let_go(held, done_);
  }
  void pass() {
    now_ += std::chrono::seconds(pick(12));
    std::set<std::string> lapsed;
    for (const auto& leased : leases_.take_lapsed(now_)) lapsed.insert(leased.lease);
    for (auto held = held_.begin(); held != held_.end();) {
      const auto one = held++;
      REQUIRE(lapsed.erase(one->first) == (one->second.until <= now_ ? 1 : 0));
      if (one->second.until <= now_) let_go(one, queued_);
    }
    REQUIRE(lapsed.empty());
  }
  // What it had leased comes again; who asks says so again.
  void kill() {
    leases_ = {};
    while (!held_.empty()) let_go(held_.begin(), queued_);
    asks_.clear();
    order_.clear();
    ended_.clear();
  }

  std::mt19937 random_;
  Leases leases_;
  TimePoint now_{1000s};
  Leases::Ask last_ask_ = 0;
  std::uint64_t last_lease_ = 0;
  std::set<Seq> queued_, done_;
  std::map<std::string, Held> held_;
  std::set<std::string> nobodys_, ended_;
  std::map<Leases::Ask, std::uint32_t> asks_;
  std::map<Leases::Ask, Duration> times_;
  std::list<Leases::Ask> order_;
};

}  // namespace

TEST_CASE("whatever holders do, and whenever the gateway dies, each task is in one hand",
          "[leases]") {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    World world(seed);
    for (int step = 0; step < 300; ++step) {
      world.step();
      world.check();
    }
  }
}
