#pragma once
#include <optional>
#include <string>

#include "common/base/expected.hpp"
#include "common/base/time.hpp"
#include "sink/io/history.hpp"
#include "sink/io/history_filter.hpp"
#include "sink/io/index_file.hpp"

namespace eole::sink {

constexpr Duration kIndexSliceMax = 10ms;  // Of work that nobody waits for, in one go.
constexpr int kIndexShare = 8;             // Of the thread's time: so much is left to others.

/// Finds results by what they are: keeps an index of the log as a reader of it, which lags behind
/// and says how far it is. Nothing is made before somebody asks; what is there can be deleted at
/// any time, and is made anew from the log. The history's thread.
class HistoryIndex {
 public:
  /// `directory`: where it is, or is to be.
  explicit HistoryIndex(std::string directory);
  /// Answers `history` and `counts`, after it has caught up with the log for `time` at most.
  /// Errors: an option that makes no sense, a disk that fails.
  Expected<protocol::Value> answer(const protocol::Query& query, const protocol::Value& options,
                                   History& log, Duration time);
  /// When it wants to go on by itself; nothing if it has caught up with what `log` knows.
  std::optional<TimePoint> due(const History& log) const;
  /// Does that for a moment.
  void work(History& log);

 private:
  std::uint64_t known() const { return file_ ? file_->place().next : 0; }
  std::string path() const { return directory_ + "/history.db"; }
  template <class Act>
  std::optional<Error> attempt(Act&& act);
  void open(History& log);
  void remove();
  void catch_up(History& log, TimePoint until);
  bool cut(const History& log, TimePoint until);
  bool add(const protocol::Records& records, IndexPlace& place, TimePoint until);
  bool add(const protocol::ResultBatch& batch, TimePoint until);
  bool add_words(const protocol::ResultBatch& batch, TimePoint until);

  std::string directory_;
  bool is_wanted_;
  std::optional<IndexFile> file_;
  Block block_;               // The newest one, that may grow.
  std::uint64_t words_to_ = 0;  // Up to that offset it has those of the batch that it is at.
  std::uint64_t cut_to_ = 0;  // The log's oldest offset when all before it was forgotten.
  TimePoint due_{};
};

}  // namespace eole::sink
