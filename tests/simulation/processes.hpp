#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sink/io/artifact_desk.hpp"
#include "sink/io/node.hpp"
#include "tests/simulation/process.hpp"
#include "tests/simulation/sim_disk.hpp"
#include "tests/simulation/sim_runner.hpp"
#include "ventilator/io/node.hpp"
#include "worker/io/node.hpp"

// The real nodes, on simulated sockets and disks, and what is checked of each.
namespace eole::simulation {

/// A process with a disk. What its storage refuses to open must be damaged indeed.
class Server : public Process {
 public:
  Server(Fabric& fabric, std::string name, std::uint64_t disk_seed);
  SimDisk disk;
  /// If the trouble is damage to the disk that is there indeed: a good copy is put back.
  bool mends(const std::string& trouble);
  bool was_mended() const { return was_mended_; }

 protected:
  void on_refusal(const std::string& reason) override;
  bool was_mended_ = false;
  std::unique_ptr<storage::Directory> directory_;
  std::optional<SimTransport> transport_;
  net::Authority authority_;  // Everyone may do everything.
};

class SimSink final : public Server {
 public:
  SimSink(Fabric& fabric, int number, std::uint64_t disk_seed);
  std::uint64_t head() const { return node_ ? node_->log().core().head() : 0; }
  std::uint64_t kept_from() const { return node_ ? node_->log().kept_from() : UINT64_MAX; }
  std::uint64_t log() const { return node_ ? node_->log().core().log() : 0; }
  /// All that its group has to read is committed.
  bool is_read_by_group() const;
  /// Of the group, by name.
  std::vector<std::string> members() const;
  /// A person is about to remove that member.
  void note_removal(const std::string& member) { removed_.insert(member); }
  bool has_removed(const std::string& member) const { return removed_.contains(member); }
  /// Where it listens, for those that are about to connect.
  net::ClusterFile cluster() const;
  /// Everything in the log is as it was told, and what it names is there.
  void check_log();

 private:
  void boot() override;
  std::optional<TimePoint> turn() override;
  void die() override;
  void on_sent(const protocol::HeadReader& head, const protocol::Message& message) override;
  void on_durable(std::uint64_t log, std::string_view encoded_batch);
  std::optional<sink::ArtifactShelf> shelf_;
  std::optional<sink::HistoryDesk> questions_;
  std::set<std::string> removed_;  // Members, by people.
  std::optional<sink::Node> node_;
  std::optional<sink::History> history_;  // Its thread: it takes its time.
  std::optional<net::Socket> artifacts_;
  std::optional<sink::ArtifactDesk> desk_;
};

class SimVentilator final : public Server {
 public:
  SimVentilator(Fabric& fabric, SimSink& sink, int number, std::uint64_t disk_seed);
  Origin origin() const { return node_ ? node_->core().origin() : 0; }
  bool is_idle() const { return node_ && node_->core().queued() + node_->core().running() == 0; }
  net::ClusterFile cluster() const;
  /// Null if it has none of that name.
  protocol::Value schedule(const std::string& name) const {
    return node_ ? node_->core().schedules().view(name, 0) : protocol::Value();
  }

 private:
  void boot() override;
  std::optional<TimePoint> turn() override;
  void die() override;
  void on_sent(const protocol::HeadReader& head, const protocol::Message& message) override;
  void check_forgotten();
  void check_expired() const;
  /// Each task that was accepted is in one place.
  void check_accounted() const;
  std::uint64_t turns_ = 0;
  SimSink& sink_;
  std::optional<ventilator::Node> node_;
  SeqRanges forgotten_;
};

class SimWorker final : public Process {
 public:
  SimWorker(Fabric& fabric, SimVentilator& ventilator, int number);
  bool is_idle() const { return node_ && node_->core().is_empty(); }
  /// To this ventilator, of its own or by a runner.
  bool offers(const SimVentilator& ventilator, const std::string& kind) const {
    return &ventilator == &ventilator_ && kinds_.contains(kind);
  }

 private:
  void log();
  void boot() override;
  std::optional<TimePoint> turn() override;
  void die() override;
  void on_sent(const protocol::HeadReader& head, const protocol::Message& message) override;
  SimVentilator& ventilator_;
  bool may_lack_a_kind_;
  std::optional<SimTransport> transport_;
  std::optional<SimRunner> runner_;
  std::optional<net::Socket> logs_;
  std::optional<worker::Node> node_;
  std::set<std::string> kinds_;
  std::uint64_t prefetch_ = 0;  // At most so many unfinished tasks; zero: it adapts.
};

}  // namespace eole::simulation
