#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "clients/cpp/core/group_reading.hpp"
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
/// What was given and not gone through is void: it is read again.
struct DropPieces {
  bool operator==(const DropPieces&) const = default;
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
  static constexpr Duration kLetGoWithin = 5s;  // Whoever reads may not be asked sooner.
  static constexpr int kSureBeats = 5;  // Halves of heartbeats: less than the sink's patience.

  /// `member`: its name, for people. `within`: the prefix of projects of whom it reads for.
  GroupCore(std::string group, RunId run, std::string member, TimePoint now,
            std::string within = {});
  void on_event(GroupEvent event, TimePoint now, GroupActions& out);
  void on_deadline(TimePoint now, GroupActions& out);
  std::optional<TimePoint> next_deadline() const;

  /// Goes through a piece: the record's partition if it is to be handed out, which it then was.
  std::optional<std::uint32_t> takes(const protocol::ResultRecord& result, std::uint64_t offset);
  /// The piece was gone through up to there, or what is gone was told.
  void went_to(std::uint64_t next) { reading_.went_to(next); }
  /// The sink still counts on this member: what it owns is nobody else's. If not, nothing is to be
  /// handed out until it has answered.
  bool may_hand_out(TimePoint now) const { return now < beats_.sure_until; }

  /// It knows which partitions it owns.
  bool is_joined() const { return generation_ != 0; }
  /// The latest that it was told of.
  std::uint64_t generation() const { return told_; }
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
    std::uint64_t position = 0;   // All before it was handed out, or before what was gone through.
    std::uint64_t committed = 0;  // As the sink said.
    std::uint64_t wanted = 0;     // To be committed.
    std::uint64_t handed = 0;     // Behind the last one that was handed out.
    std::uint64_t unacknowledged = 0;  // So many were handed out since, not yet to be committed.
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
    return owned.is_leaving ? owned.position : std::max(owned.position, reading_.given());
  }
  void take_generation(const protocol::Attending& told, TimePoint now, GroupActions& out);
  void let_go(TimePoint now, GroupActions& out);
  void read_anew(GroupActions& out);
  void attend(TimePoint now, GroupActions& out);
  void read(TimePoint now, GroupActions& out);
  /// Nothing that it said waits for an answer: what is said anew is not one more of many.
  bool is_answered() const { return beats_.answered == beats_.request; }
  /// It owns something that it keeps.
  bool has_any() const;

  State state_ = State::kIn;
  std::string group_;
  RunId run_;
  std::string member_;
  std::string within_;
  std::uint64_t log_ = 0;
  std::uint64_t generation_ = 0;  // That it has answered, or answers next …
  std::uint64_t told_ = 0;        // … and the latest that it was told.
  std::uint32_t count_ = 0;       // Partitions of the group.
  std::map<std::uint32_t, Owned> owned_;
  /// What it says to the sink, again and again.
  struct Beats {
    Duration every = 1s;
    std::uint64_t request = 0;   // The latest …
    std::uint64_t answered = 0;  // … and the latest that was answered.
    TimePoint due{};
    TimePoint said{};        // When the latest one was.
    TimePoint sure_until{};  // The sink counts on this member.
    TimePoint silent_at{};   // The sink has said nothing for long.
  };
  Beats beats_;
  /// It is told of a generation that takes something from it.
  struct LettingGo {
    std::uint64_t request = 0;  // That answers it.
    std::optional<TimePoint> due = {};
  };
  LettingGo letting_go_;
  GroupReading reading_;
};

}  // namespace eole::client
