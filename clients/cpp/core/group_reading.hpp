#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/time.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/partition.hpp"

namespace eole::client {

/// A batch of the log (or none), and how far the log was looked through with it. GroupCore::takes
/// says which of its records are this member's.
struct GivePiece {
  Bytes batch;
  std::uint64_t next = 0;
  bool operator==(const GivePiece&) const = default;
};
/// These records are not kept any more: nobody will read them.
struct TellGone {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  bool operator==(const TellGone&) const = default;
};

/// How far a member of a group reads the log: one read at a time, no more ahead than there is room
/// for, at once where something is known to be, else now and then. Pure.
class GroupReading {
 public:
  static constexpr std::uint32_t kReadBytes = 1 << 20;
  static constexpr std::size_t kPiecesBytesMax = 8 << 20;  // Given and not gone through.
  static constexpr Duration kPollEvery = 1s;               // If nothing is published to it.

  /// From there on; what was given and what was asked for before is void.
  void begin(std::uint64_t offset);
  /// The next read of this log, if one is due.
  std::optional<protocol::Read> next(std::uint64_t log, const protocol::Partitions& partitions,
                                     TimePoint now);
  /// Errors: it is malformed. What nobody asked for gives nothing.
  Expected<std::vector<GivePiece>> take(const protocol::Records& records, TimePoint now);
  /// They are told once, and then count as read.
  std::optional<TellGone> take(const protocol::Gone& gone);
  /// The log is that long, says who publishes to it.
  void grow(std::uint64_t head, TimePoint now);
  /// So many bytes of the pieces were gone through.
  void end_piece(std::size_t bytes) { ahead_bytes_ -= std::min(ahead_bytes_, bytes); }
  /// What was not answered is asked for again.
  void on_deadline(TimePoint now) { is_asked_ = is_asked_ && now < due_; }
  /// If there is somebody to read for.
  std::optional<TimePoint> next_deadline() const;

  /// All below was gone through.
  std::uint64_t given() const { return given_; }
  void went_to(std::uint64_t next) { given_ = std::max(given_, next); }

 private:
  bool has_room() const { return ahead_bytes_ < kPiecesBytesMax; }

  std::uint64_t at_ = 0;  // Where the log is read on.
  std::uint64_t given_ = 0;
  std::uint64_t head_ = 0;
  std::size_t ahead_bytes_ = 0;
  std::uint64_t request_ = 0;
  bool is_asked_ = false;
  TimePoint due_{};
};

}  // namespace eole::client
