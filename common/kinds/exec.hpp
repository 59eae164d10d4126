#pragma once
#include "common/kinds/kind.hpp"

namespace eole::kinds {

inline constexpr Argument kExecArguments[] = {
    {"argv", Type::kTexts, "the program and its arguments", false, {}, 1, 65536},
    {"shell", Type::kBytes, "one line for /bin/sh instead", false, {}, 1, kTextBytesMax},
    {"stdin", Type::kBytes, "its standard input, text or bytes", false, {}, 0, kTextBytesMax},
    {"env",
     Type::kTextMap,
     "variables added to HOME, PATH, LANG, EOLE_TASK_ID, EOLE_ATTEMPT, EOLE_PROJECT, TRACEPARENT "
     "and "
     "EOLE_PROGRESS_FD",
     false,
     {},
     0,
     4096},
    {"cwd", Type::kText, "directory to run in [a fresh one]", false, {}, 1, 4095},
    {"timeout", Type::kNumber, "seconds; then it is ended with all it started; 0: none", false, "0",
     0, kSecondsMax},
    {"term_grace", Type::kNumber, "seconds from SIGTERM to SIGKILL, when it is ended", false, "3",
     0, 3600},
    {"output_max", Type::kInteger, "bytes of output kept of each stream", false, "67108864", 0,
     1 << 30},
};
inline constexpr std::string_view kExecChoice[] = {"argv", "shell"};

inline constexpr Kind kExec{
    .name = "exec",
    .about = "Run a command.",
    .result =
        "`exit_code` (and the `signal` that it died of), `stdout`, `stderr`; what is long as an "
        "artifact, too",
    .runner = Runner::kProcess,
    .arguments = kExecArguments,
    .words = "the command, after --",
    .one_of = kExecChoice,
    .needs_exec = true,
};

}  // namespace eole::kinds
