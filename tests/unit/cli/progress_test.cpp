#include "cli/progress.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using cli::Progress;
using cli::progress_text;
using cli::summary_text;
using cli::Unit;

TEST_CASE("a progress line says how far it is, how fast, and how long still", "[progress]") {
  REQUIRE(progress_text({0, 10, 0, 0.1, Unit::kTasks, ""}, 200) ==
          "[....................] 0/10  0.1 s");
  REQUIRE(progress_text({5, 10, 0, 4, Unit::kTasks, ""}, 200) ==
          "[##########..........] 5/10  4.0 s  1.2/s  ETA 4.0 s");
  REQUIRE(progress_text({500, 1000, 2, 90, Unit::kTasks, "photo.jpg"}, 200) ==
          "[##########..........] 500/1000, 2 failed  1:30 min  5.6/s  ETA 1:30 min  photo.jpg");
  REQUIRE(progress_text({1'500'000, 3'000'000, 0, 1, Unit::kBytes, "a"}, 200) ==
          "[##########..........] 1.5 MB/3.0 MB  1.0 s  1.5 MB/s  a");
  REQUIRE(progress_text({10, 10, 0, 4000, Unit::kTasks, ""}, 200) ==
          "[####################] 10/10  1:06 h  0.0/s");
}

TEST_CASE("an ETA is guessed from enough only", "[progress]") {
  const auto has_eta = [](const Progress& progress) {
    return progress_text(progress, 200).find("ETA") != std::string::npos;
  };
  REQUIRE_FALSE(has_eta({5, 10, 0, 1.9, Unit::kTasks, ""}));
  REQUIRE_FALSE(has_eta({2, 10, 0, 5, Unit::kTasks, ""}));
  REQUIRE_FALSE(has_eta({10, 10, 0, 5, Unit::kTasks, ""}));
  REQUIRE(has_eta({3, 10, 0, 2, Unit::kTasks, ""}));
  REQUIRE(has_eta({1, 10, 0, 2, Unit::kBytes, ""}));
}

TEST_CASE("a progress line is never longer than the terminal, nor misled by a total",
          "[progress]") {
  REQUIRE(progress_text({5, 10, 0, 4, Unit::kTasks, ""}, 10).size() <= 12);  // An ellipsis' bytes.
  REQUIRE(progress_text({0, 0, 0, 0, Unit::kTasks, ""}, 200) ==
          "[....................] 0/0  0.0 s");
  REQUIRE(progress_text({20, 10, 0, 1, Unit::kTasks, ""}, 200)
              .starts_with("[####################] 20/10"));
  REQUIRE(progress_text({0, 1, 0, 0, Unit::kBytes, "\x1b[2J"}, 200).find('\x1b') ==
          std::string::npos);
}

TEST_CASE("a task says how far it is, and is told with its rate", "[progress]") {
  cli::TaskProgress progress;
  CHECK(progress.text().empty());
  progress.hear(5, 0, "", TimePoint(1s));
  CHECK(progress.text() == "5");
  progress.hear(45, 100, "page\x1b[2J", TimePoint(5s));
  CHECK(progress.text() == "45 of 100 (45 %)  10/s  page\\x1b[2J");
  progress.hear(2, 100, "", TimePoint(6s));  // The next attempt.
  CHECK(progress.text() == "2 of 100 (2 %)");
  progress = {};
  progress.hear(0, 0, "linking", TimePoint(1s));
  CHECK(progress.text() == "linking");
}

TEST_CASE("how far tasks are is told of all that say it together", "[progress]") {
  cli::TasksProgress together;
  cli::TaskProgress task;
  task.hear(7, 0, "of nobody knows how much", TimePoint(1s));
  together.add(task);
  CHECK(together.text().empty());
  task.hear(5, 100, "", TimePoint(2s));
  task.hear(45, 100, "", TimePoint(6s));
  together.add(task);
  CHECK(together.text() == "1 task is at 45 of 100 (45 %)  10/s");
  task.hear(300, 200, "", TimePoint(7s));
  together.add(task);
  CHECK(together.text().starts_with("2 tasks are at 245 of 300 (81 %)  "));
}

TEST_CASE("the last line sums up", "[progress]") {
  REQUIRE(summary_text({1000, 1000, 2, 12.3, Unit::kTasks, ""}) ==
          "1000 tasks: 998 done, 2 failed in 12.3 s, 81/s");
  REQUIRE(summary_text({1, 1, 0, 0.5, Unit::kTasks, ""}) ==
          "1 task: 1 done, 0 failed in 0.5 s, 2.0/s");
  REQUIRE(summary_text({2'000'000, 2'000'000, 0, 2, Unit::kBytes, ""}) ==
          "2.0 MB in 2.0 s, 1.0 MB/s");
}
