#include "ventilator/core/shares.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;

namespace {

/// Workers that run what they are sent, in its order, in simulated time.
class Fabric {
 public:
  struct Project {
    std::string name;
    std::uint32_t tasks = 0;
    Duration takes{};
    bool fails = false;  // Each of its tasks, and is tried once.
  };
  static constexpr std::uint64_t kAhead = 2;  // That a worker has beside what runs.

  /// `told_every`: how often the log is read.
  Fabric(std::uint32_t workers, std::uint32_t slots, Duration told_every = {})
      : slots_(slots), told_every_(told_every), told_(rig_.now) {
    for (RunId run = 1; run <= workers; ++run) {
      protocol::Hello hello;
      hello.run = run;
      hello.hello = 1;
      hello.name = "w" + std::to_string(run);
      hello.slots = slots;
      hello.kinds = "work";
      rig_.step(HelloReceived{Rig::peer(run), hello, {}});
      workers_[run];
      grant(run);
    }
  }
  void submit(const Project& project) {
    Bytes groups;
    protocol::put_task_group(
        groups, {protocol::encode_class({"work", project.name, project.fails}), project.tasks, ""});
    projects_[rig_.core.accepted() + project.tasks] = project;
    rig_.step(Submitted{
        "client", {7, 1 + rig_.core.accepted(), 0, "", project.tasks, groups}, "", false});
    take_sent();
  }
  void run(Duration time) {
    const auto until = rig_.now + time;
    while (const auto next = next_end()) {
      if (*next > until) break;
      if (next_beat_ < *next && next_beat_ < next_told()) {
        rig_.now = next_beat_;
        beat();
        continue;
      }
      if (next_told() < *next) {
        rig_.now = next_told();
        tell();
        continue;
      }
      rig_.now = std::max(rig_.now, *next);
      end_one(*next);
    }
    rig_.now = until;
  }
  /// Of what slots did so far, how much was this project's.
  double share(const std::string& project) const {
    double all = 0;
    for (const auto& [name, time] : ran_) all += time;
    return ran_.at(project) / all;
  }
  std::uint64_t ended(const std::string& project) const {
    const auto found = ended_.find(project);
    return found == ended_.end() ? 0 : found->second;
  }

 private:
  struct Worker {
    std::deque<Seq> waiting;
    std::multimap<TimePoint, Seq> running;
    std::uint64_t received = 0;
    std::uint64_t over = 0;
  };
  const Project& project_of(Seq seq) const { return projects_.lower_bound(seq)->second; }
  void grant(RunId run) {
    auto& worker = workers_[run];
    rig_.credit(run, worker.received, worker.over + slots_ + kAhead);
    take_sent();
  }
  void take_sent() {
    for (auto& [run, worker] : workers_) {
      for (const auto seq : rig_.sent(run)) worker.waiting.push_back(seq), ++worker.received;
      for (const auto& send : rig_.all<SendTasks>())
        for (const auto& leased : send.runs)
          for (std::uint32_t i = 0; i < leased.count; ++i)
            leases_[leased.seq + i] = {rig_.core.start(), leased.lease_number + i};
      while (worker.running.size() < slots_ && !worker.waiting.empty()) {
        const auto seq = worker.waiting.front();
        worker.waiting.pop_front();
        worker.running.emplace(rig_.now + project_of(seq).takes, seq);
      }
    }
    rig_.out.clear();
  }
  std::optional<TimePoint> next_end() const {
    std::optional<TimePoint> next;
    for (const auto& [run, worker] : workers_)
      if (!worker.running.empty())
        next = std::min(next.value_or(TimePoint::max()), worker.running.begin()->first);
    return next;
  }
  void end_one(TimePoint when) {
    for (auto& [run, worker] : workers_) {
      if (worker.running.empty() || worker.running.begin()->first != when) continue;
      const auto seq = worker.running.begin()->second;
      worker.running.erase(worker.running.begin());
      ++worker.over;
      const auto& project = project_of(seq);
      ran_[project.name] += std::chrono::duration<double>(project.takes).count();
      ++ended_[project.name];
      take_sent();  // What waits there begins now.
      if (project.fails)
        failed_.push_back({seq, leases_.at(seq), "no luck"});
      else
        done_.push_back(seq);
      const auto time = static_cast<std::uint64_t>(project.takes / 1us);
      ended_times_.push_back({seq, 1, time});
      if (told_every_ == Duration{}) tell();
      return grant(run);
    }
  }
  TimePoint next_told() const {
    return ended_times_.empty() ? TimePoint::max() : told_ + told_every_;
  }
  void tell() {
    told_ = rig_.now;
    rig_.settle(std::exchange(done_, {}), std::exchange(failed_, {}),
                std::exchange(ended_times_, {}));
    take_sent();
  }
  void beat() {
    next_beat_ = rig_.now + 500ms;
    for (auto& [run, worker] : workers_) {
      std::vector<Held> held;
      for (const auto& [end, seq] : worker.running)
        held.push_back(Rig::held(seq, leases_.at(seq).number));
      for (const auto seq : worker.waiting)
        held.push_back(Rig::held(seq, leases_.at(seq).number, HeldState::kWaiting));
      for (const auto& ended : ended_times_)
        held.push_back(Rig::held(ended.seq, leases_.at(ended.seq).number, HeldState::kFinished));
      rig_.beat(run, worker.received, worker.over + slots_ + kAhead, std::move(held));
      take_sent();
    }
  }

  Rig rig_;
  std::uint32_t slots_;
  Duration told_every_;
  TimePoint told_;
  TimePoint next_beat_ = rig_.now;
  Seqs done_;
  std::vector<Settlement::Failure> failed_;
  std::vector<Settlement::Ran> ended_times_;
  std::map<RunId, Worker> workers_;
  std::map<Seq, Lease> leases_;
  std::map<Seq, Project> projects_;  // By their last task.
  std::map<std::string, double> ran_;
  std::map<std::string, std::uint64_t> ended_;
};

// Half of what two projects had together, off by so much of it.
double deviation(std::uint32_t workers, std::uint32_t slots, Duration one, Duration other,
                 Duration told_every = {}) {
  Fabric fabric(workers, slots, told_every);
  fabric.submit({"one", 60'000, one});
  fabric.submit({"other", 60'000, other});
  fabric.run(10s);
  return std::abs(fabric.share("one") - 0.5) / 0.5;
}

/// A worker that has task 1 of project "one", and others of it that wait.
struct OneRuns : Rig {
  static constexpr std::uint32_t kTasks = 100;
  std::uint64_t granted = 2;
  std::uint32_t link = 1;

  OneRuns() {
    worker(1, 1);
    submit("one");
    REQUIRE(sent(1) == Seqs{1});
  }
  void submit(const std::string& project) {
    Bytes some;
    protocol::put_task_group(some, {protocol::encode_class({"work", project}), kTasks, ""});
    step(Submitted{"client", {7, 1 + core.accepted(), 0, "", kTasks, some}, "", false});
  }
  void tell(Seq seq, Duration ran) {
    settle({seq}, {}, {{seq, 1, static_cast<std::uint64_t>(ran / 1us)}});
  }
  /// Of the next 20 tasks, one after the other, so many are of the first project. What runs has
  /// run for `before` already.
  std::size_t next_of_first(Duration before = {}) {
    Seqs done;
    for (Seq running = 1; done.size() < 20; running = done.back()) {
      pass(10ms);
      tell(running, std::exchange(before, Duration{}) + 10ms);
      credit(1, granted - 1, granted, link);
      ++granted;
      REQUIRE(sent(1).size() == 1);
      done.push_back(sent(1).front());
    }
    return static_cast<std::size_t>(
        std::count_if(done.begin(), done.end(), [](Seq seq) { return seq <= kTasks; }));
  }
};

constexpr auto kNoMost = UINT64_MAX;

}  // namespace

TEST_CASE("the least served goes first, and who comes late begins where others are",
          "[ventilator]") {
  Shares shares;
  auto& busy = shares.enter("busy");
  shares.on_leased(busy, 1000);
  REQUIRE(busy.served() == 0);  // Nobody else wants anything.
  auto& other = shares.enter("other");
  shares.on_leased(busy, 1000);
  REQUIRE((other.served() == 0 && busy.served() == 1'000'000));  // A millisecond each.
  shares.on_leased(busy, 1);
  auto& late = shares.enter("late");
  REQUIRE(late.served() == 1'000'000);
  shares.leave(late);
  REQUIRE(shares.size() == 2);
  shares.leave(busy);
  REQUIRE(shares.enter("busy").served() == 1'001'000);  // It does not forget by leaving.
  shares.leave(busy);
  shares.leave(other);
  REQUIRE(shares.size() == 1);  // Its tasks run.
  for (Seq seq = 1; seq <= 1001; ++seq) shares.on_ended("busy", seq, true);
  REQUIRE(shares.size() == 0);
}

TEST_CASE("what was leased is charged as others of its project took, and put right as it ends",
          "[ventilator]") {
  Shares shares;
  auto& one = shares.enter("one");
  shares.enter("other");
  shares.on_leased(one, 2);
  REQUIRE(one.served() == 2'000);
  shares.on_ran("one", {100'000, 2}, kNoMost);
  for (const Seq seq : {1, 2}) shares.on_ended("one", seq, true);
  REQUIRE(one.served() == 100'020);
  shares.on_leased(one, 1);
  REQUIRE(one.served() == 100'020 + 50'010);
  shares.on_ran("one", {20'000, 1}, kNoMost);  // Sooner than the others.
  shares.on_ended("one", 3, true);
  REQUIRE(one.served() == 120'030);
  REQUIRE(shares.turn(one, one.served()) == 1);
  shares.on_ran("one", {20'000, 2}, 1'000);  // There were several projects for no longer.
  REQUIRE(one.served() == 122'050);
}

TEST_CASE("what runs for longer than others counts as it runs, and once", "[ventilator]") {
  Shares shares;
  auto& one = shares.enter("one");
  auto& other = shares.enter("other");
  shares.on_leased(one, 2);
  shares.on_runs("one", 1, 500);
  REQUIRE(one.served() == 2'000);
  shares.on_runs("one", 1, 9'500);
  REQUIRE(one.served() == 10'000);
  shares.on_ran("one", {10'100, 1}, kNoMost);
  shares.on_ended("one", 1, true);
  REQUIRE(one.served() == 10'110 + 10'110);
  shares.on_runs("one", 2, 50'000);
  REQUIRE(one.served() == 60'110);
  shares.leave(other);  // Nobody counts while one is alone.
  REQUIRE(shares.size() == 1);
  shares.enter("other");
  shares.put_right({});
  REQUIRE(one.served() == 10'110);
  shares.on_leased(one, 1);
  const auto before = one.ran;
  shares.on_runs("one", 2, 500);
  shares.on_ended("one", 2, false);  // It was lost: no result will tell.
  REQUIRE(one.ran == before + 500);
}

TEST_CASE("what ended untold is charged no longer than until all is counted", "[ventilator]") {
  Shares shares;
  auto& one = shares.enter("one");
  auto& other = shares.enter("other");
  shares.on_leased(one, 3);
  shares.put_right({{"one", 1}, {"other", 2}});
  REQUIRE((one.served() == 1'000 && one.leased == 1 && other.leased == 2));
  shares.on_leased(other, 2);
  shares.leave(one);
  REQUIRE(shares.size() == 2);  // One of its tasks runs.
  shares.put_right({{"other", 2}});
  REQUIRE(shares.size() == 1);
}

TEST_CASE("a project whose tasks take ten times as long has no more of the slots", "[ventilator]") {
  CHECK(deviation(1, 1, 10ms, 1ms) <= 0.05);
  CHECK(deviation(1, 4, 10ms, 1ms) <= 0.05);
  CHECK(deviation(1, 4, 100ms, 10ms) <= 0.05);
  CHECK(deviation(1, 4, 10ms, 100ms) <= 0.05);
  CHECK(deviation(3, 2, 50ms, 5ms) <= 0.05);
  CHECK(deviation(2, 4, 20ms, 20ms) <= 0.05);
}

TEST_CASE("a project has its share however late its ends are told", "[ventilator]") {
  CHECK(deviation(1, 1, 5ms, 5ms, 20ms) <= 0.05);
  CHECK(deviation(1, 1, 3ms, 7ms, 50ms) <= 0.05);
  CHECK(deviation(1, 1, 1ms, 10ms, 100ms) <= 0.05);
  CHECK(deviation(2, 4, 5ms, 5ms, 20ms) <= 0.05);
  CHECK(deviation(2, 4, 3ms, 7ms, 50ms) <= 0.05);
  CHECK(deviation(2, 4, 1ms, 10ms, 100ms) <= 0.05);
  CHECK(deviation(3, 2, 1ms, 10ms, 100ms) <= 0.05);
}

TEST_CASE("a task that outlasts many beats counts while it runs", "[ventilator]") {
  Fabric fabric(1, 2, 20ms);
  fabric.submit({"mixed", 1, 20s});
  fabric.submit({"mixed", 60'000, 10ms});
  fabric.submit({"other", 60'000, 10ms});
  fabric.run(10s);
  CHECK(fabric.ended("other") > 800);  // All of the other slot, but for the first beats.
}

TEST_CASE("many projects have the same, whatever their tasks take", "[ventilator]") {
  Fabric fabric(2, 4);
  for (int i = 1; i <= 8; ++i) fabric.submit({"p" + std::to_string(i), 20'000, i * 2ms});
  fabric.run(10s);
  for (int i = 1; i <= 8; ++i)
    CHECK(std::abs(fabric.share("p" + std::to_string(i)) - 0.125) <= 0.05 * 0.125);
}

TEST_CASE("what fails has had its time like what is done", "[ventilator]") {
  Fabric fabric(1, 1);
  fabric.submit({"failing", 60'000, 10ms, true});
  fabric.submit({"other", 60'000, 10ms});
  fabric.run(10s);
  CHECK(std::abs(fabric.share("failing") - 0.5) <= 0.05 * 0.5);
}

TEST_CASE("a project that comes late begins where the others are", "[ventilator]") {
  Fabric fabric(1, 4);
  fabric.submit({"large", 65'536, 10ms});
  fabric.submit({"other", 65'536, 1ms});
  fabric.run(5s);
  fabric.submit({"small", 10, 10ms});
  fabric.run(200ms);
  CHECK(fabric.ended("small") == 10);
  // It has not all that the others had before, either.
  fabric.submit({"late", 60'000, 10ms});
  const auto before = fabric.ended("large");
  fabric.run(1s);
  CHECK(fabric.ended("large") > before + 100);
}

TEST_CASE("a new link takes nothing of its project's turn from what still runs", "[ventilator]") {
  OneRuns rig;
  rig.submit("other");
  rig.hello(1, 2, {Rig::held(1, 1)}, 1, {1, 1, 1});
  rig.link = 2, rig.granted = 1;
  CHECK(rig.next_of_first() >= 8);
}

TEST_CASE("what ran while a project was alone is not held against it", "[ventilator]") {
  OneRuns rig;
  for (int i = 0; i < 200; ++i) {
    rig.pass(500ms);
    rig.beat(1, 1, 1, {Rig::held(1, 1)});
  }
  rig.submit("other");
  CHECK(rig.next_of_first(100s) >= 8);
}

TEST_CASE("a task that was lost and had ended is not held against its project", "[ventilator]") {
  OneRuns rig;
  rig.submit("other");
  const auto run_for = [&](int halves, Seq seq, std::uint64_t lease) {
    for (int i = 0; i < halves; ++i) {
      rig.pass(500ms);
      rig.beat(1, lease, lease, {Rig::held(seq, lease)});
    }
    rig.tell(seq, halves * 500ms);
    rig.credit(1, lease, lease + 1);
  };
  run_for(20, 1, 1);
  REQUIRE(rig.sent(1) == Seqs{101});
  run_for(21, 101, 2);
  REQUIRE(rig.sent(1) == Seqs{2});  // Ten seconds, it seems.
  rig.hello(1, 2, {}, 3, {1, 1, 1});
  rig.tell(2, 10ms);
  rig.pass(2s);
  rig.link = 2, rig.granted = 1;
  CHECK(rig.next_of_first() >= 8);
}
