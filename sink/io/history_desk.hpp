#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sink/io/answers.hpp"
#include "sink/io/line_store.hpp"

namespace eole::sink {

/// Questions that wait, with what keeping each costs: of all, and of one who asks.
constexpr std::size_t kAskedBytesMax = 16 << 20;
constexpr std::size_t kAskedOfOneBytesMax = 1 << 20;
/// What was logged and is not in the store yet; more is left out.
constexpr std::size_t kLinesWaitingBytesMax = 1 << 20;
/// Answers that the node has not taken: beyond it no further question is looked at.
constexpr std::size_t kAnsweredBytesMax = 16 << 20;

/// The history let go of this segment, which had these listed letters.
struct Released {
  std::uint32_t segment = 0;
  std::map<Origin, SeqRanges> letters;
};

/// Between the node, which settles, and the history, which reads: the node leaves news, questions
/// and what may be dropped, and takes what came of it; it never waits. Questions are answered in
/// turns, one of each who asks. Every function is thread-safe, but `due` is the node's.
class HistoryDesk {
 public:
  /// `page_time`: of the clock that everybody has; beyond it the next page begins.
  explicit HistoryDesk(Duration page_time = kPageTime);
  ~HistoryDesk();
  HistoryDesk(const HistoryDesk&) = delete;
  HistoryDesk& operator=(const HistoryDesk&) = delete;

  // The node's side.
  void tell(LogNews&& news);
  /// False if too much waits: nothing is done, and who asks asks again. One that waits already is
  /// not taken twice.
  bool ask(Question&& question);
  /// What a role logged: goes to the store when there is time for it.
  void keep(LineBatch&& batch);
  /// The segments up to this one are to be dropped, a level; Released says when they may be, once:
  /// whoever asks again until they are dropped changes nothing.
  void release(std::uint32_t segment);
  struct Taken {
    std::vector<Answer> answers;
    std::optional<Released> released;
  };
  Taken take();
  /// Readable when there is something to take; `due` is for a poller.
  int fd() const { return fd_; }
  bool& due() { return is_due_; }
  /// Nothing waits, for the history or for the node.
  bool is_idle() const;

  // The history's side.
  /// Gives it the news, and does the next piece of what is to be done; false if there was none, or
  /// no room for an answer. The index goes on if it is due; without `lines` what was logged goes.
  bool serve(History& history, HistoryIndex* index = nullptr, LineStore* lines = nullptr);
  /// Until there is something to do, or that time; false once it is over.
  bool wait(std::optional<TimePoint> until = {});
  void stop();

 private:
  struct Waiting {
    std::deque<Question> questions;
    std::size_t bytes = 0;
  };
  bool has_work() const;
  std::optional<Question> next_question();

  const Duration page_time_;
  int fd_;
  bool is_due_ = false;
  mutable std::mutex mutex_;
  std::condition_variable work_;
  LogNews news_;
  bool has_pages_ = false;  // The news say of a segment that it is full.
  std::map<Peer, Waiting> waiting_;
  std::size_t asked_bytes_ = 0;
  std::deque<LineBatch> lines_;
  std::size_t lines_bytes_ = 0;
  std::uint64_t lines_left_out_ = 0;
  Peer served_;  // Whose question was the last one.
  std::uint32_t to_release_ = 0;
  std::uint32_t asked_to_release_ = 0;  // The last one ever.
  bool is_answering_ = false;
  Taken done_;
  std::size_t answered_bytes_ = 0;
  bool is_over_ = false;
};

}  // namespace eole::sink
