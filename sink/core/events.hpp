#pragma once
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/seq_ranges.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/records.hpp"

/// What may happen to a sink, and what it may want done.
namespace eole::sink {

using Peer = std::string;

/// Artifacts, as 32 raw bytes each: views into the results that name them, or on their own.
using NamedArtifacts = std::set<std::string_view>;
using MissingArtifacts = std::set<std::string, std::less<>>;

// Events.

/// `missing`: of the artifacts that Settler::artifacts_named has, those that the sink has not.
/// `user`: whose connection brought them; empty over ipc.
struct ResultsReceived {
  protocol::Results results;
  MissingArtifacts missing;
  std::string user;
};
struct VerdictsReceived {
  protocol::Verdicts verdicts;
};
struct IntroduceReceived {
  Peer peer;
  protocol::Introduce introduce;
  SeqRanges settled;
};
struct AnnounceReceived {
  protocol::Announce announce;
};
using Event = std::variant<ResultsReceived, VerdictsReceived, IntroduceReceived, AnnounceReceived>;

// Actions. What is appended is durable before anything else leaves (ring rules D3, L1).

/// Tasks that follow one another, each with a record of the same sort.
struct Stretch {
  Origin origin = 0;
  Seq first = 0;
  Seq last = 0;
  bool is_final = false;
  bool is_dead = false;  // A dead letter.
  bool operator==(const Stretch&) const = default;
};
/// What is to be known of a batch without opening it again.
struct Summary {
  std::uint64_t first_offset = 0;
  std::uint32_t count = 0;
  std::int64_t finished_max_unix_ms = INT64_MIN;
  std::vector<Stretch> stretches;

  void add(const protocol::ResultRun& run);
  bool operator==(const Summary&) const = default;
};
/// What the ventilators of these origins must know.
using Settlements = std::vector<std::pair<Origin, protocol::Settlement>>;
/// One encoded result batch for the log.
struct AppendBatch {
  Bytes batch;
  std::string project;
  Summary summary;
  Settlements settlements;
  bool operator==(const AppendBatch&) const = default;
};
struct AppendIntroduction {
  Origin origin = 0;
  std::uint32_t start = 0;
  std::uint64_t nonce = 0;
  Seq highest = 0;    // Of the tasks that it accepted.
  SeqRanges settled;  // What the ventilator knew already.
  bool operator==(const AppendIntroduction&) const = default;
};
/// A run of a worker, whose results only this key may send from now on.
struct AppendRun {
  RunId run = 0;
  std::string user;
  bool operator==(const AppendRun&) const = default;
};
/// These letters leave the list of dead letters.
struct AppendDiscard {
  Origin origin = 0;
  SeqRanges seqs;
  bool operator==(const AppendDiscard&) const = default;
};
/// Groups as they are now, what changed of one, and cursors that were committed: groups_records.cpp
/// has the layouts.
struct AppendGroups {
  Bytes payload;
  bool operator==(const AppendGroups&) const = default;
};
struct AppendShare {
  Bytes payload;
  bool operator==(const AppendShare&) const = default;
};
struct AppendCommit {
  Bytes payload;
  bool operator==(const AppendCommit&) const = default;
};
struct PublishAck {
  RunId run = 0;
  Origin origin = 0;
  std::uint64_t level = 0;
  bool operator==(const PublishAck&) const = default;
};
struct Reply {
  Peer peer;
  std::variant<protocol::Introduced, protocol::Refused, protocol::Answer, protocol::Attending>
      message;
  bool operator==(const Reply&) const = default;
};

using Action = std::variant<AppendRun, AppendBatch, AppendIntroduction, AppendDiscard, AppendGroups,
                            AppendShare, AppendCommit, PublishAck, Reply>;
using Actions = std::vector<Action>;

}  // namespace eole::sink
