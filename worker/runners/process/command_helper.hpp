#pragma once

namespace eole::worker {

/// A worker that is started with this argument alone is a command helper: it runs one command
/// after another for the worker at the other end of kHelperSocket, and ends with it.
inline constexpr char kHelperArgument[] = "--serve-commands";
inline constexpr int kHelperSocket = 3;
[[noreturn]] void serve_commands();

}  // namespace eole::worker
