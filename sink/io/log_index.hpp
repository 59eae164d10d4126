#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "common/storage/store.hpp"
#include "sink/core/events.hpp"

namespace eole::sink {

constexpr std::uint64_t kPageBytes = 64 << 10;  // Of log. The last batch of a page may go beyond.
constexpr std::size_t kPageRangesMax = 8;       // Then neighbours are taken together.

/// Batches that follow one another in one segment, and what they may hold: at most some 300 bytes
/// of memory for kPageBytes of log.
class Page {
 public:
  Page(std::uint64_t first, storage::Position at) : first_(first), at_(at) {}
  /// The offset of its first record.
  std::uint64_t first() const { return first_; }
  /// Of its first batch.
  storage::Position at() const { return at_; }
  std::int64_t finished_max_unix_ms() const { return finished_max_unix_ms_; }
  /// Records that settle nothing.
  bool has_failures() const { return has_failures_; }
  bool has_letters() const { return has_letters_; }
  /// False: it has no record of this task.
  bool may_have(const TaskId& id) const;
  void add(const Summary& summary);
  /// What lies behind it.
  void add(const Page& next);

  void encode(Bytes& out) const;
  static std::optional<Page> read(ByteReader& reader, std::uint32_t segment);

 private:
  struct Range {
    Origin origin = 0;
    Seq first = 0;
    Seq last = 0;
  };
  void add(const Stretch& stretch);
  void add(Range added);
  void merge_nearest();

  std::uint64_t first_;
  storage::Position at_;
  std::int64_t finished_max_unix_ms_ = INT64_MIN;
  bool has_failures_ = false;
  bool has_letters_ = false;
  bool has_others_ = false;    // Of more origins than there are ranges.
  std::vector<Range> ranges_;  // Ascending, with gaps between them.
};

/// What each segment says of itself, in its first record.
struct SegmentHead {
  std::uint64_t offset = 0;        // Of its first result.
  std::int64_t begun_unix_ms = 0;  // By the sink's clock.
  std::int64_t since_unix_ms = 0;  // No record in it was taken before.
  Bytes encode() const;
  static std::optional<SegmentHead> decode(std::string_view payload);
  bool operator==(const SegmentHead&) const = default;
};

/// Finds places of the log by offset, task and time, a page at a time.
class LogIndex {
 public:
  void add(storage::Position at, const Summary& summary);
  const std::deque<Page>& pages() const { return pages_; }
  /// The page that holds this offset, or would; there is one.
  std::size_t page_of(std::uint64_t offset) const;

  void begin(std::uint32_t segment, const SegmentHead& head) { heads_[segment] = head; }
  const std::map<std::uint32_t, SegmentHead>& heads() const { return heads_; }
  void drop_below(std::uint32_t segment);

  /// What is known of one segment, as it is kept in a file beside it.
  Bytes encode(std::uint64_t log, std::uint32_t segment) const;
  /// Adds that, behind what is there; false (and nothing added) if it is not this segment's, or
  /// damaged.
  bool load(std::string_view encoded, std::uint64_t log, std::uint32_t segment);
  /// Puts what lies before in front.
  void prepend(LogIndex&& older);
  /// Puts what lies behind at the end.
  void append(LogIndex&& newer);

 private:
  bool begins_page(storage::Position at) const;
  std::deque<Page> pages_;
  std::map<std::uint32_t, SegmentHead> heads_;
};

}  // namespace eole::sink
