#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What a worker and its command helper say to each other: u8 type, u32 size, payload.
namespace eole::worker {

/// kRun: a command. kEnd: u32 milliseconds of grace between SIGTERM and SIGKILL.
/// kStdout, kStderr: what it printed. kFailed: why it could not be started. kEnded: i32 wait
/// status, u8 whether SIGKILL was needed.
enum FrameType : std::uint8_t { kBroken, kRun, kEnd, kStdout, kStderr, kFailed, kEnded };

struct Frame {
  FrameType type = kRun;
  std::string payload;
};

std::string encode_frame(FrameType type, std::string_view payload);

/// Puts frames together from the pieces that a socket gives.
class FrameReader {
 public:
  void add(std::string_view bytes) { bytes_ += bytes; }
  /// The next whole frame; a broken one if the other side announces too much.
  std::optional<Frame> next();

 private:
  std::string bytes_;
};

}  // namespace eole::worker
