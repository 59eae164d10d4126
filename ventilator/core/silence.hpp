#pragma once
#include <optional>
#include <string>

#include "common/base/time.hpp"
#include "ventilator/core/config.hpp"

namespace eole::ventilator {

/// What a worker's silence means (ring rule V11).
class Silence {
 public:
  explicit Silence(TimePoint now = {}) : last_heard_(now) {}
  void hear(TimePoint now);
  /// Its connection ended: a hint, which an answer takes back.
  void end_pipe(TimePoint now);
  /// Nobody listened for so long.
  void forgive(Duration lateness, TimePoint now);
  /// Why it is lost, if it is.
  std::optional<std::string> judge(const Config& config, TimePoint now);
  /// Before then nothing changes.
  TimePoint next_judgement(const Config& config) const;

  TimePoint last_heard() const { return last_heard_; }
  bool is_suspect() const { return is_suspect_; }
  bool has_pipe_ended() const { return pipe_ended_.has_value(); }

 private:
  bool has_answered() const { return pipe_ended_ && last_heard_ > *pipe_ended_; }

  TimePoint last_heard_;
  std::optional<TimePoint> pipe_ended_;
  bool is_suspect_ = false;
};

}  // namespace eole::ventilator
