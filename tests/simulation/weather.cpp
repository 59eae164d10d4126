#include "tests/simulation/weather.hpp"

namespace eole::simulation {

const std::array<Knob, 31> kKnobs = {{
    {"ventilators", &Weather::ventilators, 1},
    {"sinks", &Weather::sinks, 1},
    {"workers", &Weather::workers, 1},
    {"clients", &Weather::clients, 1},
    {"submits", &Weather::submits, 1},
    {"loss", &Weather::loss, 0, true},
    {"duplication", &Weather::duplication, 0, true},
    {"delay", &Weather::delay, kShortDelay},
    {"crashes", &Weather::crashes, 0, true},
    {"power_cuts", &Weather::power_cuts, 0, true},
    {"pauses", &Weather::pauses, 0, true},
    {"pipe_breaks", &Weather::pipe_breaks, 0, true},
    {"partitions", &Weather::partitions, 0, true},
    {"disk_failures", &Weather::disk_failures, 0, true},
    {"disk_full", &Weather::disk_full, 0, true},
    {"bit_flips", &Weather::bit_flips, 0, true},
    {"clock_jumps", &Weather::clock_jumps, 0, true},
    {"poison", &Weather::poison, 0, true},
    {"failing", &Weather::failing, 0, true},
    {"making", &Weather::making, 0},
    {"cancelled", &Weather::cancelled, 0},
    {"slow", &Weather::slow, 0},
    {"keyed", &Weather::keyed, 0},
    {"after", &Weather::after, 0},
    {"delayed", &Weather::delayed, 0},
    {"expiring", &Weather::expiring, 0},
    {"needing", &Weather::needing, 0},
    {"projects", &Weather::projects, 0},
    {"tenants", &Weather::tenants, 0},
    {"rivals", &Weather::rivals, 0},
    {"members", &Weather::members, 0},
}};

Weather draw_weather(World& world, const Settings& settings) {
  Weather weather;
  const auto count = [&](std::uint64_t least, std::uint64_t most) {
    return static_cast<double>(least + world.below(most - least + 1));
  };
  const auto sometimes = [&](double most) {
    return world.chance(0.5) ? 0 : most * static_cast<double>(world.below(1000)) / 1000;
  };
  weather.ventilators = world.chance(0.6) ? 1 : count(2, 3);
  weather.sinks = world.chance(0.7) ? 1 : count(1, 2);
  weather.workers = count(1, 4);
  weather.clients = count(1, 2);
  weather.submits = count(3, 22);
  weather.loss = sometimes(0.2);
  weather.duplication = sometimes(0.2);
  weather.delay = world.chance(0.5) ? kShortDelay : count(1, 800);
  weather.crashes = sometimes(0.5);
  weather.power_cuts = sometimes(0.2);
  weather.pauses = sometimes(0.3);
  weather.pipe_breaks = sometimes(0.5);
  weather.partitions = sometimes(0.3);
  weather.disk_failures = sometimes(0.1);
  weather.disk_full = sometimes(0.1);
  weather.bit_flips = sometimes(0.1);
  weather.clock_jumps = sometimes(0.5);
  weather.poison = world.chance(0.7) ? 0 : 0.05;
  weather.failing = sometimes(0.3);
  weather.making = sometimes(0.3);
  weather.cancelled = sometimes(0.2);
  weather.slow = world.chance(0.7) ? 0 : 0.05;
  weather.keyed = sometimes(0.5);
  weather.after = sometimes(0.5);
  weather.delayed = sometimes(0.3);
  weather.expiring = sometimes(0.3);
  weather.needing = sometimes(0.6);
  weather.projects = world.chance(0.3) ? 1 : 0;
  if (world.chance(0.25)) {  // Calm: what goes wrong now goes wrong for everybody, every day.
    const auto failing = world.chance(0.4) ? 0.3 : 0;
    for (const auto& knob : kKnobs)
      if (knob.is_fault) weather.*knob.value = 0;
    weather.failing = failing;
  }
  weather.tenants = world.chance(0.3) ? 1 : 0;
  weather.members = world.chance(0.4) ? count(1, 4) : 0;
  weather.rivals = weather.is_prompt() && world.chance(0.3) ? 1 : 0;
  for (const auto& [name, value] : settings)
    for (const auto& knob : kKnobs)
      if (name == knob.name) weather.*knob.value = value;
  return weather;
}

}  // namespace eole::simulation
