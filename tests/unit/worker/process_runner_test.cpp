#include "tests/unit/worker/process_rig.hpp"

using namespace eole;
using namespace eole::worker::process_rig;
using worker::ProcessRunner;

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
  CHECK(problem(says(frames::Hello{}) + says(frames::Kind{{"play"}})) ==
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
