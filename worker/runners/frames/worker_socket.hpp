#pragma once
#include "worker/runners/frames/frames.hpp"

namespace eole::frames {

/// The worker, as a child that it started sees it.
class WorkerSocket {
 public:
  /// False once the worker is gone.
  static bool send(const Frame& frame);
  /// Says hello, and that it runs this kind, one task at a time.
  static bool introduce(std::string_view kind);
  /// Of a frame that wants nothing but an answer.
  static bool answer(const Frame& frame);
  /// Waits for what comes next, and reads it; false once the worker is gone.
  bool receive();
  /// The next frame of those that were read; nothing is well any more once there is an error.
  Expected<std::optional<Frame>> next() { return reader_.next(); }

 private:
  FrameReader reader_;
};

}  // namespace eole::frames
