#include "worker/runners/process/process_runner.hpp"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/base/text.hpp"

using namespace eole;
using namespace std::chrono_literals;
using protocol::Value;
using worker::ProcessRunner;
using End = ProcessRunner::End;

namespace {

// A shell's word for bytes.
std::string said(std::string_view bytes) {
  std::string word;
  for (const unsigned char byte : bytes) {
    char octal[5];
    std::snprintf(octal, sizeof octal, "\\%03o", byte);
    word += octal;
  }
  return text("printf '", word, "' >&3\n");
}
std::string says(const frames::Frame& frame) { return said(frames::encode(frame)); }

const std::string kHello = says(frames::Hello{}) + says(frames::Kind{"work"});
const std::string kTakesRun = "head -c 1 <&3 >/dev/null\n";  // Of it one byte: then it is there.
Bytes one() { return Value(1).to_msgpack(); }

struct Rig {
  worker::ChildProcesses processes;
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

}  // namespace

TEST_CASE("a child in any language runs a task and hands back a value and files", "[process]") {
  Rig rig;
  const auto ended = rig.run(kHello + kTakesRun + "echo made > \"" + rig.directory + "/it\"\n" +
                             says(frames::Output{1, 1, "hi"}) + says(frames::Output{1, 2, "oh"}) +
                             says(frames::Done{1, one(), {"it"}}));
  CHECK(ended.end == End::kDone);
  CHECK(ended.value == Value(1));
  CHECK(ended.files == std::vector<std::string>{rig.directory + "/it"});
  CHECK(rig.printed == "out:hierr:oh");
}

TEST_CASE("a child says how far it is as often as it likes", "[process]") {
  Rig rig;
  auto once = rig.runner(kHello + kTakesRun + says(frames::Progress{1, 3, 10, "page 3"}) +
                         says(frames::Progress{1, 4, 0, ""}) + says(frames::Done{1, one(), {}}));
  std::string told;
  const auto ended =
      once.run({.task = {.id = "abcdef-1", .kind = "work", .args = rig.args},
                .cancel_fd = [&] { return rig.cancel_fd; },
                .on_output = nullptr,
                .on_progress =
                    [&](std::uint64_t done, std::uint64_t total, const std::string& said) {
                      told += text(done, "/", total, " ", said, ";");
                    }});
  CHECK(ended.end == End::kDone);
  CHECK(told == "3/10 page 3;4/0 ;");
}

TEST_CASE("a child that failed says why, as it may be shown", "[process]") {
  Rig rig;
  const auto ended = rig.run(kHello + says(frames::Failed{1, "no\x1b[31m luck", one()}));
  CHECK(ended.end == End::kFailed);
  CHECK(ended.error == "no\\x1b[31m luck");
  CHECK(ended.value == Value(1));
}

TEST_CASE("a kept child runs one task after another, and is replaced when it was not well",
          "[process]") {
  Rig rig;
  auto kept = rig.runner(kHello + kTakesRun + says(frames::Done{1, one(), {}}) +
                             says(frames::Output{1, 1, "late"}) +
                             says(frames::Done{2, Value(2).to_msgpack(), {}}) + "sleep 600\n",
                         true);
  CHECK(rig.run(kept).value == Value(1));
  CHECK(rig.run(kept).value == Value(2));  // What came late of the first is nobody's.
  CHECK(rig.printed.empty());
  rig.time_limit = 1ms;
  auto deaf = rig.runner(kHello + "sleep 600\n", true, 50ms);
  for (int i = 0; i < 2; ++i) {
    const auto ended = rig.run(deaf);
    CHECK(ended.end == End::kTimeLimit);
    CHECK(ended.error == "did not end when told to");
  }
}

TEST_CASE("a child that dies says how, with the last that it printed", "[process]") {
  Rig rig;
  auto ended = rig.run("echo starting; echo 'broken: it' >&2; kill -SEGV $$");
  CHECK(ended.end == End::kLost);
  CHECK(ended.error == "died by signal 11 (Segmentation fault)");
  CHECK(ended.signal == SIGSEGV);
  CHECK(ended.words == "; it printed: starting\nbroken: it");
  ended = rig.run(kHello + "exit 0");
  CHECK(ended.end == End::kLost);
  CHECK(ended.error == "ended without a word, with code 0");
  CHECK(ended.signal == 0);
  ended = rig.run(kHello + "kill -STOP $$");
  CHECK(ended.error == "was stopped");
  ended = rig.run("exec 3>&-; exec sleep 600");
  CHECK(ended.error == "closed its socket");
  ended = rig.run("yes | head -c 3000000 >&2; exit 4");
  CHECK(ended.error == "ended without a word, with code 4");
  CHECK(ended.words.size() < worker::Child::kLastWordsMax + 100);
}

TEST_CASE("the last word of a child counts however it ends", "[process]") {
  Rig rig;
  for (const auto* end : {"exit 3", "kill -9 $$", "exec 3>&-; exec sleep 600"}) {
    const auto ended = rig.run(kHello + says(frames::Done{1, one(), {}}) + end);
    CHECK(ended.end == End::kDone);
  }
}

TEST_CASE("a child that makes no sense is ended, and what is wrong is told", "[process]") {
  Rig rig;
  const auto problem = [&](const std::string& script) {
    const auto ended = rig.run(script + "\nexec sleep 600");
    CHECK(ended.end == End::kLost);
    return ended.error;
  };
  CHECK(problem("echo hello world >&3") ==
        "spoke nonsense: a frame of 1869376613 bytes, limit 4194304");
  CHECK(problem(said("\x05\x04\x01\x01\x01")) ==
        "spoke nonsense: a frame of 16843012 bytes, limit 4194304");
  CHECK(problem(says(frames::Done{1, {}, {}})) == "spoke nonsense: no hello before all else");
  CHECK(problem(kHello + kHello) == "spoke nonsense: a second hello");
  CHECK(problem(says(frames::Hello{1})) == "spoke nonsense: version 1, this is 2");
  CHECK(problem(says(frames::Hello{}) + says(frames::Kind{"play"})) ==
        "spoke nonsense: a hello without the kind work");
  CHECK(problem(kHello + says(frames::Done{2, {}, {}})) == "spoke nonsense: run 2, this is run 1");
  CHECK(problem(kHello + says(frames::Cancel{1, 0})) ==
        "spoke nonsense: a cancel, which only a worker says");
  CHECK(problem(kHello + says(frames::Output{1, 3, "x"})) ==
        "spoke nonsense: output of a stream 3, which it has not");
  rig.takes_output = false;
  CHECK(problem(kHello + says(frames::Output{1, 1, "x"})) ==
        "spoke nonsense: output of a stream 1, which it has not");
}

TEST_CASE("half a frame is no frame", "[process]") {
  Rig rig;
  auto half = frames::encode(frames::Done{1, one(), {}});
  half.pop_back();
  CHECK(rig.run(kHello + said(half) + "exit 0").error == "ended without a word, with code 0");
  rig.time_limit = 20ms;
  CHECK(rig.run(kHello + said(half) + "exec sleep 600").end == End::kTimeLimit);
}

TEST_CASE("a child that floods its worker ends at its time, and costs it no memory", "[process]") {
  Rig rig;
  rig.time_limit = 300ms;
  std::ofstream(rig.directory + "/piece", std::ios::binary)
      << frames::encode(frames::Output{1, 1, std::string(50'000, 'x')});
  const auto ended = rig.run(kHello + "while :; do cat '" + rig.directory + "/piece' >&3; done");
  CHECK(ended.end == End::kTimeLimit);
}

TEST_CASE("a child that takes nothing and says nothing ends at its time or when it is cancelled",
          "[process]") {
  Rig rig;
  rig.args = Value(std::string(2 << 20, 'x')).to_msgpack();  // More than a socket holds.
  rig.time_limit = 20ms;
  CHECK(rig.run("exec sleep 600").end == End::kTimeLimit);
  rig.time_limit = 0ms;
  ::eventfd_write(rig.cancel_fd, 1);
  CHECK(rig.run("exec sleep 600").end == End::kCancelled);
}

TEST_CASE("what a child left behind goes with it, also if it holds the socket", "[process]") {
  Rig rig;
  const auto ended = rig.run("sleep 600 & echo $! > '" + rig.directory + "/pid'; exit 5");
  CHECK(ended.error == "ended without a word, with code 5");
  pid_t orphan = 0;
  std::ifstream(rig.directory + "/pid") >> orphan;
  REQUIRE(orphan > 0);
  CHECK(::kill(orphan, 0) != 0);
}

TEST_CASE("a grandchild that writes to the socket costs the attempt, never the worker",
          "[process]") {
  Rig rig;
  const auto ended = rig.run(kHello + "(while :; do echo in between >&3; done) & sleep 600");
  CHECK(ended.end == End::kLost);
  CHECK(ended.error.starts_with("spoke nonsense: a frame of "));
}

TEST_CASE("a child hands back files of its directory alone", "[process]") {
  Rig rig;
  std::ofstream(rig.directory + "/it") << "it";
  std::filesystem::create_symlink("/etc/passwd", rig.directory + "/link");
  for (const std::string name : {"/etc/passwd", "../it", "link", "", ".", "..", "absent"}) {
    const auto ended = rig.run(kHello + says(frames::Done{1, {}, {"it", name}}));
    CHECK(ended.end == End::kFailed);
    CHECK(ended.error == text("no file ", name, " in its directory"));
    CHECK(ended.files.empty());
  }
}

TEST_CASE("a value that no result can hold is refused by its size", "[process]") {
  Rig rig;
  const auto value = Value(std::string(1 << 20, 'x')).to_msgpack();
  std::ofstream(rig.directory + "/frame", std::ios::binary)
      << frames::encode(frames::Done{1, value, {}});
  const auto ended = rig.run(kHello + "cat '" + rig.directory + "/frame' >&3");
  CHECK(ended.end == End::kFailed);
  CHECK(ended.error == "a value of 1048581 bytes, limit 1048576");
}

TEST_CASE("a value that cannot be read is its run's failure, and the child is kept", "[process]") {
  Rig rig;
  const auto deep = std::string(100, '\x91') + '\x01';
  auto kept = rig.runner(kHello + kTakesRun + says(frames::Done{1, deep, {}}) + kTakesRun +
                             says(frames::Done{2, one(), {}}) + "sleep 600\n",
                         true);
  const auto ended = rig.run(kept);
  CHECK(ended.end == End::kFailed);
  CHECK(ended.error.starts_with("a value that is "));
  CHECK(rig.run(kept).value == Value(1));
}

TEST_CASE("what cannot be started is told at once if it is to be kept, else by its task",
          "[process]") {
  Rig rig;
  CHECK_THROWS(ProcessRunner(rig.processes, {.path = "/no/such/program", .argv = {"it"}}));
  ProcessRunner runner(rig.processes,
                       {.path = "/no/such/program", .argv = {"it"}, .is_kept = false});
  const auto ended = rig.run(runner);
  CHECK(ended.end == End::kLost);
  CHECK(ended.error ==
        "could not be started: cannot start /no/such/program: No such file or directory");
}

namespace {

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
  // The bytes of so many runs, and one more.
  std::string takes_runs_and_more(std::uint64_t count) const {
    std::size_t bytes = 1;
    for (std::uint64_t i = 1; i <= count; ++i)
      bytes += frames::encode(frames::Run{i, "abcdef-1", 1, "work", args, directory}).size();
    return text("head -c ", bytes, " <&3 >/dev/null\n");
  }
  std::function<void()> on_printed = [] {};
  bool is_last_cancelled = false;
  std::vector<ProcessRunner::Ended> run(ProcessRunner& runner, std::size_t count) {
    std::vector<ProcessRunner::Run> runs(
        count, {.task = {.id = "abcdef-1", .kind = "work", .args = args, .directory = directory},
                .cancel_fd = [this] { return cancel_fd; },
                .on_output =
                    [this](bool, std::string_view bytes) {
                      printed += bytes;
                      on_printed();
                    }});
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

const std::string kAhead = says(frames::Hello{2, 8, 1}) + says(frames::Kind{"work"});
const std::string kWaits = "exec sleep 600\n";
std::string says_done(std::uint64_t number) {
  return says(frames::Done{number, Value(static_cast<std::int64_t>(number)).to_msgpack(), {}});
}

}  // namespace

TEST_CASE("a child that reads ahead has several runs at once, and ends one after another",
          "[process]") {
  ForeignRig rig;
  auto runner =
      rig.foreign(kAhead + kTakesRun + says_done(1) + says_done(2) + says_done(3) + kWaits);
  REQUIRE(runner.introduce()->ahead == 8);
  const auto ends = rig.run(runner, 3);
  REQUIRE(ends.size() == 3);
  for (std::size_t i = 0; i < ends.size(); ++i) {
    CHECK(ends[i].end == End::kDone);
    CHECK(ends[i].value == Value(static_cast<std::int64_t>(i + 1)));
  }
}

TEST_CASE("of the runs that a dead child had, those behind the one it was at had not begun",
          "[process]") {
  ForeignRig rig;
  auto runner = rig.foreign(kAhead + kTakesRun + says_done(1) + "exit 3\n");
  const auto ends = rig.run(runner, 4);
  REQUIRE(ends.size() == 4);
  CHECK(ends[0].end == End::kDone);
  CHECK(ends[1].end == End::kLost);
  CHECK(ends[1].error == "ended without a word, with code 3");
  CHECK(ends[2].end == End::kUnbegun);
  CHECK(ends[3].end == End::kUnbegun);
}

TEST_CASE("what a foreign child prints while it runs a task is the task's output", "[process]") {
  ForeignRig rig;
  auto runner = rig.foreign("echo at its start\n" + kHello + kTakesRun +
                            "echo within; echo it >&2\n" + says_done(1) + kWaits);
  REQUIRE(runner.introduce());
  rig.run(runner, 1);
  CHECK(rig.printed.find("within\n") != std::string::npos);
  CHECK(rig.printed.find("it\n") != std::string::npos);
  CHECK(rig.printed.find("start") == std::string::npos);
}

TEST_CASE("a foreign child that says no hello in time is told of, with what it printed",
          "[process]") {
  ForeignRig rig;
  rig.program.hello_within = 20ms;
  auto silent = rig.foreign("echo loading; exec sleep 600");
  CHECK(silent.introduce().error().message ==
        "runner odd: said no hello within 20 ms; it printed: loading");
  auto dead = rig.foreign("echo no such module >&2; exit 4");
  CHECK(dead.introduce().error().message ==
        "runner odd: ended without a word, with code 4; it printed: no such module");
}

TEST_CASE("while a foreign child cannot be started its tasks have not begun", "[process]") {
  ForeignRig rig;
  auto runner = rig.foreign("[ -e '" + rig.directory + "/broken' ] && exit 1\n" + kHello +
                            kTakesRun + "exit 3\n");
  REQUIRE(runner.introduce());
  std::ofstream(rig.directory + "/broken") << "";
  CHECK(rig.run(runner, 1)[0].error == "ended without a word, with code 3");
  const auto ends = rig.run(runner, 2);
  CHECK(ends[0].end == End::kUnbegun);
  CHECK(ends[1].end == End::kUnbegun);
  std::filesystem::remove(rig.directory + "/broken");
  auto next = rig.run(runner, 1);
  while (next[0].end == End::kUnbegun) next = rig.run(runner, 1);
  CHECK(next[0].error == "ended without a word, with code 3");
}

TEST_CASE("a foreign child that hangs or dies while it idles is replaced", "[process]") {
  ForeignRig rig;
  rig.program.ping_every = 1ms;
  rig.program.pong_within = 1ms;
  auto deaf = rig.foreign(kHello + kWaits);
  REQUIRE(deaf.introduce());
  rig.rest_until(deaf, 3);
  ForeignRig other;
  auto mortal = other.foreign(kHello + "exit 0");
  REQUIRE(mortal.introduce());
  other.rest_until(mortal, 3);
}

TEST_CASE("a foreign child is replaced after so many runs", "[process]") {
  ForeignRig rig;
  rig.program.runs_max = 2;
  auto runner =
      rig.foreign(kHello + kTakesRun + says_done(1) + says_done(2) + "exec cat <&3 >/dev/null\n");
  rig.run(runner, 1);
  CHECK(rig.starts() == 1);
  rig.run(runner, 1);
  rig.rest_until(runner, 2);
  CHECK(rig.run(runner, 1)[0].value == Value(1));
}

TEST_CASE("a foreign child that does not hear a cancel is told by signals", "[process]") {
  ForeignRig rig;
  ::eventfd_write(rig.cancel_fd, 1);
  auto runner = rig.foreign(kHello + "trap 'echo ended by it; exit 0' TERM\nsleep 600 & wait\n");
  REQUIRE(runner.introduce());
  const auto ended = rig.run(runner, 1)[0];
  CHECK(ended.end == End::kCancelled);
  CHECK(ended.error.find("SIGTERM") != std::string::npos);
  auto deaf = rig.foreign(kHello + "trap '' TERM\nwhile :; do sleep 0.01; done\n");
  REQUIRE(deaf.introduce());
  CHECK(rig.run(deaf, 1)[0].end == End::kCancelled);
}

TEST_CASE("a foreign child that was told by a signal has no other run, also if it says its end",
          "[process]") {
  ForeignRig rig;
  ::eventfd_write(rig.cancel_fd, 1);
  rig.program.ends_within = 20s;
  auto runner = rig.foreign(kAhead + "end() { " + says(frames::Failed{1, "stopped", {}}) +
                            "}\ntrap end TERM\nsleep 600 & wait\nexec cat <&3 >/dev/null\n");
  REQUIRE(runner.introduce());
  const auto ends = rig.run(runner, 3);
  REQUIRE(ends.size() == 3);
  CHECK(ends[0].end == End::kCancelled);
  CHECK(ends[0].error == "stopped");
  CHECK(ends[1].end == End::kUnbegun);
  CHECK(ends[2].end == End::kUnbegun);
  rig.rest_until(runner, 2);
}

TEST_CASE("a foreign child that has said its end is not told by a signal", "[process]") {
  ForeignRig rig;
  const auto printed = rig.directory + "/printed";
  const auto said = rig.directory + "/said";
  rig.on_printed = [&] {  // The wish that it ends and its end come in one.
    std::ofstream(printed) << "";
    while (!std::filesystem::exists(said)) ::usleep(1000);
    ::eventfd_write(rig.cancel_fd, 1);
  };
  auto runner = rig.foreign(
      kHello + kTakesRun + "echo word\nuntil [ -e '" + printed + "' ]; do sleep 0.001; done\n" +
      says_done(1) + "echo >'" + said + "'\n" +
      rig.takes_runs_and_more(1) + text("head -c ", frames::encode(frames::Cancel{1, 0}).size()) +
      " <&3 >/dev/null\n" + says_done(2) + kWaits);
  REQUIRE(runner.introduce());
  CHECK(rig.run(runner, 1)[0].end == End::kDone);
  eventfd_t taken = 0;
  ::eventfd_read(rig.cancel_fd, &taken);
  CHECK(rig.run(runner, 1)[0].value == Value(2));
  CHECK(rig.starts() == 1);
}

TEST_CASE("a child that reads ahead hears a cancel of what is behind the run it is at",
          "[process]") {
  ForeignRig rig;
  rig.is_last_cancelled = true;
  auto runner = rig.foreign(kAhead + rig.takes_runs_and_more(3) +
                            says(frames::Failed{1, "it is so", {}}) + says_done(2) +
                            says(frames::Failed{3, "it is not begun", {}}) + kWaits);
  const auto ends = rig.run(runner, 3);
  REQUIRE(ends.size() == 3);
  CHECK(ends[0].end == End::kFailed);  // Not at its time limit.
  CHECK(ends[1].end == End::kDone);
  CHECK(ends[2].error == "it is not begun");
}
