#include <chrono>
#include <cstdlib>
#include <utility>
#include <vector>

#include "cli/limits.hpp"
#include "cli/submission.hpp"
#include "common/base/counted.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

namespace {

// The rows whose queens a task is given: its part is small enough for all workers to end together.
int rows_given(int n) { return n < 5 ? 0 : n < 14 ? 2 : n < 18 ? 3 : 4; }

/// Each way to place queens in the first rows, and how many boards a solution there stands for: the
/// mirrored one is not looked for.
struct Part {
  std::vector<int> queens;
  int times = 1;
};
void add_parts(int n, bool is_mirrored, Part part, std::vector<Part>& parts) {
  const auto row = static_cast<int>(part.queens.size());
  if (row == rows_given(n)) return parts.push_back(std::move(part));
  const bool is_halved = is_mirrored && part.times == 1;
  for (int column = 0; column < (is_halved ? (n + 1) / 2 : n); ++column) {
    bool is_free = true;
    for (int above = 0; above < row; ++above) {
      const auto other = part.queens[static_cast<std::size_t>(above)];
      is_free = is_free && other != column && std::abs(other - column) != row - above;
    }
    if (!is_free) continue;
    auto next = part;
    next.queens.push_back(column);
    if (is_halved && 2 * column + 1 != n) next.times = 2;
    add_parts(n, is_mirrored, std::move(next), parts);
  }
}

void print_board(const Value& board, int n) {
  for (const auto& queen : *board.as<Value::Array>()) {
    std::string row;
    for (int column = 0; column < n; ++column)
      row += text(column == 0 ? "" : " ", column == queen.int_or(0) ? "Q" : ".");
    std::puts(row.c_str());
  }
  std::puts("");
}

}  // namespace

void add_nqueens(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("nqueens", "Count N-queens solutions over the workers");
  auto n = std::make_shared<int>(0);
  auto show = std::make_shared<int>(0);
  command->add_option("n", *n, "queens, 1 to 20")->required()->check(whole_number(1, 20));
  command->add_option("--show", *show, "so many of the boards, 1 to 1000")
      ->check(whole_number(1, 1000));
  command->add_flag("--json", globals.json, "one JSON object");
  command->callback([n, show, &globals] {
    Cluster cluster(globals);
    Submission submission(cluster, "", true);
    const auto started = std::chrono::steady_clock::now();
    std::vector<Part> parts;
    add_parts(*n, *show == 0 && rows_given(*n) > 0, {}, parts);
    for (const auto& part : parts) {
      TaskRequest task;
      task.task_class = {"nqueens", text("nqueens-", *n)};
      Value args = Value::Map{{"n", *n}};
      if (!part.queens.empty())
        args.set("prefix", Value::Array(part.queens.begin(), part.queens.end()));
      if (*show > 0) args.set("show", *show);
      task.args = args.to_msgpack();
      submission.add(task);
    }
    submission.finish();
    std::int64_t solutions = 0;
    std::size_t place = 0;  // Results come in the order of the tasks.
    Value::Array boards;
    const bool all_done = submission.wait([&](const Value& view) {
      solutions += parts.at(place++).times * view["value"]["solutions"].int_or(0);
      if (const auto* more = view["value"]["boards"].as<Value::Array>())
        for (const auto& board : *more)
          if (std::ssize(boards) < *show) boards.push_back(board);
    });
    if (!all_done) throw Failure{kNotDone, "nqueens: a part of the board was not done"};
    const auto seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    if (globals.json) {
      Value told = Value::Map{
          {"n", *n}, {"solutions", solutions}, {"tasks", submission.count()}, {"seconds", seconds}};
      if (*show > 0) told.set("boards", std::move(boards));
      print_json(told);
    } else {
      for (const auto& board : boards) print_board(board, *n);
      std::printf("%s: %s, %s, %s\n", counted(static_cast<std::uint64_t>(*n), "queen").c_str(),
                  counted(static_cast<std::uint64_t>(solutions), "solution").c_str(),
                  counted(submission.count(), "task").c_str(), human_seconds(seconds).c_str());
    }
  });
}

}  // namespace eole::cli
