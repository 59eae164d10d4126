#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "cli/bench.hpp"
#include "clients/cpp/blocking/submitter.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"

// What a cluster does when its processes die, and when it has many of them.
namespace eole::cli {

namespace {

constexpr Duration kPollEvery = 200us;
constexpr Duration kPatience = 60s;
constexpr Duration kAnswerWithin = 50ms;  // While a role is away: then it is asked anew.

double milliseconds_since(TimePoint start) {
  return std::chrono::duration<double, std::milli>(process::now() - start).count();
}

void wait_for(const std::string& what, BenchTasks& tasks, const std::function<bool()>& is_so) {
  const auto until = process::now() + kPatience;
  while (!is_so()) {
    tasks.end_if_stopped();
    if (process::now() > until)
      throw Failure{kNoCluster, text("not within ", kPatience / 1s, " s: ", what)};
    std::this_thread::sleep_for(kPollEvery);
  }
}

// A pid that a role tells is believed only if it is that program, here.
void send_signal(const Value& pid, const std::string& role, int signal) {
  const auto number = static_cast<pid_t>(pid.int_or(0));
  std::error_code error;
  const auto program = std::filesystem::read_symlink(text("/proc/", number, "/exe"), error);
  if (number <= 0 || error || program.filename() != role)
    throw Failure{kBadUse, text("the ", role, " (pid ", number, ") is not on this machine")};
  if (::kill(number, signal) != 0)
    throw Failure{kBadUse, text("the ", role, " (pid ", number, ") is somebody else's")};
}

// Until it answers under another pid, and a task is settled.
double recover(Cluster& cluster, client::Requests& role, const std::string& endpoint,
               const std::string& name) {
  const auto pid = need(role.query("status"))["pid"];
  const auto start = process::now();
  send_signal(pid, name, SIGKILL);
  BenchTasks none(cluster);
  wait_for(text("the ", name, " is started again"), none, [&] {
    client::Requests fresh(cluster.context, endpoint, name);
    const auto status = fresh.query("status", {}, {}, kAnswerWithin);
    return status && (*status)["pid"].int_or(0) != pid.int_or(0);
  });
  settle_one(cluster);
  return milliseconds_since(start);
}

/// A process that stands still goes on when this ends.
struct Continued {
  pid_t pid = 0;
  ~Continued() {
    if (pid > 0) ::kill(pid, SIGCONT);
  }
};

Value::Array connected(Cluster& cluster) {
  return *need(cluster.ventilator.query("workers")).as<Value::Array>();
}

// Until the task of the worker that gets `signal` has begun its second attempt.
double redeliver(Cluster& cluster, int signal) {
  TaskId id;
  BenchTasks tasks(cluster);
  client::Submitter client(cluster.context, cluster.file, {},
                           [&](Origin origin, Seq first, std::uint32_t count) {
                             id = {origin, first};
                             tasks.add(origin, first, count);
                           });
  const auto args = Value(Value::Map{{"seconds", 60}}).to_msgpack();
  need(client.add({"sleep", "bench", 0, 0}, args));
  need(client.finish());
  Value task;
  const auto attempt_is = [&](std::int64_t wanted) {
    task = need(cluster.ventilator.query("task", id));
    return task["state"].text_or("") == "running" && task["attempt"].int_or(0) == wanted;
  };
  wait_for("a worker takes a task", tasks, [&] { return attempt_is(1); });
  const auto holder = task["worker"].text_or("");
  Value pid;
  for (const auto& worker : connected(cluster))
    if (worker["name"].text_or("") == holder) pid = worker["pid"];
  const auto start = process::now();
  send_signal(pid, "worker", signal);
  const Continued continued{signal == SIGSTOP ? static_cast<pid_t>(pid.int_or(0)) : 0};
  wait_for("the task's next attempt", tasks, [&] { return attempt_is(2); });
  const auto took = milliseconds_since(start);
  SeqRanges ranges;
  ranges.add(id.seq, id.seq);
  need(cluster.ventilator.ask(protocol::Cancel{0, id.origin, ranges.encode()}));
  wait_for("the task is cancelled", tasks,
           [&] { return need(cluster.ventilator.query("task", id)).is_null(); });
  tasks.leave();
  return took;
}

/// Workers of this command's own; they are drained when it ends.
class MoreWorkers {
 public:
  MoreWorkers() = default;
  void start(const std::string& cluster_file, std::uint32_t count) {
    const auto directory = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    const auto program = (directory / "worker").string();
    std::filesystem::create_directories(scratch_);
    for (std::uint32_t i = 1; i <= count; ++i) {
      const auto name = text("bench-", ::getpid(), "-", i);
      std::vector<std::string> words{program,
                                     "--cluster",
                                     cluster_file,
                                     "--name",
                                     name,
                                     "--data",
                                     (scratch_ / name).string(),
                                     "--slots",
                                     "1"};
      std::vector<char*> argv;
      argv.reserve(words.size() + 1);
      for (auto& word : words) argv.push_back(word.data());
      argv.push_back(nullptr);
      posix_spawn_file_actions_t quiet;
      ::posix_spawn_file_actions_init(&quiet);
      ::posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
      pid_t pid = 0;
      const int error = ::posix_spawn(&pid, program.c_str(), &quiet, nullptr, argv.data(), environ);
      ::posix_spawn_file_actions_destroy(&quiet);
      if (error != 0) throw Failure{kBadUse, text("cannot start ", program)};
      pids_.push_back(pid);
    }
  }
  ~MoreWorkers() {
    for (const auto pid : pids_) ::kill(pid, SIGTERM);
    for (const auto pid : pids_) ::waitpid(pid, nullptr, 0);
    std::error_code error;
    std::filesystem::remove_all(scratch_, error);
  }
  MoreWorkers(const MoreWorkers&) = delete;
  MoreWorkers& operator=(const MoreWorkers&) = delete;

 private:
  std::filesystem::path scratch_ =
      std::filesystem::temp_directory_path() / text("eole-bench-", ::getpid());
  std::vector<pid_t> pids_;
};

}  // namespace

Value::Map recovery(Cluster& cluster, const BenchOptions&) {
  settle_one(cluster);  // Without workers this fails, and nothing is killed.
  const auto ventilator =
      recover(cluster, cluster.ventilator, cluster.file.ventilator, "ventilator");
  const auto sink = recover(cluster, cluster.sink, cluster.file.queries, "sink");
  return {{"tasks", 2}, {"ventilator_killed_ms", ventilator}, {"sink_killed_ms", sink}};
}

Value::Map redelivery(Cluster& cluster, const BenchOptions&) {
  const auto workers = connected(cluster);
  if (workers.size() < 2) throw Failure{kBadUse, "bench redelivery: needs two workers"};
  for (const auto& worker : workers) send_signal(worker["pid"], "worker", 0);  // All are here.
  const auto killed = redeliver(cluster, SIGKILL);
  BenchTasks none(cluster);
  wait_for("the worker is started again", none, [&] { return connected(cluster).size() >= 2; });
  const auto hung = redeliver(cluster, SIGSTOP);
  return {{"tasks", 2}, {"worker_killed_ms", killed}, {"worker_hung_ms", hung}};
}

Value::Map scale(Cluster& cluster, const BenchOptions& options, const Globals& globals) {
  if (cluster.file.is_encrypted())
    throw Failure{kBadUse,
                  "bench scale: a client's keys cannot start workers; use a local cluster"};
  auto measured = throughput(cluster, options);
  const auto before = connected(cluster).size();
  MoreWorkers more;
  more.start(net::cluster_file_path(globals.cluster_path), options.workers);
  BenchTasks none(cluster);
  wait_for("the workers are connected", none,
           [&] { return connected(cluster).size() >= before + options.workers; });
  const auto rate = [](const Value::Map& of) {
    return *Value(of)["tasks_per_second"].as<double>();
  };
  const auto with = rate(throughput(cluster, options));
  measured.emplace_back("workers", options.workers);
  measured.emplace_back("with_more_workers", with);
  measured.emplace_back("share", with / rate(measured));
  return measured;
}

}  // namespace eole::cli
