#include <catch2/catch.hpp>
#include <sstream>

#include "cli/top/frame.hpp"

using namespace eole;
using cli::top_frame;
using protocol::Value;

namespace {

Value snapshot(int tasks = 1) {
  Value::Array running;
  for (int i = 1; i <= tasks; ++i)
    running.push_back(Value::Map{{"id", "k3f9qz-" + std::to_string(i)},
                                 {"kind", "exec"},
                                 {"project", "photos"},
                                 {"worker", "w1"},
                                 {"age_seconds", 75.0},
                                 {"progress", "3 of 10 (30 %)  1.5/s  page\x1b[2J"}});
  return Value::Map{
      {"time", "12:34:56"},
      {"ventilator", "k3f9qz"},
      {"state", "ready"},
      {"queued", 120},
      {"running", tasks},
      {"done", 4990},
      {"failed", 8},
      {"dead", 2},
      {"cancelled", 0},
      {"rates", Value::Map{{"accepted", 0.0}, {"settled", 34.5}, {"failed", Value()}}},
      {"eta_seconds", 3.5},
      {"journal_bytes", 1500000},
      {"log_bytes", 20},
      {"workers",
       Value::Array{Value::Map{
           {"name", "w1"},
           {"state", "ready"},
           {"slots", 2},
           {"running", 1},
           {"held", 3},
           {"kinds", "echo,exec"},
           {"labels", Value::Map{{"gpu", "a100"}}},
           {"resources", Value::Map{{"mem", Value::Map{{"all", 2048.0}, {"free", 1024.0}}}}}}}},
      {"projects", Value::Array{Value::Map{{"project", ""},
                                           {"running", 0},
                                           {"done", 7},
                                           {"failed", 1},
                                           {"progress", "1 task is at 3 of 10 (30 %)"}}}},
      {"tasks", std::move(running)},
      {"failures", Value::Array{Value::Map{{"id", "k3f9qz-7"},
                                           {"kind", "exec"},
                                           {"project", "photos"},
                                           {"state", "failed"},
                                           {"error", "exit code 3"}}}}};
}

std::vector<std::string> lines(const std::string& frame) {
  std::vector<std::string> out;
  std::istringstream in(frame);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

std::size_t characters(const std::string& line) {
  std::size_t count = 0;
  for (const char byte : line) count += (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
  return count;
}

}  // namespace

TEST_CASE("a frame shows counts, rates, workers, projects, tasks and what failed", "[top]") {
  CHECK(top_frame(snapshot(), 80, 24, false) ==
        "eole top  12:34:56  ventilator k3f9qz  ready\n"
        "queued 120  running 1  done 4990  failed 8  dead 2  cancelled 0\n"
        "accepted 0.0/s  settled 34/s  failed -  ETA 3.5 s  journal 1.5 MB  log 20 B\n"
        "\n"
        "WORKER             STATE    SLOTS RUNNING HELD   KINDS, HAS (free/all)\n"
        "w1                 ready    2     1       3      echo,exec  gpu=a100 mem 1K/2K\n"
        "\n"
        "PROJECT                     RUNNING DONE       FAILED (since it is shown)\n"
        "-                           0       7          1  1 task is at 3 of 10 (30 %)\n"
        "\n"
        "TASK           KIND      PROJECT    WORKER     AGE      PROGRESS\n"
        "k3f9qz-1       exec      photos     w1         1:15 min 3 of 10 (30 %)  1.5/s  …\n"
        "\n"
        "LAST FAILED    STATE     KIND      PROJECT    WHY\n"
        "k3f9qz-7       failed    exec      photos     exit code 3\n");
}

TEST_CASE("a frame is never larger than the screen, and counts what it leaves out", "[top]") {
  for (const std::size_t rows : {1U, 3U, 4U, 6U, 10U, 24U, 200U})
    for (const std::size_t columns : {1U, 20U, 80U, 300U}) {
      const auto frame = lines(top_frame(snapshot(100), columns, rows, false));
      CHECK(frame.size() <= std::max<std::size_t>(rows, 3));
      for (const auto& line : frame) CHECK(characters(line) <= columns);
    }
  const auto frame = top_frame(snapshot(100), 80, 24, false);
  CHECK(lines(frame).size() == 24);
  CHECK(frame.find("… 91 more") != std::string::npos);
}

TEST_CASE("colours and nothing else of a frame are for a terminal", "[top]") {
  const auto plain = top_frame(snapshot(), 200, 24, false);
  CHECK(plain.find('\x1b') == std::string::npos);
  CHECK(plain.find("page\\x1b[2J") != std::string::npos);
  const auto coloured = top_frame(snapshot(), 200, 24, true);
  CHECK(coloured.find("\x1b[31mk3f9qz-7") != std::string::npos);
  CHECK(coloured.find("\x1b[32mw1") != std::string::npos);
}

TEST_CASE("a frame of nothing has no tables", "[top]") {
  CHECK(lines(top_frame(Value(), 80, 24, false)).size() == 3);
}
