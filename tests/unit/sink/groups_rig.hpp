#pragma once
#include <catch2/catch.hpp>

#include "sink/core/groups.hpp"

namespace eole::sink {

using protocol::PartitionCursor;
using Cursors = std::vector<PartitionCursor>;

constexpr TimePoint kStart = TimePoint(1000s);
constexpr std::uint64_t kLog = 7;
constexpr std::uint64_t kHead = 100;
constexpr std::uint64_t kNumber = 1;  // Of the group: its first generation.
inline const Cursors kAll{{0, 10}, {1, 10}, {2, 10}, {3, 10}};

/// A partition as a record of a share has it.
struct Dealt {
  std::uint16_t partition = 0;
  std::uint64_t cursor = 0;
  RunId owner = 0;
  RunId next = 0;
};
inline const std::vector<Dealt> kAllToOne{
    {0, 10, 1, 0}, {1, 10, 1, 0}, {2, 10, 1, 0}, {3, 10, 1, 0}};

inline Action shared(std::uint64_t generation, const std::vector<RunId>& went,
                     const std::vector<RunId>& came, const std::vector<Dealt>& dealt,
                     std::string_view user = "") {
  AppendShare share;
  for (const auto number : {kNumber, generation, kNumber, std::uint64_t{0}})
    put<std::uint64_t>(share.payload, number);
  put<std::uint16_t>(share.payload, static_cast<std::uint16_t>(went.size()));
  put<std::uint16_t>(share.payload, static_cast<std::uint16_t>(came.size()));
  for (const auto run : went) put<RunId>(share.payload, run);
  for (const auto run : came) {
    put<RunId>(share.payload, run);
    share.payload += "\1m";
    put<std::uint8_t>(share.payload, static_cast<std::uint8_t>(user.size()));
    share.payload += user;
  }
  for (const auto& one : dealt) {
    put<std::uint16_t>(share.payload, one.partition);
    put<std::uint64_t>(share.payload, one.cursor);
    put<RunId>(share.payload, one.owner);
    put<RunId>(share.payload, one.next);
  }
  return share;
}

inline Action committed(const Cursors& cursors) {
  AppendCommit commit;
  put<std::uint64_t>(commit.payload, kNumber);
  commit.payload += protocol::encode_cursors(cursors);
  return commit;
}

inline Action told(RunId run, std::uint64_t request, std::uint64_t generation, const Cursors& owned,
                   std::uint32_t heartbeat_ms = 2000) {
  return Reply{std::to_string(run),
               protocol::Attending{request, kLog, generation, kNumber, heartbeat_ms, 4,
                                   protocol::encode_cursors(owned)}};
}
inline Action answered(RunId run, std::uint64_t generation, const Cursors& owned) {
  return told(run, 1, generation, owned);
}
inline Action unasked(RunId run, std::uint64_t generation, const Cursors& owned) {
  return told(run, 0, generation, owned);
}
inline Action bidden_farewell(RunId run, std::uint64_t generation) {
  return told(run, 1, generation, {}, 0);
}

inline Bytes saved(const Groups& groups) {
  SavePlace place{Part::kGroups};
  Bytes out;
  groups.save(place, out);
  return out;
}

/// A group of four partitions that begins at offset 10, and what is said to it.
struct GroupsRig {
  Groups groups;
  TimePoint now = kStart;
  Actions out;
  GroupsRig() {
    groups.start(now);
    REQUIRE(*groups.create("g", 4, 10, now, out));
  }
  Expected<void> say(RunId run, std::uint64_t generation, const Cursors& commits, bool is_leaving,
                     const std::string& user, const std::string& name = "m",
                     std::uint64_t unacknowledged = 0) {
    out.clear();
    const protocol::Attend said{1,
                                "g",
                                run,
                                name,
                                generation,
                                is_leaving ? std::uint8_t{1} : std::uint8_t{0},
                                protocol::encode_cursors(commits),
                                {},
                                unacknowledged};
    return groups.attend(std::to_string(run), user, said, kLog, kHead, now, out);
  }
  void attend(RunId run, std::uint64_t generation, const Cursors& commits = {},
              const std::string& user = "") {
    REQUIRE(say(run, generation, commits, false, user));
  }
  void leave(RunId run, std::uint64_t generation, const Cursors& commits = {},
             const std::string& user = "") {
    REQUIRE(say(run, generation, commits, true, user));
  }
  void pass(Duration time) {
    now += time;
    out.clear();
    groups.on_deadline(now, kLog, out);
  }
  /// Runs 1 and 2 are members; 1 owns all, half of which is to be 2's once 1 answers generation 3.
  void join_two() {
    attend(1, 0);
    attend(2, 0);
    pass(kShareEvery);
  }
  GroupView view() const { return *groups.find("g", now); }
  Groups loaded() const {
    Groups again;
    REQUIRE(again.load(saved(groups)));
    again.start(now);
    return again;
  }
};

}  // namespace eole::sink
