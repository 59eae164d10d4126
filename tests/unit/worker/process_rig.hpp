#pragma once
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/base/text.hpp"
#include "worker/runners/process/process_runner.hpp"

/// Child processes that are shell scripts, and what runs them.
namespace eole::worker::process_rig {

using namespace std::chrono_literals;
using protocol::Value;
using End = ProcessRunner::End;

// A shell's word for bytes.
inline std::string said(std::string_view bytes) {
  std::string word;
  for (const unsigned char byte : bytes) {
    char octal[5];
    std::snprintf(octal, sizeof octal, "\\%03o", byte);
    word += octal;
  }
  return text("printf '", word, "' >&3\n");
}
inline std::string says(const frames::Frame& frame) { return said(frames::encode(frame)); }

inline const std::string kHello = says(frames::Hello{}) + says(frames::Kind{{"work"}});
inline const std::string kTakesRun =
    "head -c 1 <&3 >/dev/null\n";  // Of it one byte: then it is there.
inline Bytes one() { return Value(1).to_msgpack(); }

struct Rig {
  ChildProcesses processes;
  std::string directory = "/tmp/eole-unit-XXXXXX";
  Bytes args = Value(Value::Map{}).to_msgpack();
  int cancel_fd = ::eventfd(0, EFD_CLOEXEC);
  std::string printed;
  bool takes_output = true;
  std::chrono::milliseconds time_limit{20s};  // No test is to last for ever.

  Rig() { REQUIRE(::mkdtemp(directory.data()) != nullptr); }
  ~Rig() {
    std::filesystem::remove_all(directory);
    ::close(cancel_fd);
  }
  ProcessRunner runner(const std::string& script, bool is_kept = false,
                       std::chrono::milliseconds ends_within = 10s) {
    return {processes,
            {.path = "/bin/sh",
             .argv = {"sh", "-c", script},
             .kinds = {"work"},
             .is_kept = is_kept,
             .ends_within = ends_within}};
  }
  ProcessRunner::Ended run(ProcessRunner& runner) {
    ProcessRunner::Run one{.task = {.id = "abcdef-1",
                                    .kind = "work",
                                    .args = args,
                                    .directory = directory,
                                    .time_limit = time_limit},
                           .cancel_fd = [this] { return cancel_fd; },
                           .on_output = nullptr};
    if (takes_output)
      one.on_output = [&](bool is_stderr, std::string_view bytes) {
        printed += is_stderr ? "err:" : "out:";
        if (printed.size() < 1000) printed += bytes;
      };
    return runner.run(one);
  }
  ProcessRunner::Ended run(const std::string& script) {
    auto once = runner(script);
    return run(once);
  }
};

/// A program that did not come with Eole, several runs at once, and a note of each of its starts.
struct ForeignRig : Rig {
  ProcessRunner::Program program{
      .path = "/bin/sh", .argv = {"sh", "-c", ""}, .ends_within = 10ms, .name = "odd"};
  ProcessRunner foreign(const std::string& script) {
    program.argv[2] = "echo started >> '" + directory + "/starts'\n" + script;
    return {processes, program};
  }
  std::size_t starts() const {
    std::ifstream file(directory + "/starts");
    std::size_t lines = 0;
    for (std::string line; std::getline(file, line);) ++lines;
    return lines;
  }
  // Looks after it until it has started so often.
  void rest_until(ProcessRunner& runner, std::size_t count) {
    const auto until = std::chrono::steady_clock::now() + 20s;
    for (; starts() < count; runner.rest()) {
      REQUIRE(std::chrono::steady_clock::now() < until);
      ::usleep(1000);
    }
  }
  // The bytes of so many runs, and some more.
  std::string takes_runs(std::uint64_t count, std::size_t more = 0) const {
    auto bytes = more;
    for (std::uint64_t i = 1; i <= count; ++i)
      bytes += frames::encode(frames::Run{i, "abcdef-1", 1, "work", args, directory}).size();
    return text("head -c ", bytes, " <&3 >/dev/null\n");
  }
  std::function<void()> on_printed = [] {};
  bool is_last_cancelled = false;
  ProcessRunner::OnFetch on_fetch;
  std::vector<ProcessRunner::Ended> run(ProcessRunner& runner, std::size_t count) {
    std::vector<ProcessRunner::Run> runs(
        count, {.task = {.id = "abcdef-1", .kind = "work", .args = args, .directory = directory},
                .cancel_fd = [this] { return cancel_fd; },
                .on_output =
                    [this](bool, std::string_view bytes) {
                      printed += bytes;
                      on_printed();
                    }});
    for (auto& run : runs) run.on_fetch = on_fetch;
    runs[0].task.time_limit = time_limit;
    runs.back().is_cancelled = [this] { return is_last_cancelled; };
    std::vector<ProcessRunner::Ended> ends;
    runner.run(runs, [&](std::size_t i, ProcessRunner::Ended ended) {
      REQUIRE(i == ends.size());
      ends.push_back(std::move(ended));
    });
    return ends;
  }
};

inline const std::string kAhead = says(frames::Hello{2, 8, 1}) + says(frames::Kind{{"work"}});
inline const std::string kWaits = "exec sleep 600\n";
inline std::string says_done(std::uint64_t number) {
  return says(frames::Done{number, Value(static_cast<std::int64_t>(number)).to_msgpack(), {}});
}

}  // namespace eole::worker::process_rig
