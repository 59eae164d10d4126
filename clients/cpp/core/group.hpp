#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/time.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/partition.hpp"

namespace eole::client {

// Events.
struct AttendingReceived {
  protocol::Attending attending;
};
struct GroupRecordsReceived {
  protocol::Records records;
};
struct GroupGoneReceived {
  protocol::Gone gone;
};
struct GroupRefused {
  protocol::Refused refused;
};
/// What the sink published: its log is that long.
struct LogGrew {
  protocol::LogHead head;
};
/// So many bytes of the pieces that were given were gone through.
struct PieceDone {
  std::size_t bytes = 0;
};
/// All that was given is dealt with: commit it.
struct CommitWanted {};
/// What leaves may leave: it was committed, or is not to be.
struct LetGo {};
struct LeaveWanted {};
using GroupEvent = std::variant<AttendingReceived, GroupRecordsReceived, GroupGoneReceived,
                                GroupRefused, LogGrew, PieceDone, CommitWanted, LetGo, LeaveWanted>;

// Actions.
struct SendAttend {
  protocol::Attend attend;
  bool operator==(const SendAttend&) const = default;
};
struct SendGroupRead {
  protocol::Read read;
  bool operator==(const SendGroupRead&) const = default;
};
/// A batch of the log (or none), and how far the log was looked through with it. GroupCore::takes
/// says which of its records are this member's.
struct GivePiece {
  Bytes batch;
  std::uint64_t next = 0;
  bool operator==(const GivePiece&) const = default;
};
/// What was given and not gone through is void: it is read again.
struct DropPieces {
  bool operator==(const DropPieces&) const = default;
};
/// These records are not kept any more: nobody will read them. They are in the place of a piece.
struct TellGone {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  bool operator==(const TellGone&) const = default;
};
/// The sink does not answer (it is still asked), or it is over.
struct GroupTrouble {
  Error error;
  bool is_over = false;
  bool operator==(const GroupTrouble&) const = default;
};
using GroupAction =
    std::variant<SendAttend, SendGroupRead, GivePiece, DropPieces, TellGone, GroupTrouble>;
using GroupActions = std::vector<GroupAction>;

/// A member of a group: says that it is there, reads the partitions that it owns, commits what was
/// dealt with, and lets go of what others are to have (ring rules G1, G2, G4). What it owned in the
/// generation before and still does goes on where it was. Pure.
class GroupCore {
 public:
  static constexpr std::uint32_t kReadBytes = 1 << 20;
  static constexpr std::size_t kPiecesBytesMax = 8 << 20;  // Given and not gone through.
  static constexpr Duration kLetGoWithin = 5s;            // Whoever reads may not be asked sooner.
  static constexpr Duration kPollEvery = 1s;              // If nothing is published to it.
  static constexpr int kSureBeats = 5;  // Halves of heartbeats: less than the sink's patience.

  /// `member`: its name, for people.
  GroupCore(std::string group, RunId run, std::string member, TimePoint now);
  void on_event(GroupEvent event, TimePoint now, GroupActions& out);
  void on_deadline(TimePoint now, GroupActions& out);
  std::optional<TimePoint> next_deadline() const;

  /// Goes through a piece: whether the record is to be handed out, which it then was. Its partition.
  std::optional<std::uint32_t> takes(const protocol::ResultRecord& result, std::uint64_t offset);
  /// The piece was gone through up to there, or what is gone was told.
  void went_to(std::uint64_t next) { given_ = std::max(given_, next); }
  /// The sink still counts on this member: what it owns is nobody else's. If not, nothing is to be
  /// handed out until it has answered.
  bool may_hand_out(TimePoint now) const { return now < sure_until_; }

  /// It knows which partitions it owns.
  bool is_joined() const { return generation_ != 0; }
  /// Something was handed out of what others are to have: they wait for LetGo.
  bool is_to_let_go() const;
  /// All that was to be committed is durable, or others' business.
  bool is_committed() const;
  bool has_left() const { return state_ == State::kLeft; }
  std::uint32_t partitions() const { return count_; }
  std::uint64_t log() const { return log_; }

 private:
  enum class State : std::uint8_t { kIn, kLeaving, kLeft, kOver };
  struct Owned {
    std::uint64_t position = 0;   // All before it was handed out, or lies before given_.
    std::uint64_t committed = 0;  // As the sink said.
    std::uint64_t wanted = 0;     // To be committed.
    std::uint64_t handed = 0;     // Behind the last one that was handed out.
    bool is_leaving = false;      // Then position is all.
  };
  void on(AttendingReceived& event, TimePoint now, GroupActions& out);
  void on(GroupRecordsReceived& event, TimePoint now, GroupActions& out);
  void on(GroupGoneReceived& event, TimePoint now, GroupActions& out);
  void on(GroupRefused& event, TimePoint now, GroupActions& out);
  void on(LogGrew& event, TimePoint now, GroupActions& out);
  void on(PieceDone& event, TimePoint now, GroupActions& out);
  void on(CommitWanted& event, TimePoint now, GroupActions& out);
  void on(LetGo& event, TimePoint now, GroupActions& out);
  void on(LeaveWanted& event, TimePoint now, GroupActions& out);

  std::uint64_t level(const Owned& owned) const {
    return owned.is_leaving ? owned.position : std::max(owned.position, given_);
  }
  void take_generation(const protocol::Attending& told, TimePoint now, GroupActions& out);
  void let_go(TimePoint now, GroupActions& out);
  void read_anew(GroupActions& out);
  void attend(TimePoint now, GroupActions& out);
  void read(TimePoint now, GroupActions& out);
  bool may_read() const;

  State state_ = State::kIn;
  std::string group_;
  RunId run_;
  std::string member_;
  std::uint64_t log_ = 0;
  std::uint64_t generation_ = 0;  // That it has answered, or answers next …
  std::uint64_t told_ = 0;        // … and the latest that it was told.
  std::uint32_t count_ = 0;       // Partitions of the group.
  std::map<std::uint32_t, Owned> owned_;
  Duration attend_every_ = 1s;
  std::uint64_t request_ = 0;   // Of attends.
  std::uint64_t answered_ = 0;  // The latest one that was.
  std::uint64_t let_go_request_ = 0;
  TimePoint attend_at_{};
  TimePoint said_at_{};    // When the latest one was said.
  TimePoint sure_until_{};
  TimePoint silent_at_{};
  std::optional<TimePoint> let_go_at_;

  std::uint64_t at_ = 0;     // Where the log is read on.
  std::uint64_t given_ = 0;  // All below was gone through.
  std::uint64_t head_ = 0;
  std::size_t ahead_bytes_ = 0;
  std::uint64_t read_request_ = 0;
  bool is_reading_ = false;
  TimePoint read_at_{};
};

}  // namespace eole::client
