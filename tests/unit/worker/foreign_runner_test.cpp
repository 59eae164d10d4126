#include "tests/unit/worker/process_rig.hpp"

using namespace eole;
using namespace eole::worker::process_rig;
using worker::ProcessRunner;

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
  CHECK_FALSE(runner.problem().empty());
  while (!runner.problem().empty()) runner.rest();
  CHECK(rig.run(runner, 1)[0].error == "ended without a word, with code 3");
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
  auto runner = rig.foreign(kHello + kTakesRun + "echo word\nuntil [ -e '" + printed +
                            "' ]; do sleep 0.001; done\n" + says_done(1) + "echo >'" + said +
                            "'\n" + rig.takes_runs(1, 1) +
                            text("head -c ", frames::encode(frames::Cancel{1, 0}).size()) +
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
  auto runner =
      rig.foreign(kAhead + rig.takes_runs(3, 1) + says(frames::Failed{1, "it is so", {}}) +
                  says_done(2) + says(frames::Failed{3, "it is not begun", {}}) + kWaits);
  const auto ends = rig.run(runner, 3);
  REQUIRE(ends.size() == 3);
  CHECK(ends[0].end == End::kFailed);  // Not at its time limit.
  CHECK(ends[1].end == End::kDone);
  CHECK(ends[2].error == "it is not begun");
}

TEST_CASE("a child that fetches and does not read costs its worker little memory", "[process]") {
  ForeignRig rig;
  rig.on_fetch = [](auto&, auto&) { return Error{std::string(10'000, 'x')}; };
  auto runner = rig.foreign(kHello + kTakesRun + "while :; do\n" +
                            says(frames::Fetch{1, "it", "it"}) + "done\n");
  const auto ended = rig.run(runner, 1)[0];
  CHECK(ended.end == End::kLost);
  CHECK(ended.error.starts_with("spoke nonsense: fetches, but does not read "));
}

TEST_CASE("a file of too long a name is not fetched, which is told", "[process]") {
  ForeignRig rig;
  std::size_t fetches = 0;
  rig.on_fetch = [&](auto&, auto&) { return ++fetches, Expected<void>(); };
  const std::string name(256, 'n');
  const auto answer = frames::encode(frames::Fetched{1, name, "a name of 256 bytes, limit 255"});
  auto runner =
      rig.foreign(kHello + rig.takes_runs(1) + says(frames::Fetch{1, "it", name}) +
                  text("head -c ", answer.size(), " <&3 >'", rig.directory, "/answer'\n") +
                  says_done(1) + kWaits);
  CHECK(rig.run(runner, 1)[0].end == End::kDone);
  std::ifstream file(rig.directory + "/answer", std::ios::binary);
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == answer);
  CHECK(fetches == 0);
}

TEST_CASE("a foreign child that takes fewer runs at a time than before does not start",
          "[process]") {
  ForeignRig rig;
  auto runner =
      rig.foreign("[ -e '" + rig.directory + "/again' ] && {\n" + kHello + kWaits + "}\necho >'" +
                  rig.directory + "/again'\n" + kAhead + kTakesRun + "exit 3\n");
  REQUIRE(runner.introduce());
  CHECK(rig.run(runner, 1)[0].error == "ended without a word, with code 3");
  const auto ended = rig.run(runner, 8)[0];
  CHECK(ended.end == End::kUnbegun);
  CHECK(ended.error.ends_with("1 runs ahead, there were 8 before"));
}
