#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "ventilator/core/events.hpp"

namespace eole::ventilator {

/// Leases to judge once the log has been read up to now (ring rule V6).
struct Suspicion {
  std::vector<std::pair<Seq, Lease>> leases;
  std::string reason;
  bool operator==(const Suspicion&) const = default;
};

/// Follows the sink's log: introduces the ventilator, announces the numbers that it gives out, reads
/// on from a cursor, one read at a time, and tells when what was suspected before a read may be
/// judged.
class Follower {
 public:
  explicit Follower(Duration retry) : retry_(retry) {}

  /// False for a late second answer.
  bool on_introduced(std::uint64_t log, std::uint64_t offset);
  /// What a message of the log brought.
  struct News {
    bool is_next = false;           // What it says is settled was not known.
    std::vector<Suspicion> passed;  // To be judged after that.
    bool operator==(const News&) const = default;
  };
  News on_settled(const protocol::Settled& settled);
  void suspect(Suspicion suspicion);

  /// Asks for the log if something waits for it.
  void follow(TimePoint now, Actions& out);
  /// `highest`: the number given out last. `is_all_settled`: none of them is on its way.
  void on_deadline(TimePoint now, Seq highest, bool is_all_settled, Actions& out);
  std::optional<TimePoint> next_deadline() const;

  bool is_introduced() const { return is_introduced_; }
  bool is_caught_up() const { return is_introduced_ && cursor_ >= head_seen_; }
  std::uint64_t cursor() const { return cursor_; }
  std::uint64_t lag() const { return head_seen_ > cursor_ ? head_seen_ - cursor_ : 0; }

 private:
  struct Barrier {
    std::uint64_t after_request = 0;
    Suspicion suspicion;
  };
  std::vector<Suspicion> pass_barriers();
  void announce(TimePoint now, Seq highest, bool is_all_settled, Actions& out);

  Duration retry_;
  bool is_introduced_ = false;
  std::uint64_t log_ = 0;
  std::uint64_t cursor_ = 0;
  std::uint64_t head_seen_ = 0;
  std::uint64_t next_request_ = 1;
  std::optional<std::uint64_t> reading_;  // The request of the read that is under way.
  std::uint64_t chain_ = 0;               // The first request of this chain of reads.
  std::uint64_t goal_ = 0;                // The head that the chain's first answer told.
  TimePoint asked_{};
  std::deque<Barrier> barriers_;
  Seq announced_ = 0;
  std::optional<TimePoint> next_announcement_;  // While something is not settled.
};

}  // namespace eole::ventilator
