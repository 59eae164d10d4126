#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/within.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/value.hpp"
#include "sink/core/words.hpp"
#include "sink/io/index_file.hpp"

/// What is asked of the history, and how it is told.
namespace eole::sink {

constexpr std::int64_t kPageRowsMax = 1000;
constexpr std::int64_t kBriefRowsMax = 20'000;  // Of rows that say the state alone.
constexpr std::int64_t kStepsMax = 1000;
constexpr std::size_t kSearchBytesMax = 256;    // The words that are looked for.
constexpr std::size_t kIndexedBytesMax = 2048;  // Of the text of a result, for these words.
constexpr std::size_t kRowErrorBytesMax = 1024;

/// Which results are wanted.
struct HistoryFilter {
  std::vector<std::int64_t> states;  // As of a ResultClass; none: every final one.
  std::string kind;                  // Empty, as the next two: any.
  std::string project;
  std::string worker;
  std::string key;    // That orders the task.
  Within within;      // Besides the project.
  std::string search;  // Words that all are in its error, reasons, arguments or value,
  std::vector<std::string> words;  // and each of them folded.
  std::int64_t since_unix_ms = INT64_MIN;
  std::int64_t until_unix_ms = INT64_MAX;
  std::int64_t ran_ms = 0;   // At least.
  std::int64_t step_ms = 0;  // Of counts over time.
  std::size_t limit = 100;
  bool is_brief = false;             // Rows say their offset, id and state.
  std::uint64_t before = INT64_MAX;  // An offset.

  /// Errors: an option that is not known, or makes no sense.
  static Expected<HistoryFilter> from(const protocol::Value& options);
  bool wants(const protocol::ResultRecord& result, std::string_view worker) const;
  bool has_state(std::int64_t state) const;
  /// But for its state and words.
  bool is_of(const protocol::ResultRecord& result, std::string_view worker) const;
  bool has_words(const protocol::ResultRecord& result) const;
};

std::int64_t state_of(const protocol::ResultRecord& result);
std::string_view state_name(std::int64_t state);

/// A result in a line: offset, id, kind, project, state, worker, attempts, began (if a worker told
/// of it) and ended (Unix ms), summary, and the error if there is one.
protocol::Value row_of(const protocol::ResultRecord& result, std::string_view worker,
                       std::uint64_t offset);
/// What is looked for in it, folded: its error and reasons, its arguments, its value in a line.
std::string words_of(const protocol::ResultRecord& result);

}  // namespace eole::sink
