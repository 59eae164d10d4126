#pragma once
#include <cstdint>
#include <string_view>

#include "common/protocol/messages.hpp"
#include "ventilator/core/events.hpp"

namespace eole::ventilator {

/// What the sink is told of a task that ends without a worker. `raw_spec`: the task as it was
/// submitted, empty if damage took it. A dead letter carries it, so that a replay needs no journal.
protocol::Verdicts verdict_of(const PushVerdict& verdict, Origin origin, std::string_view raw_spec,
                              std::int64_t unix_ms);

}  // namespace eole::ventilator
