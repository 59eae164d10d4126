#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "cli/common.hpp"
#include "clients/cpp/blocking/waiting.hpp"
#include "clients/cpp/session/reader.hpp"
#include "clients/cpp/session/submits.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/task_class.hpp"

namespace eole::cli {

/// Jobs as tasks of one class: submits them as they come, hears how they end, in one loop that may
/// wait for other things too. Throws Failure when the cluster does not answer, or refuses.
class Fabric {
 public:
  static constexpr std::uint32_t kJobsInMessage = 512;
  static constexpr std::size_t kMessageBytes = 1 << 20;

  struct Heard {
    /// The job's task is durable now.
    std::function<void(std::uint64_t job, const TaskId& id)> on_accepted;
    /// How an attempt of it ended; the last one is final.
    std::function<void(std::uint64_t job, const protocol::ResultRecord& result,
                       std::string_view worker)>
        on_result;
    /// How far it is, as it says itself; only if it is there.
    std::function<void(std::uint64_t job, const protocol::Progress& progress)> on_progress;
  };
  Fabric(Cluster& cluster, protocol::TaskClass task_class, Heard heard);

  bool has_room() const { return submits_.has_room(); }
  /// While has_room().
  void submit(std::uint64_t job, std::string_view args);
  /// What was submitted goes now.
  void flush();
  /// A task of an earlier run.
  void adopt(std::uint64_t job, const TaskId& id) { jobs_[id] = job; }
  /// Nothing that was submitted or adopted is not over.
  bool is_idle() const { return jobs_.empty() && asked_.empty() && open_.count() == 0; }
  /// Every id is known.
  bool is_all_accepted() const { return asked_.empty() && open_.count() == 0; }
  /// Drops what was not sent: these jobs.
  std::vector<std::uint64_t> drop_unsent();

  /// Asks that what no worker has yet, or all, ends. When is_all_accepted().
  void cancel(bool only_waiting);
  /// Takes what comes, until `at_most` has passed or something came. `fd`: of something else, -1:
  /// none.
  void wait(Duration at_most, int fd);

 private:
  void take(const client::SubmitEnded& ended);
  void take(client::TakeBatch batch);
  void tell(std::uint64_t job, const protocol::ResultRecord& result, std::string_view worker);
  /// One of a task that is not known to be ours, or not yet.
  struct Early {
    std::uint64_t until = 0;  // Requests before this one may have made it.
    Bytes batch;
  };

  Cluster& cluster_;
  protocol::TaskClass class_;
  Heard heard_;
  client::Waiting waiting_;
  client::Submits submits_;
  client::Reader reader_;
  std::optional<Failure> trouble_;
  protocol::TaskGroups open_;
  std::vector<std::uint64_t> open_jobs_;
  std::map<std::uint64_t, std::vector<std::uint64_t>> asked_;  // Jobs of unanswered requests.
  std::uint64_t requests_ = 0;                                 // The last one.
  std::unordered_map<TaskId, std::uint64_t> jobs_;
  std::map<TaskId, std::vector<Early>> early_;
};

}  // namespace eole::cli
