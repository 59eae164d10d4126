#pragma once
#include <string>
#include <variant>
#include <vector>

#include "common/base/seq_ranges.hpp"
#include "common/base/within.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/news.hpp"
#include "common/protocol/not_done.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/runner_offers.hpp"
#include "common/protocol/value.hpp"
#include "ventilator/core/why.hpp"

/// What may happen to a ventilator, and what it may want done. Comparable, so that a test can
/// compare whole lists.
namespace eole::ventilator {

/// How to answer a client or a worker: the routing id of its connection.
using Peer = std::string;

// Events.

/// `hash`: of the payload, only if the submit has a key. Within a prefix, its classes say so
/// (tenancy.hpp), and its key is this prefix's own.
struct Submitted {
  Peer peer;
  protocol::Submit submit;
  std::string hash;
  bool is_storage_full = false;
  std::int64_t unix_ms = 0;  // When it came: for people.
};
struct CancelAsked {
  Peer peer;
  std::uint64_t request = 0;
  Origin origin = 0;
  std::vector<protocol::Settlement::Range> ranges;
  Within within = {};  // No others' tasks.
};
struct ControlAsked {
  Peer peer;
  std::uint64_t request = 0;
  std::string what;
  protocol::Value options = {};
  bool is_storage_full = false;
  Within within = {};  // No others' things.
};
/// `user`, here and below: whose key sent it.
struct HelloReceived {
  Peer peer;
  protocol::Hello hello;  // Without its payload: that is in the two lists.
  std::vector<protocol::Held> held;
  std::string user = {};
  std::vector<protocol::RunnerOffer> runners = {};
};
struct BeatReceived {
  Peer peer;
  protocol::Beat beat;
  std::vector<protocol::Held> held;
  std::string user = {};
};
struct CreditReceived {
  Peer peer;
  protocol::Credit credit;
  std::string user = {};
};
struct GoodbyeReceived {
  Peer peer;
  Link link;
  std::string user = {};
};
/// The pipe's monitor saw its connection end: a hint, not a proof.
struct PipeEnded {
  Link link;
};
struct IntroducedReceived {
  std::uint32_t start = 0;  // Whose introduction this answers.
  std::uint64_t log = 0;
  std::uint64_t offset = 0;
  SeqRanges settled;
  protocol::NotDone not_done;  // How those of them ended that were not done.
};
struct SettledReceived {
  protocol::Settled settled;  // Without its payload.
  protocol::Settlement settlement;
};
/// The sink refused an introduction or a follow.
struct SinkRefused {
  std::string reason;
};

using Event =
    std::variant<Submitted, CancelAsked, ControlAsked, HelloReceived, BeatReceived, CreditReceived,
                 GoodbyeReceived, PipeEnded, IntroducedReceived, SettledReceived, SinkRefused>;

// Actions. The journal's come first and are durable before any other leaves (ring rule S1, D3);
// a note alone does not ask for a sync unless it says so.

struct JournalTasks {
  Seq first = 0;
  std::string hash;
  protocol::Submit submit;
  std::int64_t submitted_unix_ms = 0;
  std::string schedule = {};  // Not empty: no client's, but its task for this beat.
  std::int64_t beat = 0;
  bool operator==(const JournalTasks&) const = default;
};
struct JournalCancel {
  Seq seq = 0;
  bool operator==(const JournalCancel&) const = default;
};
/// An operator's wish: Wishes.
struct JournalWish {
  std::string what;
  std::string about;
  Bytes value;
  bool operator==(const JournalWish&) const = default;
};
/// What is known of a project: Projects::record.
struct JournalProject {
  Bytes record;
  bool operator==(const JournalProject&) const = default;
};
/// Tasks leased together: seq, seq + 1 … under lease_number, lease_number + 1 …
struct LeaseRun {
  Seq seq = 0;
  std::uint64_t lease_number = 0;
  std::uint16_t attempt = 1;
  std::uint32_t count = 1;
  Bytes lost = {};  // Why attempts before it were: a msgpack list; of one task only.
  /// What is left behind the first `tasks`.
  void drop(std::uint32_t tasks) { seq += tasks, lease_number += tasks, count -= tasks; }
  bool operator==(const LeaseRun&) const = default;
};
/// Written before the tasks are sent; `needs_sync` where losing the note could repeat an attempt.
struct JournalNote {
  RunId run = 0;
  std::uint32_t start = 0;
  std::vector<LeaseRun> runs;
  bool needs_sync = false;
  bool operator==(const JournalNote&) const = default;
};
struct SendTasks {
  Link link;
  std::uint64_t first_number = 0;
  std::vector<LeaseRun> runs;
  bool operator==(const SendTasks&) const = default;
};
struct Reply {
  Peer peer;
  std::variant<protocol::Acceptance, protocol::Refused, protocol::Answer> message;
  bool operator==(const Reply&) const = default;
};
/// Opens a pipe for the link and answers with its endpoint.
struct WelcomeWorker {
  Peer peer;
  Link link;
  bool operator==(const WelcomeWorker&) const = default;
};
struct ClosePipe {
  Link link;
  bool operator==(const ClosePipe&) const = default;
};
struct SendHelloAgain {
  Peer peer;
  RunId run = 0;
  bool operator==(const SendHelloAgain&) const = default;
};
struct SendOrders {
  Peer peer;
  Link link;
  bool ask_beat = false;
  std::vector<protocol::Order> orders;
  bool operator==(const SendOrders&) const = default;
};
struct PushVerdict {
  Seq seq = 0;
  Lease lease;
  std::uint16_t attempt = 0;
  protocol::TaskState state = protocol::TaskState::kDead;
  bool is_unconfirmed = false;
  std::vector<std::string> reasons = {};
  Why why = {};  // With a text: it ends for this, not after its attempts.
  bool is_copy = false;  // Only this lease of it is over, for `why`: its other copy counts.
  bool operator==(const PushVerdict&) const = default;
};
struct SendIntroduce {
  Seq highest = 0;
  bool operator==(const SendIntroduce&) const = default;
};
struct SendFollow {
  std::uint64_t request = 0;
  std::uint64_t log = 0;
  std::uint64_t offset = 0;
  bool operator==(const SendFollow&) const = default;
};
/// The numbers up to `highest` were given out: the sink takes no others' results (ring rule R6).
/// Comes before the tasks leave.
struct SendAnnounce {
  Seq highest = 0;
  std::uint64_t read = 0;  // The log below.
  bool operator==(const SendAnnounce&) const = default;
};
/// These tasks are settled in the log: their records are needed no more (ring rule L1).
struct Forget {
  std::vector<protocol::Settlement::Range> ranges;
  bool operator==(const Forget&) const = default;
};
/// What happened just now, for whoever listens: only if somebody does. May be lost.
struct TellNews {
  protocol::NewsItem item;
  Seq seq = 0;  // The task that it is about, if it is about one.
  bool operator==(const TellNews&) const = default;
};
/// The process must end, and a person must look.
struct Stop {
  std::string reason;
  bool operator==(const Stop&) const = default;
};

using Action = std::variant<JournalTasks, JournalCancel, JournalWish, JournalProject, JournalNote,
                            SendTasks, Reply, WelcomeWorker, ClosePipe, SendHelloAgain, SendOrders,
                            PushVerdict, SendIntroduce, SendFollow, SendAnnounce, Forget, TellNews,
                            Stop>;
using Actions = std::vector<Action>;

}  // namespace eole::ventilator
