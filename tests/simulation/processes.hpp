#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "sink/io/artifacts.hpp"
#include "sink/io/result_log.hpp"
#include "tests/simulation/process.hpp"
#include "tests/simulation/sim_disk.hpp"
#include "ventilator/io/journal.hpp"
#include "worker/core/core.hpp"

// What the real nodes do, on simulated sockets and disks.
namespace eole::simulation {

/// A process with a disk. What its storage refuses to open must be damaged indeed.
class Server : public Process {
 public:
  Server(Fabric& fabric, std::string name, std::uint64_t disk_seed)
      : Process(fabric, std::move(name)), disk(disk_seed) {}
  SimDisk disk;

 protected:
  void on_refusal(const std::string& reason) override;
};

class SimSink;

class SimVentilator final : public Server {
 public:
  SimVentilator(Fabric& fabric, SimSink& sink, int number, std::uint64_t disk_seed);
  void on_event(ventilator::Event event);
  void on_submit(const std::string& client, const protocol::Submit& submit);
  bool has_pipe(const Link& link) const { return pipes_.contains(link); }
  bool is_idle() const { return core_ && core_->queued() == 0 && core_->running() == 0; }
  Origin origin() const { return origin_; }
  const SimSink& sink() const { return sink_; }

 private:
  void boot() override;
  void turn() override;
  void die() override;
  std::optional<TimePoint> next_deadline() const override { return core_->next_deadline(); }
  void act(const ventilator::Action& action);
  void reply(const ventilator::Reply& action);
  void send_tasks(const ventilator::SendTasks& action);
  void push_verdict(const ventilator::PushVerdict& action);
  SimSink& sink_;
  std::unique_ptr<storage::Directory> directory_;
  std::optional<ventilator::Journal> journal_;
  std::optional<ventilator::Core> core_;
  ventilator::Actions actions_;
  std::set<Link> pipes_;
  std::map<Link, TimePoint> pipe_clear_;  // When a pipe's last message arrives.
  Origin origin_ = 0;                     // Of the journal; known also while the process is down.
  std::uint64_t nonce_ = 0;
};

class SimSink final : public Server {
 public:
  SimSink(Fabric& fabric, int number, std::uint64_t disk_seed);
  void on_event(sink::Event event);
  void on_follow(SimVentilator& from, const protocol::Follow& follow);
  void on_read(const protocol::Read& read,
               const std::function<void(const protocol::Records&)>& answer);
  Expected<sink::ArtifactStore::Progress> on_put(const std::string& sha256, std::uint64_t size,
                                                 std::uint64_t offset, std::string_view bytes);
  std::uint64_t head() const { return log_ ? log_->core().head() : 0; }

 private:
  void boot() override;
  void turn() override;
  void die() override;
  std::optional<TimePoint> next_deadline() const override { return next_head_; }
  void perform();
  void act(const sink::Action& action);
  void publish_settled(std::string_view encoded_batch);
  void check_artifacts(std::string_view encoded_batch) const;
  std::unique_ptr<storage::Directory> directory_;
  std::optional<sink::ArtifactStore> artifacts_;
  std::optional<sink::ResultLog> log_;
  sink::Actions actions_;
  std::uint64_t published_to_ = 0;
  TimePoint next_head_{};
};

class SimWorker final : public Process {
 public:
  SimWorker(Fabric& fabric, SimVentilator& ventilator, SimSink& sink, int number);
  void on_event(worker::Event event);
  RunId run() const { return core_ ? core_->run() : 0; }
  bool is_idle() const { return core_ && core_->is_empty(); }
  void break_pipe(bool tells_ventilator);
  const std::optional<Link>& pipe() const { return pipe_; }

 private:
  void boot() override;
  void turn() override;
  void die() override;
  std::optional<TimePoint> next_deadline() const override { return core_->next_deadline(); }
  void act(const worker::Action& action);
  void tell(ventilator::Event event);
  void end_pipe();
  void open_pipe(const std::string& endpoint);
  void start_task(const worker::StartTask& task);
  struct Upload {
    worker::TaskFinished end;
    std::string content;
    std::uint64_t have = 0;
  };
  void upload(std::uint64_t number);
  void on_put_at(std::uint64_t number, const Expected<sink::ArtifactStore::Progress>& progress);
  void perform();
  void run_batch(const std::shared_ptr<const worker::Batch>& batch);
  SimVentilator& ventilator_;
  SimSink& sink_;
  std::optional<worker::Core> core_;
  worker::Actions actions_;
  std::optional<Link> pipe_;
  std::uint64_t prefetch_ = 0;  // At most so many unfinished tasks; zero: it adapts.
  std::set<TaskId> killed_;
  std::map<std::uint64_t, Upload> uploads_;  // Of this life; numbered over all lives.
  std::uint64_t uploads_begun_ = 0;
};

}  // namespace eole::simulation
