#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace eole::frames {
class WorkerSocket;
struct Run;
}  // namespace eole::frames

namespace eole::command {

struct Surroundings;
/// Runs a task, and tells its end; false once the worker is gone.
using Serve = std::function<bool(frames::WorkerSocket& worker, const Surroundings& around,
                                 const frames::Run& run)>;
/// Of one kind, one after another, until the worker is gone.
[[noreturn]] void serve(std::string_view kind, const Serve& run);

/// The child that runs commands is the worker's own program, started anew. One that is started with
/// this argument alone runs one command after another for the worker at the other end of its
/// socket, and ends with it. Behind it stand the words of its settings.
inline constexpr char kServeArgument[] = "--serve-commands";
[[noreturn]] void serve(const std::vector<std::string>& settings);

/// One that is started with this argument and a command becomes that command, which dies with the
/// worker that started it, however that dies: it may be at something and hear nothing.
inline constexpr char kBecomeArgument[] = "--become";
[[noreturn]] void become(const char* command);

/// One that is started with this argument and a directory tries a box there, says in a line how
/// that went, and ends: with 0 if it works.
inline constexpr char kTryArgument[] = "--try-box";

/// One that is started with this argument says what groups commands would have, and ends.
inline constexpr char kCgroupsArgument[] = "--tell-cgroups";

/// Does not return if the words of the command line ask for one of these instead of a worker.
void serve_instead(const std::vector<std::string>& words);

}  // namespace eole::command
