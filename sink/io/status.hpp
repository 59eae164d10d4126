#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/expected.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/value.hpp"
#include "sink/io/answers.hpp"
#include "sink/io/result_log.hpp"

namespace eole::sink {

/// What a sink's log is judged by.
struct LogStatus {
  Retention retention;
  std::int64_t unix_ms = 0;  // The time.
  /// Ventilators for which the log is not kept: they said nothing for long.
  std::vector<Origin> gone;
  SyncTimes commits;  // Writes to the log that were synced.
  std::vector<std::string> held_by = {};  // Groups without which the oldest results would go.
};

/// What is known without a look into the log: it is kept, not counted. Nothing if that is not what
/// is asked for. Errors: an option that makes no sense.
std::optional<Expected<protocol::Value>> answer_at_once(const protocol::Query& query,
                                                        const ResultLog& log,
                                                        const LogStatus& judged);

/// What the history gets to know for its answer.
Known known_to(const protocol::Query& query, const ResultLog& log, TimePoint now);
/// Groups of one page.
constexpr std::size_t kPageGroupsMax = 1000;

}  // namespace eole::sink
