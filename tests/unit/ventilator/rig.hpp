#pragma once
#include <catch2/catch.hpp>

#include "ventilator/core/core.hpp"

namespace eole::ventilator {

using protocol::Held;
using protocol::HeldState;
using protocol::Order;
using protocol::OrderKind;
using protocol::Settlement;
using protocol::TaskState;

inline constexpr Origin kOrigin = 5;
inline constexpr std::uint64_t kLog = 9;
inline constexpr Seq kAccountedMax = 1000;  // Of more it would take long after each step.
inline const TimePoint kStart = TimePoint(1000s);

/// A ventilator core, a clock, and the actions of the last step.
struct Rig {
  TimePoint now = kStart;
  Core core;
  Actions out;
  std::uint64_t head = 0;
  std::uint64_t beats = 0;
  Duration jump{};

  explicit Rig(Durable durable = fresh(), bool introduce = true)
      : core(Config{}, std::move(durable), {kStart, 0}) {
    if (introduce) step(IntroducedReceived{core.start(), kLog, 0, {}, {}});
  }
  /// What a submit of such tasks carries; nobody looks at their specs here.
  static Bytes groups(std::uint32_t count, std::uint8_t attempts = 0,
                      const std::string& kind = "work") {
    Bytes out;
    protocol::put_task_group(out, {protocol::encode_class({kind, "", attempts, 0}), count, ""});
    return out;
  }
  static Durable fresh() {
    Durable durable;
    durable.origin = kOrigin;
    durable.start = 1;
    return durable;
  }
  Actions& step(Event event) {
    out.clear();
    core.read_clock(clock());
    core.on_event(std::move(event), now, out);
    core.on_deadline(now, out);
    if (core.accepted() <= kAccountedMax)
      REQUIRE(core.accounted().value_or(core.accepted()) == core.accepted());
    return out;
  }
  Actions& pass(Duration time) {
    out.clear();
    for (auto left = time; left > 0s; left -= 100ms) {
      now += std::min<Duration>(left, 100ms);
      core.read_clock(clock());
      core.on_deadline(now, out);
    }
    return out;
  }
  /// Everybody's clock, which no test has jump unless it says so.
  Moment clock() const {
    return {now,
            std::chrono::duration_cast<std::chrono::milliseconds>(now - kStart + jump).count()};
  }
  Actions& submit(std::uint32_t count, std::uint64_t request = 1, std::uint8_t attempts = 0,
                  std::string key = "", std::string hash = "", const std::string& kind = "work") {
    return step(Submitted{
        "client", {7, request, 0, key, count, groups(count, attempts, kind)}, hash, false});
  }
  /// What a second start finds: tasks up to `last`.
  static Durable restarted(Seq last) {
    auto durable = fresh();
    durable.start = 2;
    durable.last = last;
    const auto count = static_cast<std::uint32_t>(last);
    REQUIRE(durable.load_groups(1, count, groups(count)));
    return durable;
  }
  void hello(RunId run, std::uint32_t number = 1, std::vector<Held> held = {},
             std::uint64_t received = 0, Link last = {}, const std::string& kinds = "work") {
    protocol::Hello hello;
    hello.run = run;
    hello.hello = number;
    hello.name = "w" + std::to_string(run);
    hello.received = received;
    hello.last_start = last.start;
    hello.last_hello = last.hello;
    hello.kinds = kinds;
    step(HelloReceived{peer(run), hello, std::move(held)});
  }
  static Peer peer(RunId run) { return "peer" + std::to_string(run); }
  Actions& beat(RunId run, std::uint64_t received, std::uint64_t limit, std::vector<Held> held = {},
                std::uint32_t number = 1, std::uint32_t start = 1) {
    return step(BeatReceived{
        peer(run), {start, run, number, ++beats, received, limit, 0, {}}, std::move(held)});
  }
  Actions& credit(RunId run, std::uint64_t received, std::uint64_t limit,
                  std::uint32_t number = 1) {
    return step(CreditReceived{peer(run), {1, run, number, received, limit}});
  }
  void worker(RunId run, std::uint64_t limit, const std::string& kinds = "work") {
    hello(run, 1, {}, 0, {}, kinds);
    credit(run, 0, limit);
  }
  /// News from the log: `seqs` are settled.
  Actions& settle(const std::vector<Seq>& seqs, std::vector<Settlement::Failure> failures = {},
                  std::vector<Settlement::Ran> ran = {}) {
    Settlement settlement;
    settlement.ran = std::move(ran);
    for (const auto seq : seqs) settlement.add({seq, seq});
    settlement.failures = std::move(failures);
    const auto to = head + seqs.size() + settlement.failures.size();
    SettledReceived event{{0, kLog, head, to, to, {}}, settlement};
    head = to;
    return step(std::move(event));
  }
  /// Answers the read that is under way: nothing new in the log.
  Actions& answer_read() {
    const auto read = last<SendFollow>();
    return step(SettledReceived{{read.request, kLog, head, head, head, {}}, {}});
  }
  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const auto& action : out)
      if (const auto* one = std::get_if<T>(&action)) found.push_back(*one);
    return found;
  }
  template <class T>
  T last() const {
    const auto found = all<T>();
    REQUIRE_FALSE(found.empty());
    return found.back();
  }
  std::vector<Seq> sent(RunId run) const {
    std::vector<Seq> seqs;
    for (const auto& send : all<SendTasks>())
      if (send.link.run == run)
        for (const auto& leased : send.runs)
          for (std::uint32_t i = 0; i < leased.count; ++i) seqs.push_back(leased.seq + i);
    return seqs;
  }
  void silence(RunId run) { (void)run, pass(4s); }
  static Held held(Seq seq, std::uint64_t lease, HeldState state = HeldState::kStarted,
                   std::uint32_t start = 1) {
    return {{kOrigin, seq}, {start, lease}, state};
  }
};

using Seqs = std::vector<Seq>;

}  // namespace eole::ventilator
