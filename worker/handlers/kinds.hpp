#pragma once
#include "worker/handlers/handler.hpp"
#include "worker/runners/process/process_runner.hpp"

// What each makes of its arguments, which common/kinds has.
namespace eole::worker {

/// -> parts, bytes and a file, and what is short as a list, too; or parts and sum.
Outcome run_collect(const Value& args, TaskContext& context);
/// -> never done: fails with the `error` that it was given.
Outcome run_dead(const Value& args, TaskContext& context);
/// -> the file as an artifact; bytes, sha256, url, seconds, resumed_at. The defaults must be there
/// (kinds::conform).
Outcome run_download(const Value& args, TaskContext& context);
/// The same for a file that the task only needs: it does not become an artifact.
Outcome fetch_input(const Value& args, TaskContext& context);
/// -> the same.
Expected<void> echo(std::string_view args, Bytes& out);
/// -> exit_code, stdout, stderr; of long output the begin and the end, and a file each. Failed
/// unless the exit code is zero; lost if the process above it was.
Outcome run_exec(const Value& args, TaskContext& context);
/// The worker's own, that runs commands: the subreaper above them.
ProcessRunner::Program command_program();
/// -> the picture as an artifact; width, height, format, input_bytes, bytes, and quality or kept:
/// true. With "sizes" an artifact and a map of these in a list for each.
Outcome run_image(const Value& args, TaskContext& context);
/// eole-picture, which lies beside the worker's program: one for each picture.
ProcessRunner::Program picture_program();
/// -> solutions.
Outcome run_nqueens(const Value& args, TaskContext& context);
/// -> the same.
Outcome run_sleep(const Value& args, TaskContext& context);

}  // namespace eole::worker
