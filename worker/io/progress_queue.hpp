#pragma once
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "common/base/ids.hpp"
#include "common/protocol/messages.hpp"

namespace eole::worker {

/// What people may see of tasks that run, until the loop sends it. Bounded however much a command
/// prints: pieces of one stream become one, the oldest goes, and what follows says how much went.
class ProgressQueue {
 public:
  static constexpr std::size_t kPieceBytes = 64 << 10;
  static constexpr std::size_t kProgressBytesMax = 256 << 10;
  static constexpr std::size_t kProgressPiecesMax = 4096;

  void add(protocol::Progress progress);
  std::deque<protocol::Progress> take();
  /// What was taken and could not be sent: the oldest again.
  void give_back(std::deque<protocol::Progress> entries);
  bool is_empty() const { return entries_.empty(); }
  /// What was dropped of tasks that have ended is not told any more. After take(): an entry that
  /// still waits may be dropped after its task has ended.
  void forget_ended(const std::function<bool(const TaskId&)>& is_running);

 private:
  void drop_oldest();
  using Stream = std::pair<TaskId, std::string>;
  static Stream stream_of(const protocol::Progress& progress) {
    return {{progress.origin, progress.seq}, progress.stream};
  }
  std::deque<protocol::Progress> entries_;
  std::size_t bytes_ = 0;
  std::map<Stream, std::uint64_t> dropped_;  // Bytes, since the last entry of a stream was taken.
};

}  // namespace eole::worker
