#pragma once
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/time.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/value.hpp"
#include "sink/io/result_log.hpp"

namespace eole::sink {

constexpr Duration kPageTime = 20ms;  // Of one answer: results must go on meanwhile.

/// What a sink's log is judged by.
struct LogStatus {
  Retention retention;
  std::int64_t unix_ms = 0;  // The time.
  /// Ventilators for which the log is not kept: they said nothing for long.
  std::vector<Origin> gone;
};

/// What a sink answers to people, from its log. Lists come in pages of bounded size and time.
/// Errors: no such query, or an option that makes no sense.
Expected<protocol::Value> answer_to(const protocol::Query& query, const ResultLog& log,
                                    const LogStatus& judged, Duration page_time = kPageTime);

}  // namespace eole::sink
