#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/cron.hpp"
#include "common/base/expected.hpp"
#include "common/base/zone.hpp"
#include "common/protocol/value.hpp"
#include "ventilator/core/gates/gate.hpp"

namespace eole::ventilator {

constexpr std::size_t kSchedulesMax = 1024;
constexpr std::size_t kScheduleNameBytesMax = 255;
constexpr std::size_t kNextBeatsMax = 100;    // That are shown of one.
constexpr std::uint64_t kEveryMsMin = 1'000;  // Between two beats.
constexpr std::int64_t kLateMsMax = 60'000;   // A beat that is not so late is not missed.
constexpr std::int64_t kPutOffMsMax = 60'000;  // Between two looks at a task that is not accepted.

/// When something comes: by cron in a zone, or every so often from when it was set up. All times
/// are Unix milliseconds.
class Rhythm {
 public:
  static Expected<Rhythm> parse(const protocol::Value& wish);
  std::optional<std::int64_t> next_after(std::int64_t unix_ms) const;
  /// The last beat up to `until`, if `first` is one and not behind it.
  std::int64_t last_until(std::int64_t first, std::int64_t until) const;

 private:
  std::optional<Cron> cron_;
  std::optional<Zone> zone_;
  std::int64_t every_ms_ = 0;
  std::int64_t since_ = 0;
};

/// Tasks that come again and again: each beat of a schedule is a task, once. Pure. What must last
/// is a wish of an operator: {cron, zone} or {every_ms}, missed (once, skip), task (a group of it),
/// paused; since: when it was set up; seen: the beats up to this are over; last, fired: of those
/// that became tasks. Beats that nobody was there for come once, for the last of them, or not at
/// all. When clocks are set back, none comes a second time.
class Schedules {
 public:
  static constexpr const char* kWish = "schedule";

  /// One that was set up before, by what was kept of it.
  void restore(const std::string& name, std::string_view wish);
  /// Changes what is wished; the wish that is to be kept, empty: nothing new. Errors say why not.
  Expected<Bytes> add(const std::string& name, protocol::Value wish, std::int64_t unix_ms);
  Expected<Bytes> pause(const std::string& name, bool is_paused, std::int64_t unix_ms);
  /// False if there was none.
  bool remove(const std::string& name);

  struct Due {
    std::string name;
    std::int64_t beat = 0;
    Bytes groups;
    bool operator==(const Due&) const = default;
  };
  /// What is to become a task now; it stays due until it has fired, or was put off.
  std::vector<Due> take_due(std::int64_t unix_ms);
  /// It is a task: the wish that is to be kept.
  Bytes fire(const Due& due);
  /// It could not be accepted, for this reason: looks again in a second, then after twice as long.
  void put_off(const Due& due, std::int64_t unix_ms, std::string reason);
  /// As fire() of the beat did: of a record that was read again.
  static Bytes advanced(std::string_view wish, std::int64_t beat);
  /// Everybody's clock may jump: looks every second.
  std::optional<TimePoint> next_deadline(const Moment& moment) const;

  /// What people see: the wish, its name and its next beats, at most so many.
  protocol::Value view(const std::string& name, std::size_t beats) const;
  protocol::Value::Array list() const;

 private:
  struct Schedule {
    Rhythm rhythm;
    protocol::Value wish;
    std::optional<std::int64_t> next = {};
    std::int64_t look_at = 0;  // The next beat's time, or later.
    struct Refused {
      std::string reason;
      std::int64_t pause_ms = 0;  // Before the next look.
    };
    Refused refused = {};  // Since the last beat that became a task.
  };
  Expected<Schedule> read(const std::string& name, protocol::Value wish) const;
  void put(const std::string& name, Schedule schedule);
  void plan(const std::string& name, Schedule& schedule);
  void look_at(const std::string& name, Schedule& schedule, std::int64_t unix_ms);

  std::map<std::string, Schedule> schedules_;
  std::set<std::pair<std::int64_t, std::string>> looks_;
};

}  // namespace eole::ventilator
