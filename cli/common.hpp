#pragma once
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "cli/command.hpp"
#include "clients/cpp/blocking/requests.hpp"
#include "common/base/durations.hpp"
#include "common/base/shown.hpp"
#include "common/kinds/offered.hpp"
#include "common/net/cluster_file.hpp"
#include "common/net/socket.hpp"
#include "common/protocol/value.hpp"

namespace eole::cli {

using protocol::Value;

/// Exit codes, the same for every command.
constexpr int kDone = 0;
constexpr int kNotDone = 1;    // A task did not end as done, or is not settled.
constexpr int kBadUse = 2;     // Bad input, here or as a role sees it: nothing more was done.
constexpr int kNoCluster = 3;  // No answer.

/// What every command may need.
struct Globals {
  std::string cluster_path;
  bool json = false;
  kinds::OfferedKinds offered = {};  // If the words that were given may be about that.
  int exit_code = kDone;
};

/// A connection to the cluster. Throws Failure if the cluster file cannot be used.
struct Cluster {
  explicit Cluster(const Globals& globals);
  net::ClusterFile file;
  net::Context context;
  client::Requests ventilator;
  client::Requests sink;
};

/// Ends the command: the message, of one line or more, goes to standard error.
struct Failure {
  int exit_code = kBadUse;
  std::string message;
};
/// The value, or a Failure with its error, in one line: kNoCluster if nobody answered, else
/// `otherwise`.
template <class T>
T need(Expected<T> outcome, int otherwise = kBadUse) {
  if (!outcome)
    throw Failure{outcome.error().is_silence() ? kNoCluster : otherwise,
                  shown(outcome.error().message)};
  if constexpr (!std::is_void_v<T>) return std::move(*outcome);
}
TaskId need_id(const std::string& written);

/// What was printed is on its way. Throws Failure if it cannot be written: a longer list is in
/// vain.
void flush_output();
/// For a command that waits: ends it, as a write would, when nobody reads its output any more.
void end_if_unread();
/// One JSON object and a line end, flushed.
void print_json(const Value& value);
bool is_terminal(int fd);
/// `text` in a colour (ANSI number) if standard output is a terminal.
std::string coloured(const std::string& text, int colour);
std::string coloured_state(const std::string& state);
/// `text` as it may be shown, cut or filled with blanks to so many characters.
std::string cell(const std::string& text, std::size_t columns);
/// "1.5 MB".
std::string human_bytes(double bytes);
/// "3.2/s", "120/s".
std::string human_rate(double per_second);
/// One result for a person: a line, and behind it what a command printed.
void print_result(const Value& view);
/// Why each attempt failed, a line each, if none of these attempts has said it.
void print_reasons(const Value& view, const Value::Array& attempts = {});
/// Every bound of every role, with what the roles use now.
void show_bounds(const Globals& globals);
/// One task with all its attempts; the exit code.
int show_task(const Globals& globals, const std::string& written);

// Each adds its command to `app`.
void add_up(Command& app, Globals& globals);
void add_init(Command& app, Globals& globals);
void add_doctor(Command& app, Globals& globals);
void add_submit(Command& app, Globals& globals);
void add_run(Command& app, Globals& globals);
void add_top(Command& app, Globals& globals);
void add_schedule(Command& app, Globals& globals);
void add_chain(Command& app, Globals& globals);
void add_alert(Command& app, Globals& globals);
void add_group(Command& app, Globals& globals);
void add_ledger(Command& app, Globals& globals);
void add_nqueens(Command& app, Globals& globals);
void add_watch(Command& app, Globals& globals);
void add_status(Command& app, Globals& globals);
void add_explain(Command& app, Globals& globals);
void add_workers(Command& app, Globals& globals);
void add_result(Command& app, Globals& globals);
void add_fetch(Command& app, Globals& globals);
void add_results(Command& app, Globals& globals);
void add_history(Command& app, Globals& globals);
void add_logs(Command& app, Globals& globals);
void add_tasks(Command& app, Globals& globals);
void add_project(Command& app, Globals& globals);
void add_cancel(Command& app, Globals& globals);
void add_control(Command& app, Globals& globals);
void add_dead(Command& app, Globals& globals);
void add_token(Command& app, Globals& globals);
void add_salvage(Command& app, Globals& globals);
void add_join(Command& app, Globals& globals);
void add_bench(Command& app, Globals& globals);
void add_completion(Command& app, Globals& globals);

}  // namespace eole::cli
