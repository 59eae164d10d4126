#pragma once
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/time.hpp"
#include "worker/core/events.hpp"

namespace eole::gateway {

/// A task in the hands of a puller, until it says how that ended, or lets the time pass.
struct Leased {
  std::string lease;  // What it is called; nobody can guess it.
  worker::StartTask task;
  Duration time{};  // Given each time.
  TimePoint until{};
};

/// The tasks of one kind that pullers have, and who waits for more. A worker core starts a task
/// only for somebody who waits: slots() says for how many. Pure.
class Leases {
 public:
  static constexpr std::uint32_t kLeasesMax = 1024;  // Given and waited for.
  static constexpr std::size_t kEndedMax = 1024;     // Acknowledged, and remembered.

  using Ask = std::uint64_t;
  /// Somebody waits for up to `most` tasks, each for `time`. False: too many are given and waited
  /// for already.
  bool ask(Ask ask, std::uint32_t most, Duration time);
  /// Who has waited longest.
  std::optional<Ask> first() const {
    return waiting_.empty() ? std::nullopt : std::optional(waiting_.front().ask);
  }
  /// It waits no more; what was given to it stays its own.
  void forget(Ask ask);
  std::uint32_t slots() const { return static_cast<std::uint32_t>(leased_.size()) + wanted_; }

  struct Given {
    Ask ask = 0;
    const Leased* leased = nullptr;
  };
  /// A task for who has waited longest; nothing if nobody waits.
  std::optional<Given> give(const worker::StartTask& task, std::string lease, TimePoint now);
  const Leased* find(std::string_view lease) const;
  /// Its time begins anew; `time` zero: as long as before. Null: it is nobody's any more.
  const Leased* renew(std::string_view lease, Duration time, TimePoint now);
  /// Its holder says how it ended.
  std::optional<Leased> end(std::string_view lease);
  /// It was ended not long ago: who says so again did not hear the answer.
  bool has_ended(std::string_view lease) const { return ended_.contains(lease); }
  /// It must not go on: its holder has it no more.
  std::optional<Leased> revoke(const TaskId& id);
  /// Those whose time is over.
  std::vector<Leased> take_lapsed(TimePoint now);
  std::optional<TimePoint> next_deadline() const;
  /// Nobody has any, nobody waits.
  bool is_empty() const { return slots() == 0; }

 private:
  struct Waiting {
    Ask ask = 0;
    std::uint32_t most = 1;
    Duration time{};
  };
  using Entries = std::map<std::string, Leased, std::less<>>;
  Leased remove(Entries::iterator entry);

  Entries leased_;
  std::map<TaskId, std::string> of_task_;
  std::set<std::pair<TimePoint, std::string>> deadlines_;
  std::list<Waiting> waiting_;
  std::uint32_t wanted_ = 0;
  std::set<std::string, std::less<>> ended_;
  std::list<std::string> ended_order_;
};

}  // namespace eole::gateway
