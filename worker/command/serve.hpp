#pragma once

/// The child that runs commands: the worker's own program, started anew.
namespace eole::command {

/// A worker that is started with this argument alone runs one command after another for the worker
/// at the other end of its socket, and ends with it.
inline constexpr char kServeArgument[] = "--serve-commands";
[[noreturn]] void serve();

}  // namespace eole::command
