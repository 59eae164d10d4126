#pragma once
#include <memory>
#include <string>
#include <utility>

#include "common/base/within.hpp"
#include "gateway/io/fabric.hpp"

namespace eole::gateway {

/// The ring as somebody asks it: each message says within which prefix of projects that one is
/// (rule T1). Handlers have no other way to ask it, so none can forget for whom.
class Ring {
 public:
  static constexpr Duration kPatience = 10s;   // For an answer of a role.
  static constexpr Duration kOfferedFor = 1s;  // Told, before it is asked again.
  using Answer = Fabric::Answer;

  Ring(Fabric& fabric, Within within) : fabric_(&fabric), within_(std::move(within)) {}
  const Within& within() const { return within_; }

  awaitable<Answer> ventilator(std::string what, TaskId id = {}, protocol::Value options = {},
                               Duration patience = kPatience);
  awaitable<Answer> sink(std::string what, TaskId id = {}, protocol::Value options = {},
                         Duration patience = kPatience);
  /// What connected workers offer, as the ventilator told it last; it is asked again after
  /// kOfferedFor, not for each submit. Null: nothing is known, for it told of no worker, or has
  /// not answered yet. Shared: who has it may still read it when the next comes.
  awaitable<std::shared_ptr<const kinds::OfferedKinds>> offered(Duration patience = kOfferedFor);
  awaitable<Answer> control(std::string what, protocol::Value options);
  awaitable<Answer> control_sink(std::string what, protocol::Value options);
  std::uint64_t random() const;
  awaitable<Answer> cancel(Origin origin, SeqRanges seqs);
  /// Dead letters, kLettersInMessage at most.
  static constexpr std::uint64_t kLettersInMessage = 1000;
  awaitable<Answer> discard(Origin origin, SeqRanges seqs);
  /// A page of the log from `offset` on, of what fits the pattern, as client::Asks answers a read.
  awaitable<Answer> read_log(std::uint64_t offset, std::string pattern = {});

  /// The groups of one submit; a `key` makes it idempotent. Without one what is submitted in one
  /// turn of the loop goes out together, and each hears of its own tasks alone.
  awaitable<client::SubmitEnded> submit(Bytes groups, std::uint32_t count, std::string key);
  void submit(Bytes groups, std::uint32_t count, std::string key, Fabric::OnSubmitted tell);

  /// Waits until the task has ended, or for so long, or until nobody waits any more: its final
  /// record, or null.
  awaitable<Answer> ended(TaskId id, Duration most, Fabric::IsGone is_gone);

 private:
  Fabric* fabric_;
  Within within_;
};

}  // namespace eole::gateway
