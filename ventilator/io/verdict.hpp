#pragma once
#include <cstdint>

#include "common/protocol/messages.hpp"
#include "ventilator/core/events.hpp"
#include "ventilator/io/journal_tasks.hpp"

namespace eole::ventilator {

/// What the sink is told of a task that ends without a worker. `task`: as it was submitted, empty
/// if damage took it. A dead letter carries it, so that a replay needs no journal. `start`: the
/// ventilator's.
protocol::Verdicts verdict_of(const PushVerdict& verdict, Origin origin, std::uint32_t start,
                              const Specs& task, std::int64_t unix_ms);

}  // namespace eole::ventilator
