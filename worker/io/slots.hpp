#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/net/socket.hpp"
#include "worker/core/events.hpp"
#include "worker/handlers/web.hpp"
#include "worker/io/progress_queue.hpp"
#include "worker/io/task_runner.hpp"
#include "worker/runners/attempt.hpp"

namespace eole::worker {

struct SlotOptions {
  net::ClusterFile cluster;
  std::string scratch;  // A directory of this worker's own; lasting files of a task live here.
  WebOptions web;
  std::string secrets;               // The file of them; empty: there are none.
  std::vector<std::string> signers;  // Files of the keys whose commands run; none: all do.
  void add_flags(process::Options& flags);
};

/// The threads that run tasks, one per slot, and the way back to the loop.
class Slots final : public TaskRunner {
 public:
  /// `runners`: of each slot; `offered`: what those that did not come with Eole offer, in their
  /// order there.
  Slots(net::Context& context, SlotOptions options, std::vector<ProcessRunners> runners,
        RunnersChanged offered);
  ~Slots() override;
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  void start(const StartTask& task) override;
  void kill(const TaskId& id, bool is_timeout) override;
  BatchFinished run_batch(std::shared_ptr<const Batch> batch) override;
  std::vector<TaskFinished> take_finished() override;
  std::optional<RunnersChanged> take_runners() override;
  std::deque<protocol::Progress> take_progress() override;
  void give_back(std::deque<protocol::Progress> progress) override;
  bool has_progress() override;
  int fd() const override { return wake_fd_; }
  bool& due() override { return is_due_; }

 private:
  void serve(std::size_t slot);
  void run(std::vector<StartTask> tasks, std::vector<std::shared_ptr<Cancel>> cancels,
           Surroundings& around);
  void take(TaskFinished finished);
  void rest(std::size_t slot, TimePoint& next_sweep);
  void mend(std::size_t slot);
  void take_offers(std::size_t slot);
  std::vector<std::string> problems_of(std::size_t slot) const;
  bool are_all_well() const;
  void look_at_runners(std::size_t slot);
  std::optional<std::size_t> next_for(std::size_t slot) const;
  void show(protocol::Progress progress);
  bool is_stopping();
  void wake();

  net::Context& context_;
  SlotOptions options_;
  std::vector<ProcessRunners> runners_;
  Web web_;
  const Secrets secrets_;
  const Signers signers_;
  int wake_fd_;
  bool is_due_ = false;
  std::mutex mutex_;
  std::condition_variable has_work_;
  bool should_stop_ = false;
  std::vector<StartTask>
      gathering_;  // Of the loop alone: those that share a slot, until all are there.
  std::deque<std::vector<StartTask>> waiting_;
  std::map<TaskId, std::shared_ptr<Cancel>> running_;  // Loop and slot.
  std::vector<TaskFinished> finished_;
  RunnersChanged offered_;            // With the problems that are told,
  bool have_offers_changed_ = false;  // or will be.
  /// Of each slot, why each of these cannot start there; empty: it does.
  std::vector<std::vector<std::string>> problems_;
  std::atomic<bool> are_all_well_ = true;
  ProgressQueue progress_;
  std::vector<std::thread> threads_;
};

}  // namespace eole::worker
