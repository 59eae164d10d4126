#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The process behind CommandRunner, and the frames between the two: u8 type, u32 size, payload.
namespace eole::worker {

enum FrameType : std::uint8_t { kRun = 1, kKill, kStdout, kStderr, kFailed, kEnded };

struct Frame {
  FrameType type = kRun;
  std::string payload;
};

bool send_frame(int fd, FrameType type, std::string_view payload);
/// Nothing once the other side is gone.
std::optional<Frame> receive_frame(int fd);

/// Runs one command after another for the worker at the other end of `fd`; ends with it.
[[noreturn]] void serve_commands(int fd);

}  // namespace eole::worker
