#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "clients/cpp/session/asks.hpp"
#include "clients/cpp/session/reader.hpp"
#include "clients/cpp/session/submits.hpp"
#include "tests/simulation/beats.hpp"
#include "tests/simulation/holds.hpp"
#include "tests/simulation/process.hpp"
#include "tests/simulation/rivals.hpp"
#include "tests/simulation/task_draw.hpp"
#include "tests/simulation/tenant.hpp"
#include "tests/simulation/tracked.hpp"

namespace eole::simulation {

class Fabric;
class SimVentilator;
class SimSink;

/// Submits, cancels, and remembers what it was promised; what is refused it submits as new tasks.
/// The first one of a ventilator is its operator, too.
class SimClient final : public Process {
 public:
  SimClient(Fabric& fabric, SimVentilator& ventilator, int number);
  /// All that it asked for was answered.
  bool is_done() const {
    return accepted_ == wanted_ && cancels_ == 0 && anew_.empty() && holds_->is_done() &&
           beats_->is_done() && tracked_->is_done() && tenant_->is_done() && rivals_->is_done();
  }

 private:
  void boot() override;
  std::optional<TimePoint> turn() override;
  void die() override {}  // It never does.
  void submit_next();
  void submit();
  std::uint64_t submit(std::vector<TaskDraw::Drawn> tasks, const std::string& within = {});
  void do_anew(const TaskDraw::Drawn& task);
  void on_end(const client::SubmitEnded& ended);
  void cancel(const TaskId& id);

  SimVentilator& ventilator_;
  SimTransport transport_;
  client::Session session_;
  std::optional<client::Submits> submits_;
  std::optional<client::Asks> asks_;
  std::optional<client::Asks> sink_;
  std::optional<Holds> holds_;
  std::optional<Beats> beats_;
  std::optional<Tracked> tracked_;
  std::optional<Tenant> tenant_;
  std::optional<Rivals> rivals_;
  TaskDraw draw_;
  std::map<std::uint64_t, std::vector<std::string>> bodies_;  // Of what is not answered.
  std::uint64_t wanted_ = 0;
  std::uint64_t accepted_ = 0;
  std::uint64_t cancels_ = 0;  // Not answered.
  std::set<std::uint64_t> anew_;  // Requests of tasks that are done anew, not answered.
  bool is_operator_;           // One of a ventilator's clients.
  bool are_limited_ = false;   // Tasks of kind work are.
};

/// Reads a log with a cursor, as any subscriber does: eagerly, and going on from its cursor when
/// it starts again; slowly; or not any more.
class SimSubscriber final : public Process {
 public:
  enum class Pace { kEager, kSlow, kDead };
  SimSubscriber(Fabric& fabric, SimSink& sink, Pace pace, int number);
  /// Has read all there is, or reads no more.
  bool is_up_to_date() const;

 private:
  void boot() override;
  std::optional<TimePoint> turn() override;
  void die() override;
  void take(const client::TakeBatch& taken);

  SimSink& sink_;
  Pace pace_;
  std::optional<SimTransport> transport_;
  std::optional<client::Session> session_;
  std::optional<client::Reader> reader_;
  client::Cursor cursor_;  // Kept, as on a disk.
  bool starts_again_ = false;
};

}  // namespace eole::simulation
