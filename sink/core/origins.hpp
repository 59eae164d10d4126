#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/protocol/not_done.hpp"
#include "sink/core/checkpoint.hpp"
#include "sink/core/events.hpp"

namespace eole::sink {

/// What is known of each origin: who speaks for it, and which of its tasks are settled.
class Origins {
 public:
  /// Lets a ventilator's start in; true if it is news for the log. Errors: the journal went back,
  /// or another ventilator runs from a copy of it.
  Expected<bool> introduce(const AppendIntroduction& introduction);
  /// What was durable once; nothing is checked.
  void load(const AppendIntroduction& introduction);
  /// A failure of this task is in the log: its number was given out.
  void load_failed(const TaskId& id);
  void load_settled(Origin origin, const protocol::Settlement::Range& range,
                    protocol::TaskState state);

  bool is_introduced(Origin origin) const { return origins_.contains(origin); }
  std::vector<Origin> list() const;
  /// The ventilator gave out the numbers up to `highest`. True if that is news.
  bool announce(Origin origin, std::uint64_t nonce, Seq highest);
  /// Which start of its ventilator was introduced last; zero if none was.
  std::uint32_t start(Origin origin) const;
  /// The highest number that its ventilator gave out; zero if it is not introduced.
  Seq announced(Origin origin) const;
  /// Nothing if `nonce` is the ventilator that introduced `origin` last; else why not.
  std::optional<std::string> why_not_followed(Origin origin, std::uint64_t nonce) const;

  /// Of an origin that was introduced.
  const SeqRanges& settled(Origin origin) const { return origins_.at(origin).settled; }
  /// How those of them ended that were not done.
  const protocol::NotDone& not_done(Origin origin) const { return origins_.at(origin).not_done; }
  /// How many of these tasks were not settled yet.
  std::uint64_t settle(Origin origin, const protocol::Settlement::Range& range,
                       protocol::TaskState state);
  bool is_settled(const TaskId& id) const;
  std::uint64_t settled_count() const;
  /// Of the origin that has most of them.
  std::size_t most_not_done_ranges() const;
  /// Those with tasks that were announced and are not settled.
  std::vector<Origin> unsettled() const;

  void save(SavePlace& place, Bytes& out) const;
  bool load(Part part, std::string_view payload);

 private:
  struct State {
    std::uint32_t start = 0;
    std::uint64_t nonce = 0;
    Seq announced = 0;
    SeqRanges settled;
    protocol::NotDone not_done;
  };
  std::map<Origin, State> origins_;
};

}  // namespace eole::sink
