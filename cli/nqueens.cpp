#include <CLI/CLI.hpp>
#include <chrono>

#include "cli/limits.hpp"
#include "cli/submission.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

namespace {

std::string counted(std::uint64_t count, const char* what) {
  return text(count, " ", what, count == 1 ? "" : "s");
}

}  // namespace

void add_nqueens(CLI::App& app, Globals& globals) {
  auto* command = app.add_subcommand("nqueens", "Count N-queens solutions over the workers");
  auto n = std::make_shared<int>(0);
  command->add_option("n", *n, "queens, 1 to 20")->required()->check(whole_number(1, 20));
  command->add_flag("--json", globals.json, "one JSON object");
  command->callback([n, &globals] {
    Cluster cluster(globals);
    Submission submission(cluster, "", true);
    constexpr int kSplitFrom = 5;  // Below it the whole board is one task.
    const auto project = text("nqueens-", *n);
    const auto started = std::chrono::steady_clock::now();
    const auto submit = [&](const Value& args) {
      TaskRequest task;
      task.task_class = {"nqueens", project};
      task.args = args.to_msgpack();
      submission.add(task);
    };
    if (*n < kSplitFrom) submit(Value::Map{{"n", *n}});
    for (int first = 0; *n >= kSplitFrom && first < *n; ++first)
      for (int second = 0; second < *n; ++second)
        if (second < first - 1 || second > first + 1)
          submit(Value::Map{{"n", *n}, {"prefix", Value::Array{first, second}}});
    submission.finish();
    std::int64_t solutions = 0;
    const bool all_done = submission.wait(
        [&](const Value& view) { solutions += view["value"]["solutions"].int_or(0); });
    if (!all_done) throw Failure{kNotDone, "nqueens: a part of the board was not done"};
    const auto seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    if (globals.json) {
      print_json(Value::Map{{"n", *n},
                            {"solutions", solutions},
                            {"tasks", submission.count()},
                            {"seconds", seconds}});
    } else {
      std::printf("%s: %s, %s, %s\n", counted(static_cast<std::uint64_t>(*n), "queen").c_str(),
                  counted(static_cast<std::uint64_t>(solutions), "solution").c_str(),
                  counted(submission.count(), "task").c_str(), human_seconds(seconds).c_str());
    }
  });
}

}  // namespace eole::cli
