#pragma once
#include <cstdint>
#include <string>

#include "cli/bench_tasks.hpp"
#include "cli/common.hpp"

/// The rounds of `eole bench`. Each throws Failure, also if a signal stopped it, and returns what it
/// measured by name.
namespace eole::cli {

struct BenchOptions {
  std::string what = "throughput";
  std::uint64_t tasks = 0;     // Zero: as many as fit the round.
  std::uint32_t batch = 1024;  // As every client does.
  std::string plan = "none";   // What the tasks wait for.
  std::uint64_t ring = 0;
  std::uint32_t rounds = 3;
  std::uint32_t workers = 100;
};

/// Submit to notification, many at once.
Value::Map throughput(Cluster& cluster, const BenchOptions& options);
/// Kills the ventilator, then the sink: how long until a task is settled again.
Value::Map recovery(Cluster& cluster, const BenchOptions& options);
/// Kills, then stops the worker that holds a task: how long until its next attempt begins.
Value::Map redelivery(Cluster& cluster, const BenchOptions& options);
/// The throughput without, then with `workers` more workers.
Value::Map scale(Cluster& cluster, const BenchOptions& options, const Globals& globals);

/// Submits one task and waits for its result.
void settle_one(Cluster& cluster);

}  // namespace eole::cli
