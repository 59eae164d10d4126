#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/topics.hpp"
#include "common/base/time.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/records.hpp"

namespace eole::client {

/// A place in the log, to go on from: all before it was read. `log` and `crc` zero: not known.
struct Cursor {
  std::uint64_t log = 0;
  std::uint64_t offset = 0;
  std::uint32_t crc = 0;  // Of the batch before it.
  bool operator==(const Cursor&) const = default;
};

// Events.
/// The answer to AskHead.
struct HeadTold {
  std::uint64_t request = 0;
  std::uint64_t head = 0;
};
struct NotificationReceived {
  protocol::Notification notification;
};
struct LogHeadReceived {
  protocol::LogHead head;
};
struct RecordsReceived {
  protocol::Records records;
};
struct ReadRefused {
  protocol::Refused refused;
};
struct ReadGone {
  protocol::Gone gone;
};
/// So many bytes of the batches handed out were taken by whom they are for.
struct BatchesTaken {
  std::size_t bytes = 0;
};
using ReadEvent = std::variant<HeadTold, NotificationReceived, LogHeadReceived, RecordsReceived,
                               ReadRefused, ReadGone, BatchesTaken>;

// Actions.
/// Ask the sink for the log's head.
struct AskHead {
  std::uint64_t request = 0;
  bool operator==(const AskHead&) const = default;
};
struct SendRead {
  protocol::Read read;
  bool operator==(const SendRead&) const = default;
};
/// The next batch of the log, and where to go on behind it. Of the first one, what lies before the
/// offset that was asked for is to be skipped.
struct TakeBatch {
  Bytes batch;
  Cursor behind;
  bool operator==(const TakeBatch&) const = default;
};
/// The sink does not answer; it is still asked.
struct ReadSilent {
  Error error;
  bool operator==(const ReadSilent&) const = default;
};
/// This log cannot be read on: it was replaced, or what was to be read is gone. Nothing follows.
struct ReadEnded {
  Error error;
  std::optional<std::uint64_t> kept_from{};  // If that is all: another reader may go on there.
  bool operator==(const ReadEnded&) const = default;
};
using ReadAction = std::variant<AskHead, SendRead, TakeBatch, ReadSilent, ReadEnded>;
using ReadActions = std::vector<ReadAction>;

/// Follows the sink's log without a gap: by its publications, and by reading from the log itself
/// what none of them brought. Each batch comes once and in order. A sink that is away or starts
/// again is waited for, a log that is not the same any more ends it. A reader whose key is bound to
/// a prefix of projects hears no publications and reads every moment; others' results are gaps
/// between its batches, and where they are the last ones a batch without results says how far it
/// is. So are results whose topics do not fit its pattern. Pure.
class ReadCore {
 public:
  static constexpr std::uint32_t kReadBytes = 1 << 20;
  static constexpr Duration kReadEvery = 100ms;  // Of a reader that hears no publications.
  static constexpr std::size_t kAheadBytesMax = 16 << 20;    // Published behind a gap, and kept.
  static constexpr std::size_t kUntakenBytesMax = 64 << 20;  // Then the reader falls behind.

  /// `from`: where to go on; nothing: only what comes from now on. `pattern`: of topics; nothing:
  /// all.
  ReadCore(const std::optional<Cursor>& from, TimePoint now,
           std::optional<TopicPattern> pattern = {});
  void on_event(ReadEvent event, TimePoint now, ReadActions& out);
  void on_deadline(TimePoint now, ReadActions& out);
  std::optional<TimePoint> next_deadline() const;
  /// Behind all that was handed out.
  const Cursor& cursor() const { return cursor_; }
  /// The first offset that is wanted: what lies before it in the first batch is to be skipped.
  std::uint64_t from() const { return from_; }
  /// Knows the log's id and where it begins: nothing that comes from now on is missed.
  bool is_open() const { return state_ == State::kOpen; }

 private:
  enum class State : std::uint8_t { kAskingHead, kOpening, kOpen, kOver };
  void on(HeadTold& event, TimePoint now, ReadActions& out);
  void on(NotificationReceived& event, TimePoint now, ReadActions& out);
  void on(LogHeadReceived& event, TimePoint now, ReadActions& out);
  void on(RecordsReceived& event, TimePoint now, ReadActions& out);
  void on(ReadRefused& event, TimePoint now, ReadActions& out);
  void on(ReadGone& event, TimePoint now, ReadActions& out);
  void on(BatchesTaken& event, TimePoint now, ReadActions& out);
  bool has_room() const { return untaken_bytes_ < kUntakenBytesMax; }
  void ask(TimePoint now);
  bool reads_on() const { return is_within_ && state_ == State::kOpen && !is_asking_; }
  bool leaves_out() const { return is_within_ || pattern_; }
  void take(Bytes batch, std::uint64_t next, ReadActions& out);
  /// Of a batch what fits the pattern.
  void take_wanted(Bytes batch, std::uint64_t next, ReadActions& out);
  /// All before `next` was looked at: others' results, or none that fits.
  void skip_to(std::uint64_t next, ReadActions& out);
  void take_ahead(ReadActions& out);
  void end(Error error, ReadActions& out, std::optional<std::uint64_t> kept_from = {});

  State state_;
  std::optional<TopicPattern> pattern_;
  Cursor cursor_;
  std::uint64_t from_;
  std::uint64_t head_ = 0;
  std::map<std::uint64_t, Bytes> ahead_;  // By first offset: what lies behind a gap.
  std::size_t ahead_bytes_ = 0;
  std::size_t untaken_bytes_ = 0;
  std::uint64_t request_ = 0;
  bool is_asking_ = false;
  bool is_within_ = false;  // A prefix: it is told nothing that it does not ask for.
  TimePoint repeat_at_{};
  TimePoint silent_at_{};
};

}  // namespace eole::client
