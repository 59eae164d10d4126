#pragma once
#include <map>
#include <string>
#include <vector>

#include "common/net/cluster_file.hpp"
#include "common/net/transport.hpp"
#include "tests/simulation/lookups.hpp"
#include "tests/simulation/process.hpp"
#include "worker/io/task_runner.hpp"

namespace eole::simulation {

/// Runs a worker's tasks in virtual time: quickly, slowly, for ever failing, deadly, or with a
/// file that goes to the sink in pieces.
class SimRunner final : public worker::TaskRunner {
 public:
  SimRunner(Fabric& fabric, Process& process, net::Transport& transport,
            const net::ClusterFile& cluster, std::vector<protocol::RunnerOffer> offers);
  void start(const worker::StartTask& task) override;
  void kill(const TaskId& id, bool is_timeout) override { killed_.emplace(id, is_timeout); }
  worker::BatchFinished run_batch(std::shared_ptr<const worker::Batch> batch) override;
  std::vector<worker::TaskFinished> take_finished() override {
    return std::exchange(finished_, {});
  }
  std::optional<worker::RunnersChanged> take_runners() override {
    if (!std::exchange(have_offers_changed_, false)) return std::nullopt;
    return worker::RunnersChanged{offers_};
  }
  bool has_progress() override { return false; }
  std::deque<protocol::Progress> take_progress() override { return {}; }
  int fd() const override { return -1; }
  bool& due() override { return is_due_; }

  /// The worker's runners cannot start for a while.
  void break_runners();
  /// Takes what the sink says.
  void take_answers();
  std::optional<TimePoint> next_turn() const { return lookups_.next_turn(); }

 private:
  struct Upload {
    worker::StartTask task;
    worker::TaskFinished end;
    std::string content;
    std::uint64_t have = 0;
  };
  protocol::Value body_of(const std::string& args, bool fails);
  void run(const worker::StartTask& task);
  void end(const worker::StartTask& task, const std::string& args, bool fails, Duration length);
  void finish(worker::TaskFinished finished);
  bool is_broken(const std::string& kind) const;
  void set_problem(const std::string& problem);
  void upload(std::uint64_t number);
  void on(const protocol::PutAt& at);
  void on(const protocol::Refused& refused);

  Fabric& fabric_;
  Process& process_;
  net::Socket socket_;  // To where the sink takes artifacts.
  Lookups lookups_;
  std::map<TaskId, bool> killed_;  // Whether its time limit did it.
  std::vector<worker::TaskFinished> finished_;
  bool is_due_ = false;
  std::vector<protocol::RunnerOffer> offers_;
  bool have_offers_changed_ = false;
  std::uint64_t licences_ = 0;  // Thousandths that what runs takes.
  std::map<std::uint64_t, Upload> uploads_;  // By the number of their requests.
  std::uint64_t last_upload_ = 0;
};

}  // namespace eole::simulation
