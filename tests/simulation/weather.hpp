#pragma once
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/world.hpp"
#include "ventilator/core/config.hpp"

namespace eole::simulation {

constexpr double kShortDelay = 2;  // Milliseconds.

/// How rough a run is. Drawn from the seed; each value can be set from outside, by its name.
struct Weather {
  // How many.
  double ventilators = 1;
  double sinks = 1;
  double workers = 2;
  double clients = 1;
  double submits = 10;  // Per client.
  // The network: shares of messages that are not in a pipe; the longest delay, in milliseconds.
  double loss = 0;
  double duplication = 0;
  double delay = kShortDelay;
  // Faults per virtual second, each.
  double crashes = 0;
  double power_cuts = 0;
  double pauses = 0;
  double pipe_breaks = 0;
  double partitions = 0;
  double disk_failures = 0;
  double disk_full = 0;
  double bit_flips = 0;
  double clock_jumps = 0;
  // Shares of tasks.
  double poison = 0;  // They kill their worker.
  double failing = 0;
  double making = 0;
  double cancelled = 0;
  double slow = 0;
  double keyed = 0;
  double after = 0;
  double delayed = 0;
  double expiring = 0;
  double needing = 0;   // Of a resource that workers have little of.
  double projects = 0;  // One: a project is tracked, and some tasks are in it.
  double tenants = 0;   // One: somebody works within a prefix of projects.
  double rivals = 0;    // One: some projects always have work waiting.
  double members = 0;   // Of the group that reads each log.

  /// Nothing breaks: then no task may run twice.
  bool is_calm() const { return keeps_workers() && failing == 0; }
  /// No worker is lost, whatever else breaks: nor is one whose hello comes later than the end of
  /// the pipe that it closed forgives.
  bool keeps_workers() const {
    return crashes + power_cuts + pauses + pipe_breaks + partitions + disk_failures + disk_full +
                   bit_flips + poison + loss ==
               0 &&
           delay < ventilator::Config{}.grace / 1ms;
  }
  /// What runs and waits is known everywhere at almost the same time.
  bool is_prompt() const { return keeps_workers() && delay <= kShortDelay; }
  /// No message overtakes another: results that do are sent again a second later, all of them, and
  /// rivals have many.
  bool keeps_order() const { return rivals > 0 && is_prompt(); }
};

/// A value of the weather by name, and the least it may be.
struct Knob {
  const char* name;
  double Weather::*value;
  double least;
  bool is_fault = false;
};
extern const std::array<Knob, 31> kKnobs;

using Settings = std::vector<std::pair<std::string, double>>;

/// Draws a weather, then sets what `settings` names. Unknown names change nothing.
Weather draw_weather(World& world, const Settings& settings);

}  // namespace eole::simulation
