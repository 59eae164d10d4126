#include "tests/simulation/fabric.hpp"

#include <algorithm>

#include "common/base/text.hpp"

// Weather, network, faults and checks.
namespace eole::simulation {

namespace {
constexpr Duration kFaultTime = 30s;    // Virtual time with faults; then they stop.
constexpr Duration kSettleTime = 900s;  // By then everything must be settled.
constexpr int kAttemptsMax = 5;
}  // namespace

Weather draw_weather(World& world) {
  Weather weather;
  weather.workers = 1 + static_cast<int>(world.below(4));
  weather.clients = 1 + static_cast<int>(world.below(2));
  weather.submits = 3 + static_cast<int>(world.below(20));
  const auto sometimes = [&](double most) {
    return world.chance(0.5) ? 0 : most * static_cast<double>(world.below(1000)) / 1000;
  };
  weather.loss = sometimes(0.2);
  weather.duplication = sometimes(0.2);
  weather.delay_most = world.chance(0.5) ? Duration(2ms) : world.between(1ms, 800ms);
  weather.crashes = sometimes(0.5);
  weather.power_cuts = sometimes(0.2);
  weather.pauses = sometimes(0.3);
  weather.pipe_breaks = sometimes(0.5);
  weather.disk_failures = sometimes(0.1);
  weather.poison = world.chance(0.7) ? 0 : 0.05;
  weather.failing = sometimes(0.3);
  weather.cancelled = sometimes(0.2);
  return weather;
}

// ---- Processes.

void Process::deliver(std::function<void()> input) {
  if (!is_alive_) return;
  inbox_.push_back(std::move(input));
  schedule(fabric_.world.now());
}

void Process::schedule(TimePoint when) {
  when = std::max({when, paused_until_, fabric_.world.now()});
  if (when >= scheduled_) return;
  scheduled_ = when;
  fabric_.world.at(when, [this, life = life_, when] {
    if (!is_alive_ || life != life_ || scheduled_ != when) return;
    scheduled_ = TimePoint::max();
    if (fabric_.world.now() < paused_until_) return schedule(paused_until_);
    take_turn();
  });
}

void Process::take_turn() {
  try {
    while (!inbox_.empty()) {
      const auto input = std::move(inbox_.front());
      inbox_.pop_front();
      input();
    }
    turn();
  } catch (const storage::StorageFailure& failure) {  // The process ends; somebody restarts it.
    fabric_.world.trace(name_ + " ends: " + failure.what());
    crash();
    return;
  }
  if (!is_alive_) return;
  if (const auto next = next_deadline()) schedule(*next);
}

void Process::start() {
  ++life_;
  scheduled_ = TimePoint::max();
  inbox_.clear();
  try {
    boot();
  } catch (const storage::StorageFailure& failure) {
    fabric_.world.trace(name_ + " cannot start: " + failure.what());
    die();
    fabric_.world.after(500ms, [this, life = life_] {
      if (!is_alive_ && life == life_) start();
    });
    return;
  }
  fabric_.world.trace(name_ + " starts");
  is_alive_ = true;
  schedule(fabric_.world.now());
}

void Process::crash() {
  if (!is_alive_) return;
  fabric_.world.trace(name_ + " crashes");
  is_alive_ = false;
  ++life_;
  inbox_.clear();
  die();
  fabric_.world.after(fabric_.world.between(10ms, 3s), [this, life = life_] {
    if (!is_alive_ && life == life_) start();
  });
}

void Process::pause(Duration time) {
  fabric_.world.trace(name_ + " pauses");
  paused_until_ = fabric_.world.now() + time;
}

// ---- Network.

void Fabric::send(Process& to, std::function<void()> input) {
  const bool is_rough = !faults_over;
  if (is_rough && world.chance(weather.loss)) return;
  const int copies = is_rough && world.chance(weather.duplication) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    const auto delay = world.between(20us, is_rough ? weather.delay_most : Duration(1ms));
    world.after(delay, [&to, input] { to.deliver(input); });
  }
}

void Fabric::to_ventilator(std::function<ventilator::Event()> event) {
  send(*ventilator, [this, event] { ventilator->on_event(event()); });
}

void Fabric::to_sink(std::function<sink::Event()> event) {
  send(*sink, [this, event] { sink->on_event(event()); });
}

SimWorker* Fabric::worker_of(const std::string& peer) {
  for (const auto& worker : workers)
    if (worker->name() == peer) return worker.get();
  return nullptr;
}

// ---- What must hold.

void Fabric::note_execution(const TaskId& id) {
  auto& promise = promises[id];
  ++promise.executions;
  if (promise.executions > kAttemptsMax + 1)
    throw Violation{text(to_text(id), " was executed ", promise.executions, " times")};
  if (weather.is_calm() && weather.failing == 0 && promise.executions > 1 && weather.loss == 0 &&
      weather.delay_most < 500ms)
    throw Violation{text(to_text(id), " was executed twice in calm weather")};
}

void Fabric::note_result(const protocol::ResultRecord& result, std::uint64_t offset) {
  if (!result.is_final) return;
  auto& promise = promises[result.id];
  if (promise.final_offset && *promise.final_offset != offset)
    throw Violation{text(to_text(result.id), " was settled twice, at ", *promise.final_offset,
                         " and at ", offset)};
  promise.final_offset = offset;
}

void Fabric::check_forgotten(const ventilator::Forget& forget) const {
  for (const auto& range : forget.ranges)
    for (auto seq = range.first; seq <= range.last; ++seq)
      if (!durable_finals.contains({ventilator->core()->origin(), seq}))
        throw Violation{text("task ", seq, " was forgotten, and is not durable in the log")};
}

void Fabric::check_end() const {
  for (const auto& [id, promise] : promises) {
    if (promise.body.empty()) continue;  // Not answered: it may exist or not.
    if (promise.final_offset) continue;
    const auto view = ventilator->core() ? ventilator->core()->task(id.seq) : std::nullopt;
    throw Violation{text(to_text(id), " was accepted and is not settled; the ventilator says ",
                         view ? view->state + " on " + view->worker : "nothing")};
  }
  for (const auto& worker : workers)
    if (!worker->is_idle()) throw Violation{text(worker->name(), " still holds something")};
  for (const auto& client : clients)
    if (!client->is_done()) throw Violation{"a client's submit was never answered"};
}

// ---- The run.

Fabric::Fabric(std::uint64_t seed) : world(seed), weather(draw_weather(world)) {
  ventilator = std::make_unique<SimVentilator>(*this, world.draw());
  sink = std::make_unique<SimSink>(*this, world.draw());
  for (int i = 0; i < weather.workers; ++i)
    workers.push_back(std::make_unique<SimWorker>(*this, i + 1));
  for (int i = 0; i < weather.clients; ++i)
    clients.push_back(std::make_unique<SimClient>(*this, i + 1));
  subscriber = std::make_unique<SimSubscriber>(*this);
}

void Fabric::schedule_fault(double rate, const std::function<void()>& fault) {
  if (rate <= 0) return;
  const auto mean = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1 / rate));
  world.after(world.between(Duration(0), mean * 2), [this, rate, fault] {
    if (faults_over) return;
    ++faults;
    fault();
    schedule_fault(rate, fault);
  });
}

Process& Fabric::any_process() {
  const auto which = world.below(workers.size() + 2);
  if (which == 0) return *ventilator;
  if (which == 1) return *sink;
  return *workers[which - 2];
}

bool Fabric::is_settled() const {
  if (!std::all_of(clients.begin(), clients.end(), [](const auto& c) { return c->is_done(); }))
    return false;
  if (!ventilator->is_alive() || !ventilator->is_idle()) return false;
  return std::all_of(workers.begin(), workers.end(),
                     [](const auto& worker) { return worker->is_alive() && worker->is_idle(); });
}

void Fabric::run() {
  world.trace(text("weather: loss ", weather.loss, ", duplication ", weather.duplication,
                   ", delay ", weather.delay_most.count() / 1000, " us"));
  sink->start();
  ventilator->start();
  for (const auto& worker : workers) worker->start();
  for (const auto& client : clients) client->begin();
  subscriber->begin();
  schedule_fault(weather.crashes, [this] { any_process().crash(); });
  schedule_fault(weather.pauses, [this] { any_process().pause(world.between(100ms, 10s)); });
  schedule_fault(weather.power_cuts, [this] {  // One machine: a server with its disk.
    const bool is_sink = world.chance(0.5);
    Process& process = is_sink ? static_cast<Process&>(*sink) : *ventilator;
    auto& disk = is_sink ? sink->disk : ventilator->disk;
    world.trace("power cut: " + process.name());
    process.crash();
    disk.cut_power();
  });
  schedule_fault(weather.pipe_breaks,
                 [this] { workers[world.below(workers.size())]->break_pipe(world.chance(0.7)); });
  schedule_fault(weather.disk_failures, [this] {
    auto& disk = world.chance(0.5) ? sink->disk : ventilator->disk;
    world.chance(0.5) ? disk.fail_next_sync() : disk.fail_operation(world.below(20));
  });
  world.run(world.now() + kFaultTime);
  faults_over = true;
  world.trace("faults are over");
  ventilator->disk.fail_operation(UINT64_MAX / 2);
  sink->disk.fail_operation(UINT64_MAX / 2);
  const auto until = world.now() + kSettleTime;
  const auto settle = [&] {
    while (world.now() < until && !is_settled()) world.run(world.now() + 500ms);
  };
  settle();
  world.run(world.now() + 12s);  // The last zombies wake and end; the subscriber reads on.
  settle();
  check_end();
}

Finding run_seed(std::uint64_t seed, std::vector<std::string>* trace) {
  Finding finding;
  Fabric fabric(seed);
  if (trace != nullptr) fabric.world.keep_trace();
  try {
    fabric.run();
  } catch (const Violation& violation) {
    finding.violation = violation.what;
  }
  finding.trace_hash = fabric.world.hash();
  finding.steps = fabric.world.steps();
  finding.faults = fabric.faults;
  finding.virtual_seconds =
      std::chrono::duration<double>(fabric.world.now().time_since_epoch()).count();
  finding.tasks = fabric.promises.size();
  if (trace != nullptr) *trace = fabric.world.lines();
  return finding;
}

}  // namespace eole::simulation
