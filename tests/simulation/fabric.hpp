#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/clients.hpp"
#include "tests/simulation/ledger.hpp"
#include "tests/simulation/member.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/processes.hpp"
#include "tests/simulation/weather.hpp"
#include "tests/simulation/world.hpp"

namespace eole::simulation {

/// The whole fabric of one seed: processes, network, clients, faults, and what must hold.
/// Each sink has its ventilators, each ventilator its workers and clients.
class Fabric {
 public:
  Fabric(std::uint64_t seed, const Settings& settings);
  /// Runs it to the end; throws Violation.
  void run();

  // The network, between names. Messages may be lost, doubled and late, and two names may be cut
  // off from each other in one direction or both. A pipe is a connection: it keeps its order.
  void send(const std::string& from, const std::string& to, const std::function<void()>& arrive);
  /// When a message that leaves now on a connection arrives at the earliest.
  TimePoint arrival(const std::string& from, const std::string& to);
  bool is_rough() const { return !faults_over_; }

 private:  // The sockets of processes that end with the fabric still ask for these.
  std::map<std::pair<std::string, std::string>, TimePoint> cut_until_;
  std::map<std::pair<std::string, std::string>, TimePoint> arrives_;  // What was sent last.
  bool faults_over_ = false;

 public:
  World world;
  Weather weather;
  Ledger ledger;
  Network network{*this};
  std::vector<std::unique_ptr<SimSink>> sinks;
  std::vector<std::unique_ptr<SimVentilator>> ventilators;
  std::vector<std::unique_ptr<SimWorker>> workers;
  std::vector<std::unique_ptr<SimClient>> clients;
  std::vector<std::unique_ptr<SimSubscriber>> subscribers;
  std::vector<std::unique_ptr<SimMember>> members;
  std::uint64_t faults = 0;

 private:
  void schedule_fault(double rate, const std::function<void()>& fault);
  void schedule_faults();
  void cut_network();
  void flip_bit();
  Server& any_server();
  Process& any_process();
  bool is_settled() const;
  void check_end();
};

/// What one seed found.
struct Finding {
  std::string violation;
  std::uint64_t trace_hash = 0;
  std::uint64_t steps = 0;
  std::uint64_t faults = 0;
  double virtual_seconds = 0;
  std::uint64_t tasks = 0;
};
/// Runs one seed. `trace`: filled with all lines if it is given.
Finding run_seed(std::uint64_t seed, const Settings& settings, std::vector<std::string>* trace);

/// The smallest weather that still shows a violation.
Settings shrink(std::uint64_t seed, Settings settings);

}  // namespace eole::simulation
