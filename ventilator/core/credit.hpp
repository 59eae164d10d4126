#pragma once
#include <cstdint>

namespace eole::ventilator {

/// Tasks that a worker may be sent beyond what it received: as many results as it may owe the sink.
constexpr std::uint64_t kCreditMax = 1 << 16;

/// How far a worker's pipe may be filled. Levels of pipe numbers, which only rise (ring rule V3).
class Credit {
 public:
  void take(std::uint64_t received, std::uint64_t limit);
  void send(std::uint64_t tasks) { sent_ += tasks; }
  /// Nothing more on this pipe, whatever is granted.
  void close() { is_closed_ = true; }
  bool is_closed() const { return is_closed_; }
  /// Once a beat: true if what was sent does not arrive (ring rule V2).
  bool is_stuck(std::uint64_t received);

  std::uint64_t room() const;
  std::uint64_t sent() const { return sent_; }

 private:
  std::uint64_t received_ = 0;
  std::uint64_t limit_ = 0;
  std::uint64_t sent_ = 0;
  bool is_closed_ = false;
  std::uint32_t stuck_beats_ = 0;  // In which received < sent, nothing was sent and nothing came.
  std::uint64_t sent_at_last_beat_ = 0;
  std::uint64_t received_at_last_beat_ = 0;
};

}  // namespace eole::ventilator
