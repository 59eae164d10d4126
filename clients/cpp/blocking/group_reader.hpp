#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "clients/cpp/blocking/waiting.hpp"
#include "clients/cpp/session/group_pieces.hpp"

namespace eole::client {

/// Reads the log as a member of a group, and waits for what comes: each record goes to one member
/// at a time, and again to another only if it was not committed. What next() gave before counts as
/// dealt with when it is called again. One thread.
class GroupReader {
 public:
  enum class Commits : std::uint8_t { kWhatMoves, kNever };
  /// `name`: of the member, for people. `commits`: what was dealt with is committed by itself if
  /// its partition goes to another member, or it is left to that one to do again.
  GroupReader(net::Context& context, const net::ClusterFile& cluster, const std::string& group,
              const std::string& name, Commits commits = Commits::kWhatMoves);

  /// A record; or that some are not kept any more; nothing if neither came within `patience`.
  /// Errors: there is no such group, the log was replaced, or (a silence) the sink does not answer.
  using Next = GroupPieces::Next;
  Expected<Next> next(Duration patience);
  /// Whether next() has something without a wait.
  bool has_more();
  /// All that next() gave is dealt with; waits until that is durable, or others' business.
  Expected<void> commit(Duration patience = kPatienceOfCommits);
  /// That it reads; zero before the first record.
  std::uint64_t log() { return member_.core().log(); }
  /// Leaves the group, so that others go on at once; what was not committed is theirs.
  void leave(Duration patience = kPatienceOfCommits);

  static constexpr Duration kPatienceOfCommits = 30s;

 private:
  Expected<void> wait_for(const std::function<bool()>& is_done, Duration patience);
  std::optional<Error> trouble();

  const Commits commits_;
  GroupPieces pieces_;
  std::optional<GroupTrouble> trouble_;
  Waiting waiting_;
  GroupMember member_;
};

}  // namespace eole::client
