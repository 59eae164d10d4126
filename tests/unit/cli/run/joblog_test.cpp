#include "cli/run/joblog.hpp"

#include <catch2/catch.hpp>
#include <sstream>

using namespace eole;
using namespace eole::cli;
using namespace std::string_literals;

namespace {

std::string line(std::uint64_t number, int exit_value = 0, int signal = 0) {
  return joblog_line({number, "w1", 1'700'000'000'123, 45, 6, exit_value, signal, "echo a"});
}

Expected<Joblog> read(const std::string& text, std::uint64_t since = 0) {
  std::istringstream input(text);
  return read_joblog(input, since);
}

Expected<AcceptedJobs> accepted(const std::string& text) {
  std::istringstream input(text);
  return read_accepted(input);
}

}  // namespace

TEST_CASE("a joblog has the columns of GNU parallel", "[run]") {
  REQUIRE(std::string(kJoblogHeader) ==
          "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n");
  REQUIRE(joblog_line({3, "w1", 1'700'000'000'123, 45, 6, 2, 9, "a\tb\nc"}) ==
          "3\tw1\t1700000000.123\t     0.045\t0\t6\t2\t9\ta\tb\0c\n"s);
}

TEST_CASE("a joblog says which jobs have ended, and which of them failed last", "[run]") {
  const auto log = read(kJoblogHeader + line(1) + line(3, 1) + line(2, 0, 9) + line(3));
  REQUIRE(log);
  REQUIRE(log->ended.count() == 3);
  REQUIRE(log->failed.count() == 1);
  REQUIRE(log->failed.contains(2));
  REQUIRE(read("")->ended.count() == 0);
}

TEST_CASE("a line that was not written whole is none", "[run]") {
  const auto whole = kJoblogHeader + line(1);
  const auto log = read(whole + line(2).substr(0, 20));
  REQUIRE(log);
  REQUIRE(log->ended.count() == 1);
  REQUIRE(log->whole_bytes == whole.size());
}

TEST_CASE("lines behind a place are told apart", "[run]") {
  const auto before = kJoblogHeader + line(1) + line(2);
  const auto log = read(before + line(3), before.size());
  REQUIRE(log->ended.count() == 3);
  REQUIRE(log->ended_since.count() == 1);
  REQUIRE(log->ended_since.contains(3));
}

TEST_CASE("what is no joblog is refused by its line", "[run]") {
  REQUIRE(read("hello\n").error().message == "is no joblog: its first line names no columns");
  REQUIRE(read(kJoblogHeader + line(1) + "x\ty\n").error().message ==
          "line 3: is none of a joblog");
  REQUIRE_FALSE(read(kJoblogHeader + std::string("0\tw\t1\t1\t0\t0\t0\t0\tc\n")));
  REQUIRE_FALSE(read(kJoblogHeader + std::string("1\tw\t1\t1\t0\t0\tx\t0\tc\n")));
}

TEST_CASE("what was accepted is written in stretches and read again", "[run]") {
  AcceptedJobs jobs;
  jobs.add(1, {7, 10});
  jobs.add(2, {7, 11});
  jobs.add(4, {7, 12});
  jobs.add(5, {8, 13});
  REQUIRE(jobs.stretches.size() == 3);
  auto written = accepted_header(99);
  for (const auto& [job, stretch] : jobs.stretches) written += accepted_line(job, stretch);
  const auto again = accepted(written);
  REQUIRE(again);
  REQUIRE(again->since == 99);
  REQUIRE(again->stretches.size() == 3);
  REQUIRE(again->stretches.at(1).count == 2);
  REQUIRE(again->stretches.at(5).first == TaskId{8, 13});
  REQUIRE(accepted(written + "6 1 aaa")->stretches.size() == 3);
  REQUIRE_FALSE(accepted("nonsense\n"));
  REQUIRE_FALSE(accepted(accepted_header(0) + "1 x aaaaaa-1\n"));
}
