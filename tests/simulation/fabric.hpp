#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sink/io/result_log.hpp"
#include "tests/simulation/sim_disk.hpp"
#include "tests/simulation/world.hpp"
#include "ventilator/io/journal.hpp"
#include "worker/core/core.hpp"

namespace eole::simulation {

/// How rough a run is. Drawn from the seed.
struct Weather {
  int workers = 2;
  int clients = 1;
  int submits = 10;  // Per client.
  double loss = 0;   // Of a message that is not in a pipe.
  double duplication = 0;
  Duration delay_most = 2ms;
  double crashes = 0;  // Faults per virtual second, each.
  double power_cuts = 0;
  double pauses = 0;
  double pipe_breaks = 0;
  double disk_failures = 0;
  double poison = 0;     // Share of tasks that kill their worker.
  double failing = 0;    // Share of tasks that fail and ask for a retry.
  double cancelled = 0;  // Share of tasks that their client cancels.
  bool is_calm() const {
    return crashes + power_cuts + pauses + pipe_breaks + disk_failures + poison == 0;
  }
};
Weather draw_weather(World& world);

class Fabric;

/// A process: alive or not, perhaps paused, with the input that waits for its next turn.
class Process {
 public:
  Process(Fabric& fabric, std::string name) : fabric_(fabric), name_(std::move(name)) {}
  virtual ~Process() = default;
  void deliver(std::function<void()> input);
  void start();
  void crash();
  void pause(Duration time);
  bool is_alive() const { return is_alive_; }
  const std::string& name() const { return name_; }

 protected:
  virtual void boot() = 0;  // May throw StorageFailure: then it is started again later.
  virtual void turn() = 0;  // All input was handed over: decide and act.
  virtual void die() = 0;
  virtual std::optional<TimePoint> next_deadline() const = 0;
  void schedule(TimePoint when);
  Fabric& fabric_;
  std::string name_;

 private:
  void take_turn();
  bool is_alive_ = false;
  std::uint64_t life_ = 0;
  TimePoint paused_until_{};
  TimePoint scheduled_ = TimePoint::max();
  std::deque<std::function<void()>> inbox_;
};

class SimVentilator final : public Process {
 public:
  SimVentilator(Fabric& fabric, std::uint64_t seed);
  void on_event(ventilator::Event event);
  bool has_pipe(const Link& link) const { return pipes_.contains(link); }
  bool is_idle() const;
  Origin origin() const { return origin_; }
  const ventilator::Core* core() const { return core_ ? &*core_ : nullptr; }
  SimDisk disk;

 private:
  void boot() override;
  void turn() override;
  void die() override;
  std::optional<TimePoint> next_deadline() const override { return core_->next_deadline(); }
  void act(const ventilator::Action& action);
  void send_tasks(const ventilator::SendTasks& action);
  void push_verdict(const ventilator::PushVerdict& action);
  std::unique_ptr<storage::Directory> directory_;
  std::optional<ventilator::Journal> journal_;
  std::optional<ventilator::Core> core_;
  ventilator::Actions actions_;
  std::set<Link> pipes_;
  Origin origin_ = 0;  // Of the journal; known also while the process is down.
  std::uint64_t nonce_ = 0;
  bool settled_any_ = false;
};

class SimSink final : public Process {
 public:
  SimSink(Fabric& fabric, std::uint64_t seed);
  void on_event(sink::Event event);
  void on_follow(const protocol::Follow& follow);
  void on_read(const protocol::Read& read, std::function<void(protocol::Records)> answer);
  SimDisk disk;

 private:
  void boot() override;
  void turn() override;
  void die() override;
  std::optional<TimePoint> next_deadline() const override;
  void perform();
  void note_batch(std::string_view encoded);
  void act(const sink::Action& action);
  std::unique_ptr<storage::Directory> directory_;
  std::optional<sink::ResultLog> log_;
  sink::Actions actions_;
  std::uint64_t published_to_ = 0;
  TimePoint next_head_{};
};

class SimWorker final : public Process {
 public:
  SimWorker(Fabric& fabric, int number);
  void on_event(worker::Event event);
  RunId run() const { return core_ ? core_->run() : 0; }
  bool is_idle() const { return core_ && core_->held() == 0 && core_->unacknowledged() == 0; }
  void break_pipe(bool tells_ventilator);
  const std::optional<Link>& pipe() const { return pipe_; }

 private:
  void boot() override;
  void turn() override;
  void die() override;
  std::optional<TimePoint> next_deadline() const override { return core_->next_deadline(); }
  void act(const worker::Action& action);
  void open_pipe(const std::string& endpoint);
  void start_task(const worker::StartTask& task);
  std::optional<worker::Core> core_;
  worker::Actions actions_;
  std::optional<Link> pipe_;
  std::set<TaskId> killed_;
};

/// Submits, repeats what is not answered, cancels, and remembers what it was promised.
class SimClient {
 public:
  SimClient(Fabric& fabric, int number);
  void begin();
  void on_accepted(const protocol::Accepted& accepted);
  bool is_done() const { return answered_ == wanted_; }
  const std::string& name() const { return name_; }

 private:
  void send(std::uint64_t request);
  void submit_next();
  Fabric& fabric_;
  std::string name_;
  RunId run_;
  std::map<std::uint64_t, protocol::Submit> open_;
  std::map<std::uint64_t, std::vector<std::string>> bodies_;
  std::uint64_t wanted_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t answered_ = 0;
};

/// Reads the log with a cursor, as any subscriber does.
class SimSubscriber {
 public:
  explicit SimSubscriber(Fabric& fabric) : fabric_(fabric) {}
  void begin();
  std::uint64_t offset() const { return offset_; }

 private:
  void poll();
  void on_records(const protocol::Records& records);
  Fabric& fabric_;
  std::uint64_t offset_ = 0;
  std::uint32_t crc_ = 0;
  std::uint64_t log_ = 0;
};

/// The whole fabric of one seed: processes, network, clients, faults, and what must hold.
class Fabric {
 public:
  explicit Fabric(std::uint64_t seed);
  /// Runs it to the end; throws Violation.
  void run();

  // The network. Messages may be lost, doubled and late; a pipe keeps its order.
  void send(Process& to, std::function<void()> input);
  void to_ventilator(std::function<ventilator::Event()> event);
  void to_sink(std::function<sink::Event()> event);
  SimWorker* worker_of(const std::string& peer);

  World world;
  Weather weather;
  std::unique_ptr<SimVentilator> ventilator;
  std::unique_ptr<SimSink> sink;
  std::vector<std::unique_ptr<SimWorker>> workers;
  std::vector<std::unique_ptr<SimClient>> clients;
  std::unique_ptr<SimSubscriber> subscriber;

  // What was promised and what happened: the checks' own records.
  struct Promise {
    std::string body;
    std::optional<std::uint64_t> final_offset;
    int executions = 0;
  };
  std::map<TaskId, Promise> promises;
  std::set<TaskId> durable_finals;       // In the log, synced.
  std::map<Link, std::uint64_t> limits;  // The most that a worker granted on a link.
  std::map<Link, TimePoint> pipe_clear;  // When a pipe's last message arrives.
  bool faults_over = false;
  std::uint64_t faults = 0;

  void note_execution(const TaskId& id);
  void note_result(const protocol::ResultRecord& result, std::uint64_t offset);
  void check_forgotten(const ventilator::Forget& forget) const;
  void check_end() const;

 private:
  void schedule_fault(double rate, const std::function<void()>& fault);
  Process& any_process();
  bool is_settled() const;
};

/// Runs one seed; returns what it found. `trace`: filled with the last lines if it is given.
struct Finding {
  std::string violation;
  std::uint64_t trace_hash = 0;
  std::uint64_t steps = 0;
  std::uint64_t faults = 0;
  double virtual_seconds = 0;
  std::uint64_t tasks = 0;
};
Finding run_seed(std::uint64_t seed, std::vector<std::string>* trace);

}  // namespace eole::simulation
