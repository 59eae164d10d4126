#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/base/time.hpp"
#include "sink/core/origins.hpp"

namespace eole::sink {

/// How long the log is kept for a ventilator that says nothing.
constexpr Duration kReaderGone = 3600s;

/// The readers of record: how far each ventilator that has tasks under way has read the log. It is
/// kept from there on (rule L5); one that was silent for kReaderGone is told anew when it comes.
class Readers {
 public:
  /// `now`: when the sink started.
  explicit Readers(TimePoint now) : started_(now) {}
  /// It has read the log below `read`.
  void hear(Origin origin, std::uint64_t read, TimePoint now);
  /// … and said which numbers it gave out.
  void hear_numbers(Origin origin, std::uint64_t read, TimePoint now);
  /// When it was heard last; nothing: it may have accepted tasks that nobody here knows, since it
  /// has not said which numbers it gave out since the sink started.
  std::optional<TimePoint> numbers_heard(Origin origin) const;
  /// From where on somebody needs the log, at most `head`.
  std::uint64_t needed_from(const Origins& origins, std::uint64_t head, TimePoint now) const;
  /// Those with tasks under way that were silent for too long: nothing is kept for them.
  std::vector<Origin> gone(const Origins& origins, TimePoint now) const;

 private:
  struct Reader {
    std::uint64_t read = 0;
    TimePoint heard{};
    bool has_said_numbers = false;
  };
  Reader reader_of(Origin origin) const;
  TimePoint started_;
  std::map<Origin, Reader> readers_;
};

}  // namespace eole::sink
