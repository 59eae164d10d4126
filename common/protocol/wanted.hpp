#pragma once
#include <optional>

#include "common/base/topics.hpp"
#include "common/base/within.hpp"
#include "common/protocol/partition.hpp"
#include "common/protocol/records.hpp"

namespace eole::protocol {

/// Which results somebody wants: of the projects within, those whose topic fits a pattern, and that
/// may be in some of a group's partitions.
class Wanted {
 public:
  explicit Wanted(Within within = {}, std::optional<TopicPattern> pattern = {},
                  std::optional<Partitions> partitions = {})
      : within_(std::move(within)), pattern_(std::move(pattern)), partitions_(partitions) {}
  bool is_all() const { return within_.is_all() && !pattern_ && !partitions_; }
  /// Any of its results.
  bool may_have(const ResultRun& run) const {
    return (!partitions_ || partitions_->may_have(run)) && has(run.first);
  }
  /// Whatever its partition.
  bool has(const ResultRecord& result) const;

 private:
  Within within_;
  std::optional<TopicPattern> pattern_;
  std::optional<Partitions> partitions_;
};

/// The state that a topic and people are told: a failure that is not final is "retrying", and what
/// became of one of two copies, of which the other counts, is a "copy".
std::string_view state_of(const ResultRecord& result);

/// Appends what is wanted of a batch, as batches without gaps, each after its size: the rest lies
/// between them, and neither run nor level tells of it (ring rule T1).
void put_wanted(Bytes& out, const ResultBatch& batch, const Wanted& wanted);

}  // namespace eole::protocol
