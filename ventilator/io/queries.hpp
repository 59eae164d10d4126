#pragma once
#include "common/base/expected.hpp"
#include "common/base/time.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/value.hpp"
#include "ventilator/core/core.hpp"
#include "ventilator/io/journal.hpp"

namespace eole::ventilator {

constexpr Duration kPageTime = 10ms;  // Of one answer: tasks must go on meanwhile.

/// What a ventilator answers to people. Takes milliseconds at most, however long the queue is: a
/// long list comes in pages. Errors: no such query, or an option that makes no sense.
Expected<protocol::Value> answer_to(const protocol::Query& query, const Core& core,
                                    Journal& journal, Duration page_time = kPageTime);

}  // namespace eole::ventilator
