#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/time.hpp"
#include "common/protocol/partition.hpp"
#include "sink/core/checkpoint.hpp"
#include "sink/core/events.hpp"
#include "sink/core/log_rates.hpp"

namespace eole::sink {

constexpr std::size_t kGroupsMax = 10'000;      // Some 500 bytes each, and 24 for each partition.
constexpr std::size_t kMembersMax = 256;        // Of one group: more have nothing to read.
constexpr std::size_t kMembersOfKeyMax = kMembersMax / 2;  // Of one group: others find room.
constexpr std::size_t kGroupNameBytesMax = 255; // As of a project.
constexpr Duration kAttendEvery = 2s;           // What members are told.
constexpr Duration kMemberGone = 7s;            // Silent for so long: three beats, and some.
constexpr Duration kLetGoWithin = 30s;          // Of what a new generation takes from a member.
constexpr Duration kShareEvery = 1s;            // Whoever comes and goes meanwhile is shared with.
constexpr Duration kGroupIdle = 3600s;          // Without a member for so long: holds nothing.

/// A member as people are told of it.
struct MemberView {
  std::string name;
  Duration silent{};                 // Since it was heard.
  std::uint32_t partitions = 0;      // That it owns.
  std::uint64_t unacknowledged = 0;  // As it said.
};

/// What a group is told of to people, and what is counted of it from.
struct GroupView {
  std::string name;
  std::uint64_t generation = 0;
  std::vector<MemberView> members;           // Those that it is shared with.
  std::vector<std::uint64_t> cursors;        // By partition …
  std::vector<std::string> owners;           // … and likewise; empty: none.
  bool is_settled = true;                    // Nobody comes or goes, or is to have what others own.
  bool is_holding = true;                    // The log is kept for it.
  std::uint64_t commits = 0;                 // Since this process began …
  std::uint64_t redelivered = 0;  // … as what members that are gone had not acknowledged.
};

/// Groups of readers, which share the log among their members: who owns which partition, and what
/// each has committed there (ring rules G1, G2, G3, G5, G6, G7). Pure; what is told is appended
/// first.
class Groups {
 public:
  // Loading, in the log's order; false if it makes no sense.
  bool load(std::string_view payload);
  bool load_commit(std::string_view payload);
  bool load_share(std::string_view payload);
  void save(SavePlace& place, Bytes& out) const;
  /// All members have the whole of their time again: nobody listened before.
  void start(TimePoint now);

  /// `user`: its key; empty over ipc. Who joins sooner than it may is not answered, and says it
  /// again. Errors: no such group, another key's run, or a bound.
  Expected<void> attend(const Peer& peer, const std::string& user, const protocol::Attend& said,
                        std::uint64_t log, std::uint64_t head, TimePoint now, Actions& out);
  /// False: it was there already, as it is. Errors: a bound, or it is there with other partitions.
  Expected<bool> create(std::string_view name, std::uint32_t partitions, std::uint64_t offset,
                        TimePoint now, Actions& out);
  /// Sets all cursors; nothing if the latest `wish` (not zero) that did was this one. False: there
  /// is no such group.
  bool move(std::string_view name, std::uint64_t offset, std::uint64_t wish, std::uint64_t log,
            TimePoint now, Actions& out);
  bool remove(std::string_view name, Actions& out);
  /// The members of that name are not heard any more: they are refused, and gone like who is
  /// silent, which they may not have heard sooner. How many they are; nothing: there is no such
  /// group.
  std::optional<std::size_t> remove_member(std::string_view name, std::string_view member);
  /// What members say is not heard now, so their silence counts for nothing.
  void stop_listening() { is_listening_ = false; }
  /// Whoever is silent is a member no more; what changed is shared anew.
  void on_deadline(TimePoint now, std::uint64_t log, Actions& out);
  /// When the next one falls silent, or something is to be shared.
  std::optional<TimePoint> next_deadline() const;

  /// From where on groups that somebody reads for, or did within kGroupIdle, have not committed.
  std::uint64_t held_from(std::uint64_t head, TimePoint now) const;
  /// Those that did not commit what lies below `offset`, and hold it; some, if they are many.
  std::vector<std::string> holders(std::uint64_t offset, TimePoint now) const;
  /// By name, behind `after`, at most `most`, whose names begin with `prefix`.
  std::vector<GroupView> list(std::string_view prefix, std::string_view after, std::size_t most,
                              TimePoint now) const;
  std::optional<GroupView> find(std::string_view name, TimePoint now) const;
  std::size_t count() const { return groups_.size(); }

 private:
  struct Member {
    std::string name;
    std::string user;
    bool is_shared_with = false;  // If not, it owns nothing yet.
    Peer peer;
    TimePoint heard{};
    std::uint64_t unacknowledged = 0;
    std::optional<TimePoint> must_answer;  // It is told of a new generation.
    TimePoint due{};                       // Its place in due_.
    void put(Bytes& out, RunId run) const;
  };
  /// Members by their runs; zero: none.
  struct Partition {
    std::uint64_t cursor = 0;
    RunId owner = 0;
    RunId next = 0;  // Another one: once the owner has let go of it.
    void put(Bytes& out) const;
    static Partition read(ByteReader& reader);
    bool operator==(const Partition&) const = default;
  };
  struct Group {
    std::uint64_t number = 0;  // Its first generation: no other group ever has it.
    std::string name;
    std::uint64_t generation = 0;
    std::uint64_t moved = 0;  // The generation in which a person set the cursors last …
    std::uint64_t wish = 0;   // … and the number of the wish, if it has one.
    std::uint64_t commits = 0;
    std::uint64_t redelivered = 0;
    std::map<RunId, Member> members;
    std::map<RunId, Member> gone;  // Members no more: it is to be shared without them.
    std::deque<RunId> removed;     // By a person, since this process began: the last kMembersMax.
    TimePoint shared{};
    std::vector<Partition> partitions;
    TimePoint attended{};
    std::uint64_t lowest() const;
    void read_member(ByteReader& reader);
    /// Who is no member owns nothing.
    void drop_strangers();
  };
  using ByNumber = std::map<std::uint64_t, Group>;

  Group* find(std::string_view name);
  void commit(Group& group, RunId run, const std::vector<protocol::PartitionCursor>& cursors,
              std::uint64_t head, Actions& out);
  void let_go(Group& group, RunId run, std::uint64_t log, Actions& out);
  /// Nothing, or why nobody may join by this key.
  std::optional<Error> why_full(const Group& group, const std::string& user) const;
  static bool is_removed(const Group& group, RunId run);
  /// May it, for what that writes?
  bool may_join(const Group& group, const std::string& user, const std::string& name,
                TimePoint now);
  /// At once, or with what else changes within kShareEvery.
  void share_soon(Group& group, std::uint64_t log, TimePoint now, Actions& out);
  /// Shares the partitions anew: a new generation, of which all are told.
  void share(Group& group, std::vector<Partition> before, std::uint64_t log, TimePoint now,
             Actions& out);
  static void deal(Group& group);
  /// A record of those who came and went, and of the partitions that are not as before.
  static void append_share(const Group& group, const std::vector<Partition>& before,
                           const std::map<RunId, Member>& went, const std::set<RunId>& came,
                           Actions& out);
  void tell(const Group& group, RunId run, std::uint64_t request, std::uint64_t log,
            Actions& out) const;
  void append(const Group& group, Actions& out) const;
  static void put(Bytes& out, const Group& group);
  GroupView view_of(const Group& group, TimePoint now) const;
  bool holds(const Group& group, TimePoint now) const;
  void set_due(const Group& group, RunId run, Member& member);
  void forget(Group& group, RunId run);

  ByNumber groups_;
  std::map<std::string, std::uint64_t, std::less<>> numbers_;  // By name.
  std::uint64_t last_generation_ = 0;                          // Of all groups, also of those gone.
  struct Due {
    TimePoint at{};
    std::uint64_t group = 0;
    RunId run = 0;
    auto operator<=>(const Due&) const = default;
  };
  std::set<Due> due_;  // Of run zero: the group is to be shared anew.
  // By key, kLogPeersMax of them: as much is written for members that join as for lines.
  LogRates joins_;
  TimePoint looked_{};
  bool is_listening_ = true;
};

}  // namespace eole::sink
