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
    {"secrets",
     Type::kTexts,
     "names of the worker's secrets, which become variables; masked in what it prints",
     false,
     {},
     0,
     64},
    {"cwd",
     Type::kText,
     "directory to run in [a fresh one]; a relative one is below that",
     false,
     {},
     1,
     4095},
    {"files",
     Type::kTextMap,
     "artifacts laid into the fresh directory: their names there, and SHA-256; may be run",
     false,
     {},
     0,
     1000},
    {"outputs",
     Type::kTexts,
     "patterns of files that it leaves, which become artifacts: build/*.log",
     false,
     {},
     0,
     64},
    {"git",
     Type::kText,
     "repository whose checkout is the fresh directory: https:// or ssh://",
     false,
     {},
     1,
     4096},
    {"revision", Type::kText, "its branch, tag or commit [its HEAD]", false, {}, 1, 255},
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
        "`exit_code` (and the `signal` that it died of), `stdout`, `stderr`, `user_seconds`, "
        "`system_seconds`, `memory_bytes`, the `commit` of git; what is long, and outputs, as "
        "artifacts",
    .runner = Runner::kProcess,
    .arguments = kExecArguments,
    .words = "the command, after --",
    .one_of = kExecChoice,
    .needs_exec = true,
};

}  // namespace eole::kinds
