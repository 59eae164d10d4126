#pragma once
#include <string_view>

/// How the program ends: one line on the descriptor that its parent listens to. A picture is
/// decoded by a process that does nothing else, so that whatever goes wrong simply ends it.
namespace eole::picture {

constexpr int kInput = 0;
constexpr int kOutput = 1;
constexpr int kReport = 3;

/// "failed REASON": the reason is the task's error.
[[noreturn]] void fail(std::string_view reason);
/// "done WIDTH HEIGHT PLAIN"; plain: the input shows the same picture as the output.
[[noreturn]] void succeed(int width, int height, bool is_plain);

}  // namespace eole::picture
