#pragma once
#include <string_view>

/// How the program ends: with one frame to its worker. A picture is decoded by a process that does
/// nothing else, so that whatever goes wrong simply ends it.
namespace eole::picture {

constexpr int kInput = 0;
constexpr int kOutput = 1;
constexpr std::string_view kOutputName = "picture.jpg";  // In the run's directory.

/// The reason is the task's error.
[[noreturn]] void fail(std::string_view reason);
/// Plain: the input shows the same picture as the output.
[[noreturn]] void succeed(int width, int height, bool is_plain);

}  // namespace eole::picture
