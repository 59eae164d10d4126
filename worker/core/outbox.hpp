#pragma once
#include <deque>
#include <optional>
#include <span>

#include "common/base/time.hpp"
#include "worker/core/config.hpp"
#include "worker/core/events.hpp"

namespace eole::worker {

/// The numbered results of one origin's tasks, sent again and again until it acknowledges them as
/// durable.
class Outbox {
 public:
  Outbox(const Config& config, RunId run, Origin origin);

  /// A task has ended.
  void add(const Task& task, const TaskFinished& end, TimePoint now);
  /// The tasks of a batch have.
  void add(std::span<const Task> tasks, const BatchFinished& end, TimePoint now);
  void on_ack(const protocol::Ack& ack, TimePoint now, Actions& out);
  /// `are_more_near`: tasks wait for a slot, so results that end close together travel together.
  void on_deadline(TimePoint now, bool are_more_near, Actions& out);
  /// TimePoint::max() if nothing is kept.
  TimePoint next_deadline() const;

  /// The task came again. True if its result is here, and counts for the later lease; but the next
  /// attempt of a task that failed here is new.
  bool adopt(const Task& task);
  void append_held(std::vector<protocol::Held>& held) const;

  bool is_empty() const { return parcels_.empty(); }
  std::uint64_t count() const { return last_ - floor_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  /// A task whose result waits for its acknowledgement.
  struct Finished {
    TaskId id;
    Lease lease;  // The latest under which it came.
    bool is_final = true;
    bool is_tried_again = false;  // Its next attempt is held here too.
  };
  /// Results that travel together, now and whenever they are sent again.
  struct Parcel {
    std::uint64_t first = 0;  // The number of its first result.
    std::vector<Finished> tasks;
    std::shared_ptr<Bytes> records = std::make_shared<Bytes>();  // Fixed once it was sent.
    std::size_t artifacts = 0;  // That they name.
    Seq seq_min = UINT64_MAX;
    Seq seq_max = 0;
    std::uint64_t last() const { return first + tasks.size() - 1; }
  };

  Parcel& open_parcel(std::size_t artifacts = 0);
  void finish(std::span<const Task> tasks, const protocol::ResultRecord& end,
              std::string_view bodies);
  Finished* find(const TaskId& id);
  std::size_t first_kept(const Parcel& parcel) const;
  void send(std::size_t from, std::size_t until, Actions& out) const;
  std::uint64_t last_sent() const { return sent_ == 0 ? floor_ : parcels_[sent_ - 1].last(); }

  protocol::Results head_;  // What every message says.
  Duration retry_;
  Duration results_within_;
  std::uint32_t results_per_message_;
  std::uint64_t message_bytes_;
  std::uint64_t log_ = 0;
  std::uint64_t floor_ = 0;     // Results acknowledged.
  std::uint64_t last_ = 0;      // The highest number given.
  std::deque<Parcel> parcels_;  // The numbers above floor_, and some below it in the first.
  std::uint64_t bytes_ = 0;
  std::size_t sent_ = 0;  // How many parcels were sent at least once.
  TimePoint due_{};       // When the others go at the latest.
  bool is_resending_ = false;
  TimePoint next_resend_{};
};

}  // namespace eole::worker
