#pragma once
#include <algorithm>
#include <cstdint>

#include "common/base/time.hpp"

namespace eole::client {

/// How many messages may be unanswered: doubled as long as that gives a higher rate. A slow disk
/// or network needs many under way, a fast one few.
class Window {
 public:
  static constexpr std::size_t kFirst = 8;
  static constexpr std::size_t kMost = 4096;
  static constexpr double kGain = 1.15;     // Less is noise.
  static constexpr std::size_t kTurns = 4;  // Windows in a round: a rate, not a burst.

  std::size_t messages() const { return messages_; }
  /// A message of so many tasks was answered.
  void on_answer(std::uint64_t tasks, TimePoint now) {
    if (answered_ == 0) {  // The first answer begins a round, and is not in it.
      begun_ = now;
      answered_ = 1;
      tasks_ = 0;
      return;
    }
    tasks_ += tasks;
    if (++answered_ <= kTurns * messages_ || now <= begun_) return;
    const double rate = static_cast<double>(tasks_) / static_cast<double>((now - begun_).count());
    if (rate > best_rate_ * kGain) {
      messages_ = std::min(messages_ * 2, kMost);
      best_rate_ = rate;
    }
    answered_ = 0;
  }

 private:
  std::size_t messages_ = kFirst;
  std::size_t answered_ = 0;  // In this round.
  std::uint64_t tasks_ = 0;
  TimePoint begun_{};
  double best_rate_ = 0;
};

}  // namespace eole::client
