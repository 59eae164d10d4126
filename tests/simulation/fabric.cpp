#include "tests/simulation/fabric.hpp"

#include <algorithm>

#include "common/base/text.hpp"

// Network, faults, and the run.
namespace eole::simulation {

namespace {
constexpr Duration kFaultTime = 30s;    // Virtual time with faults; then they stop.
constexpr Duration kRivalryTime = 60s;  // So long rivals get more work: what adds up shows.
constexpr Duration kSettleTime = 900s;  // By then everything must be settled.
}  // namespace

// ---- Network.

void Fabric::send(const std::string& from, const std::string& to,
                  const std::function<void()>& arrive) {
  if (is_rough()) {
    if (world.chance(weather.loss)) return;
    const auto cut = cut_until_.find({from, to});
    if (cut != cut_until_.end() && world.now() < cut->second) return;
  }
  const int copies = is_rough() && world.chance(weather.duplication) ? 2 : 1;
  const auto most = std::chrono::microseconds(static_cast<int>(weather.delay * 1000));
  auto& last = arrives_[{from, to}];
  for (int i = 0; i < copies; ++i) {
    auto when = world.now() + world.between(20us, is_rough() ? most : Duration(1ms));
    if (weather.keeps_order()) when = std::max(when, last);
    last = when;
    world.at(when, arrive);
  }
}

TimePoint Fabric::arrival(const std::string& from, const std::string& to) {
  const auto most = std::chrono::microseconds(static_cast<int>(weather.delay * 1000));
  const auto when = world.now() + world.between(20us, most);
  const auto cut = cut_until_.find({from, to});  // What a connection carries is sent again later.
  return cut == cut_until_.end() || !is_rough() ? when : std::max(when, cut->second);
}

// ---- Faults.

void Fabric::schedule_fault(double rate, const std::function<void()>& fault) {
  if (rate <= 0) return;
  const auto mean = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1 / rate));
  world.after(world.between(Duration(0), mean * 2), [this, rate, fault] {
    if (!is_rough()) return;
    ++faults;
    fault();
    schedule_fault(rate, fault);
  });
}

Server& Fabric::any_server() {
  const auto which = world.below(sinks.size() + ventilators.size());
  if (which < sinks.size()) return *sinks[which];
  return *ventilators[which - sinks.size()];
}

Process& Fabric::any_process() {
  if (world.below(workers.size() + 2) < 2) return any_server();
  return *workers[world.below(workers.size())];
}

// Cuts one process off from some others: in one direction or in both, for a while.
void Fabric::cut_network() {
  std::vector<std::string> names;
  for (const auto& each : sinks) names.push_back(each->name());
  for (const auto& each : ventilators) names.push_back(each->name());
  for (const auto& each : workers) names.push_back(each->name());
  for (const auto& each : clients) names.push_back(each->name());
  for (const auto& each : members) names.push_back(each->name());
  const auto one = names[world.below(names.size())];
  const auto until = world.now() + world.between(100ms, 15s);
  const auto directions = world.below(3);
  world.trace(text("cut off: ", one, directions == 0 ? " in" : directions == 1 ? " out" : ""));
  for (const auto& other : names) {
    if (world.chance(0.3)) continue;
    if (directions != 1) cut_until_[{other, one}] = until;
    if (directions != 0) cut_until_[{one, other}] = until;
  }
}

// Rot in a segment that is not the newest: there it can never pass for a torn tail.
void Fabric::flip_bit() {
  auto& server = any_server();
  auto names = server.disk.names();
  std::erase_if(names, [](const std::string& name) { return !name.ends_with(".seg"); });
  if (names.size() < 2) return;
  const auto& name = names[world.below(names.size() - 1)];
  const auto size = server.disk.size_of(name);
  if (size == 0 || !server.disk.flip_bit(name, world.below(size))) return;
  world.trace(text("bit flip: ", server.name(), " ", name));
  if (world.chance(0.5)) server.crash();
}

void Fabric::schedule_faults() {
  schedule_fault(weather.crashes, [this] { any_process().crash(); });
  schedule_fault(weather.pauses, [this] { any_process().pause(world.between(100ms, 10s)); });
  schedule_fault(weather.power_cuts, [this] {  // One machine: a server with its disk.
    auto& server = any_server();
    world.trace("power cut: " + server.name());
    server.crash();
    server.disk.cut_power();
  });
  schedule_fault(weather.pipe_breaks, [this] {
    const auto& worker = *workers[world.below(workers.size())];
    world.trace("pipe breaks: " + worker.name());
    network.break_pipe(worker.name(), world.chance(0.7));
  });
  schedule_fault(weather.partitions, [this] { cut_network(); });
  schedule_fault(weather.disk_failures, [this] {
    auto& disk = any_server().disk;
    world.chance(0.5) ? disk.fail_next_sync()
                      : disk.fail_operation(world.below(20), world.chance(0.2));
  });
  schedule_fault(weather.disk_full, [this] {
    auto& server = any_server();
    world.trace("disk full: " + server.name());
    server.disk.set_free_bytes(world.chance(0.5) ? 0 : 1 << 20);
    world.after(world.between(500ms, 10s), [&server] { server.disk.set_free_bytes(1ULL << 40); });
  });
  schedule_fault(weather.bit_flips, [this] { flip_bit(); });
  schedule_fault(weather.clock_jumps, [this] { world.jump_wall_clock(); });
}

// ---- The run.

Fabric::Fabric(std::uint64_t seed, const Settings& settings)
    : world(seed), weather(draw_weather(world, settings)), ledger(world, weather) {
  const auto number_of = [](double value) { return static_cast<int>(value); };
  for (int i = 0; i < number_of(weather.sinks); ++i)
    sinks.push_back(std::make_unique<SimSink>(*this, i + 1, world.draw()));
  for (int i = 0; i < number_of(weather.ventilators); ++i) {
    auto& sink = *sinks[static_cast<std::size_t>(i) % sinks.size()];
    ventilators.push_back(std::make_unique<SimVentilator>(*this, sink, i + 1, world.draw()));
    auto& ventilator = *ventilators.back();
    for (int j = 0; j < number_of(weather.workers); ++j)
      workers.push_back(std::make_unique<SimWorker>(*this, ventilator, i * 10 + j + 1));
    for (int j = 0; j < number_of(weather.clients); ++j)
      clients.push_back(std::make_unique<SimClient>(*this, ventilator, i * 10 + j + 1));
  }
  int number = 0;
  for (const auto& sink : sinks)
    for (const auto pace :
         {SimSubscriber::Pace::kEager, SimSubscriber::Pace::kSlow, SimSubscriber::Pace::kDead})
      subscribers.push_back(std::make_unique<SimSubscriber>(*this, *sink, pace, ++number));
  number = 0;
  for (const auto& sink : sinks)
    for (int i = 0; i < number_of(weather.members); ++i)
      members.push_back(std::make_unique<SimMember>(*this, *sink, ++number));
}

bool Fabric::is_settled() const {
  const auto all = [](const auto& list, auto what) {
    return std::all_of(list.begin(), list.end(), what);
  };
  return all(clients, [](const auto& client) { return client->is_done(); }) &&
         all(ventilators, [](const auto& each) { return each->is_alive() && each->is_idle(); }) &&
         all(workers, [](const auto& each) { return each->is_alive() && each->is_idle(); }) &&
         all(subscribers, [](const auto& subscriber) { return subscriber->is_up_to_date(); }) &&
         (members.empty() || all(sinks, [](const auto& sink) { return sink->is_read_by_group(); }));
}

void Fabric::check_end() {
  ledger.check_end();
  for (const auto& ventilator : ventilators)
    ledger.check_beats(ventilator->origin(), ventilator->schedule("beat"));
  for (const auto& sink : sinks)
    if (!sink->disk.has_flipped_bits()) sink->check_log();
  for (const auto& worker : workers)
    if (!worker->is_idle()) throw Violation{text(worker->name(), " still holds something")};
  for (const auto& client : clients)
    if (!client->is_done())
      throw Violation{client->name() + ": something that it asked was never answered"};
  for (const auto& subscriber : subscribers)
    if (!subscriber->is_up_to_date()) throw Violation{"a subscriber never caught up"};
  for (const auto& sink : sinks) {
    if (members.empty()) break;
    if (!sink->is_read_by_group()) throw Violation{"a group never caught up"};
    ledger.groups().check_end(sink->log());
  }
  const auto moved = ledger.moved();
  world.run(world.now() + 5s);
  if (ledger.moved() != moved) throw Violation{"all is settled, and tasks or results still move"};
}

void Fabric::run() {
  std::string line = "weather:";
  for (const auto& knob : kKnobs) line += text(" ", knob.name, "=", weather.*knob.value);
  world.trace(line);
  for (const auto& sink : sinks) sink->start();
  for (const auto& ventilator : ventilators) ventilator->start();
  for (const auto& worker : workers) worker->start();
  for (const auto& client : clients) client->start();
  for (const auto& subscriber : subscribers) subscriber->start();
  for (const auto& member : members) member->start();
  schedule_faults();
  world.run(world.now() + (weather.rivals > 0 ? kRivalryTime : kFaultTime));
  faults_over_ = true;
  world.trace("faults are over");
  if (weather.clock_jumps > 0) world.set_last_wall_clock();  // Whatever waits for a date is due.
  const auto heal = [](SimDisk& disk) {
    disk.fail_operation(UINT64_MAX / 2);
    disk.set_free_bytes(1ULL << 40);
  };
  for (const auto& sink : sinks) heal(sink->disk);
  for (const auto& ventilator : ventilators) heal(ventilator->disk);
  const auto until = world.now() + kSettleTime;
  const auto settle = [&] {
    while (world.now() < until && !is_settled()) world.run(world.now() + 500ms);
  };
  settle();
  world.run(world.now() + 12s);  // The last zombies wake and end.
  settle();
  check_end();
}

Finding run_seed(std::uint64_t seed, const Settings& settings, std::vector<std::string>* trace) {
  Finding finding;
  Fabric fabric(seed, settings);
  if (trace != nullptr) fabric.world.keep_trace();
  try {
    fabric.run();
  } catch (const Violation& violation) {
    finding.violation = violation.what;
  } catch (const std::exception& error) {
    finding.violation = text("exception: ", error.what());
  }
  finding.trace_hash = fabric.world.hash();
  finding.steps = fabric.world.steps();
  finding.faults = fabric.faults;
  finding.virtual_seconds =
      std::chrono::duration<double>(fabric.world.now().time_since_epoch()).count();
  finding.tasks = fabric.ledger.tasks();
  if (trace != nullptr) *trace = fabric.world.lines();
  return finding;
}

Settings shrink(std::uint64_t seed, Settings settings) {
  const auto still_fails = [&](const Settings& fewer) {
    return !run_seed(seed, fewer, nullptr).violation.empty();
  };
  for (const auto& knob : kKnobs) {
    auto fewer = settings;
    fewer.emplace_back(knob.name, knob.least);
    if (still_fails(fewer)) settings = std::move(fewer);
  }
  const auto is_set = [&](const Settings::value_type& setting) {
    return setting.first == "submits";
  };
  if (std::any_of(settings.begin(), settings.end(), is_set)) return settings;
  for (double submits = 2; submits < 12; ++submits) {  // The fewest that show it.
    auto fewer = settings;
    fewer.emplace_back("submits", submits);
    if (still_fails(fewer)) return fewer;
  }
  return settings;
}

}  // namespace eole::simulation
