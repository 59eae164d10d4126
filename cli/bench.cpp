#include "cli/bench.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <numeric>
#include <thread>
#include <vector>

#include "cli/limits.hpp"
#include "clients/cpp/blocking/log_reader.hpp"
#include "clients/cpp/blocking/submitter.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"

// Load for a running cluster: no-op tasks in, their results back from the log.
namespace eole::cli {

namespace {

constexpr Duration kPatience = 60s;
constexpr Duration kLookEvery = 100ms;  // For a signal, and whether the submitter has failed.
constexpr std::uint64_t kTasksMost = 1'000'000'000;  // Each message has its time of begin.

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// About 100 bytes of arguments, as the tasks of other systems' benchmarks have.
std::string arguments() { return Value(Value::Map{{"text", std::string(90, 'x')}}).to_msgpack(); }

/// What the submitting thread and the reading one tell each other.
struct Ring {
  std::uint64_t size = 0;  // Tasks between the two at most; zero: any number.
  std::atomic<std::uint64_t> seen{0};
  std::atomic<Seq> first{0};  // The first task's; the others follow, unless somebody else submits.
  std::uint32_t batch = 1;
  std::vector<std::atomic<std::int64_t>> begun;  // Of each message, in nanoseconds.
  std::atomic<bool> is_over{false};  // Nobody waits any more: nothing more is submitted.
  std::atomic<bool> is_refused{false};  // The submitter has ended with a problem.
  /// The other one goes on.
  void end() {
    is_over = true;
    seen = UINT64_MAX;
    seen.notify_one();
  }
};

/// Waits for `count` results of `project`, each task's once. Returns in microseconds, ascending,
/// how old the first task of each batch was.
std::vector<double> await(client::LogReader& reader, std::uint64_t count,
                          const std::string& project, BenchTasks& tasks, Ring* ring) {
  SeqRanges seen;
  std::vector<double> micros;
  auto last_news = process::now();
  while (seen.count() < count) {
    tasks.end_if_stopped();
    const auto encoded = need(reader.next(kLookEvery));
    if (ring != nullptr && ring->is_refused) return micros;
    if (!encoded) {
      if (process::now() > last_news + kPatience)
        throw Failure{kNoCluster, text("no result within ", kPatience / 1s, " s: is a worker up?")};
      continue;
    }
    last_news = process::now();
    const auto batch = protocol::read_batch(*encoded);
    protocol::ResultReader records(batch->records);
    Seq first = 0;
    while (const auto result = records.next()) {
      if (!result->project.starts_with(project)) continue;
      if (result->state != protocol::TaskState::kDone ||
          seen.add(result->id.seq, result->id.seq) == 0)
        throw Failure{kNotDone, text(to_text(result->id), " failed, or was notified twice")};
      if (first == 0) first = result->id.seq;
    }
    if (ring == nullptr || first == 0) continue;
    const auto message = (first - ring->first) / ring->batch;
    if (ring->first > 0 && first >= ring->first && message < ring->begun.size())
      micros.push_back(
          static_cast<double>(last_news.time_since_epoch().count() - ring->begun[message]) / 1e3);
    ring->seen = seen.count();
    ring->seen.notify_one();
  }
  std::sort(micros.begin(), micros.end());
  return micros;
}

constexpr std::uint64_t kKeys = 100'000;
constexpr std::uint64_t kChain = 10;
constexpr std::uint64_t kOfAProject = 1000;

/// What each task of a plan says, beside its arguments.
class Planned {
 public:
  Planned(const BenchOptions& options, std::string project)
      : options_(options), is_plain_(options.plan == "none"), class_{"echo", std::move(project)} {
    if (options.plan == "delayed") delayed_.delay_ms = options.what == "fill" ? 3'600'000 : 1;
  }
  /// The task at this place, of those that are submitted.
  Expected<void> add(client::Submitter& client, std::uint64_t place, std::string_view args) {
    if (is_plain_) return client.add(class_, args);
    protocol::Conditions conditions = delayed_;
    auto task_class = class_;
    if (options_.plan == "keyed") conditions.key = std::to_string(place % kKeys);
    if (options_.plan == "chained" && place % options_.batch % kChain != 0)
      protocol::put_parent(conditions.parents, {{}, 1});
    if (options_.plan == "projects")
      task_class.project += "-" + std::to_string(place / kOfAProject);
    return client.add(task_class, args, protocol::encode_conditions(conditions));
  }

 private:
  const BenchOptions& options_;
  bool is_plain_;
  protocol::TaskClass class_;
  protocol::Conditions delayed_;
};

/// Submits `count` tasks and returns once all are accepted.
void submit(Cluster& cluster, std::uint64_t count, const BenchOptions& options,
            const std::string& project, BenchTasks& tasks, Ring* ring) {
  client::Submitter client(cluster.context, cluster.file,
                           {.key = {}, .batch = options.batch, .patience = kPatience},
                           [&](Origin origin, Seq first, std::uint32_t of_these) {
                             tasks.add(origin, first, of_these);
                             if (ring != nullptr && ring->first == 0) ring->first = first;
                           });
  const auto args = arguments();
  Planned planned(options, project);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (ring == nullptr && i % options.batch == 0 && tasks.is_stopped()) break;
    if (ring != nullptr && i % options.batch == 0) {
      for (auto seen = ring->seen.load();
           !ring->is_over && ring->size > 0 && i - seen > ring->size;
           seen = ring->seen.load())
        ring->seen.wait(seen);
      if (ring->is_over) break;
      ring->begun[i / options.batch] = process::now().time_since_epoch().count();
    }
    need(planned.add(client, i, args));
  }
  need(client.finish());  // Then all ids are known, to be cancelled.
  if (ring == nullptr) tasks.end_if_stopped();
}

// Few bytes: they travel with every task.
std::string draw_project() { return "b" + hex(process::random_u64()).substr(0, 4); }

Value::Map summary(const std::vector<double>& micros) {
  if (micros.empty()) return {};
  return {{"p50_us", micros[micros.size() / 2]}, {"p99_us", micros[micros.size() * 99 / 100]}};
}

}  // namespace

Value::Map throughput(Cluster& cluster, const BenchOptions& options) {
  const auto count = options.tasks > 0 ? options.tasks : 1'000'000;
  const auto reader = need(client::LogReader::open(cluster.context, cluster.file, std::nullopt));
  Ring ring;
  ring.size = options.ring;
  ring.batch = options.batch;
  ring.begun = std::vector<std::atomic<std::int64_t>>(count / options.batch + 1);
  const auto project = draw_project();
  BenchTasks tasks(cluster);
  const auto start = process::now();
  std::exception_ptr problem;
  std::thread submitter([&] {
    try {
      submit(cluster, count, options, project, tasks, &ring);
    } catch (...) {
      problem = std::current_exception();
      ring.is_refused = true;
    }
  });
  std::vector<double> micros;
  try {
    micros = await(*reader, count, project, tasks, &ring);
  } catch (...) {
    ring.end();
    submitter.join();
    throw;
  }
  const auto took = seconds(process::now() - start);
  submitter.join();
  if (problem) std::rethrow_exception(problem);
  tasks.leave();
  Value::Map out{{"tasks", count},         {"plan", options.plan},
                 {"batch", options.batch}, {"ring", options.ring},
                 {"seconds", took},        {"tasks_per_second", static_cast<double>(count) / took}};
  for (auto& [name, value] : summary(micros)) out.emplace_back(name, value);
  return out;
}

void settle_one(Cluster& cluster) {
  const auto reader = need(client::LogReader::open(cluster.context, cluster.file, std::nullopt));
  const auto project = draw_project();
  BenchTasks tasks(cluster);
  submit(cluster, 1, {}, project, tasks, nullptr);
  await(*reader, 1, project, tasks, nullptr);
  tasks.leave();
}

namespace {

Value::Map latency(Cluster& cluster, const BenchOptions& options) {
  const auto count = options.tasks > 0 ? options.tasks : 2000;
  const auto reader = need(client::LogReader::open(cluster.context, cluster.file, std::nullopt));
  BenchTasks tasks(cluster);
  client::Submitter client(cluster.context, cluster.file, {},
                           [&](Origin origin, Seq first, std::uint32_t of_these) {
                             tasks.add(origin, first, of_these);
                           });
  const auto args = arguments();
  const auto project = draw_project();
  std::vector<double> micros;
  for (std::uint64_t i = 0; i < count + 50; ++i) {  // The first ones find cold caches.
    const auto start = process::now();
    need(client.add({"echo", project, 0, 0}, args));
    need(client.finish());
    await(*reader, 1, project, tasks, nullptr);
    if (i >= 50) micros.push_back(seconds(process::now() - start) * 1e6);
  }
  tasks.leave();
  const auto took = std::accumulate(micros.begin(), micros.end(), 0.0) / 1e6;
  std::sort(micros.begin(), micros.end());
  Value::Map out{{"tasks", count}, {"seconds", took}};
  for (auto& [name, value] : summary(micros)) out.emplace_back(name, value);
  return out;
}

Value::Map fill(Cluster& cluster, const BenchOptions& options) {
  const auto count = options.tasks > 0 ? options.tasks : 1'000'000;
  BenchTasks tasks(cluster);
  const auto start = process::now();
  submit(cluster, count, options, draw_project(), tasks, nullptr);
  const auto took = seconds(process::now() - start);
  tasks.leave();
  return {{"tasks", count},
          {"batch", options.batch},
          {"seconds", took},
          {"tasks_per_second", static_cast<double>(count) / took}};
}

/// The same round several times: of what was measured the median, and from where to where it went.
struct Rounds {
  Value median;
  Value::Map least;
  Value::Map most;
};

Value::Map round(Cluster& cluster, const BenchOptions& options, const Globals& globals) {
  if (options.what == "latency") return latency(cluster, options);
  if (options.what == "fill") return fill(cluster, options);
  if (options.what == "recovery") return recovery(cluster, options);
  if (options.what == "redelivery") return redelivery(cluster, options);
  if (options.what == "scale") return scale(cluster, options, globals);
  return throughput(cluster, options);
}

// What is measured, and how the table calls it.
constexpr std::pair<const char*, const char*> kRows[] = {
    {"seconds", "seconds a round"},
    {"tasks_per_second", "tasks a second"},
    {"p50_us", "us to notification, median"},
    {"p99_us", "us to notification, 99 of 100"},
    {"ventilator_killed_ms", "ms until settling, ventilator killed"},
    {"sink_killed_ms", "ms until settling, sink killed"},
    {"worker_killed_ms", "ms to next attempt, worker killed"},
    {"worker_hung_ms", "ms to next attempt, worker hung"},
    {"with_more_workers", "tasks a second, with more workers"},
    {"share", "share of the rate without them"},
};

Rounds measure(Cluster& cluster, const BenchOptions& options, const Globals& globals) {
  std::vector<Value> rounds;
  for (std::uint32_t i = 0; i < options.rounds; ++i)
    rounds.emplace_back(round(cluster, options, globals));
  Rounds out{rounds.front(), {}, {}};
  for (const auto& [name, title] : kRows) {
    std::vector<double> values;
    for (const auto& one : rounds)
      if (const auto* value = one[name].as<double>()) values.push_back(*value);
    if (values.empty()) continue;
    std::sort(values.begin(), values.end());
    out.median.set(name, values[values.size() / 2]);
    out.least.emplace_back(name, values.front());
    out.most.emplace_back(name, values.back());
  }
  return out;
}

// Its projects are none of a prefix.
void need_all_projects(Cluster& cluster) {
  const auto within = need(cluster.ventilator.query("status"))["within"].text_or("");
  if (!within.empty())
    throw Failure{kBadUse, text("bench: this key is bound to the projects of ", shown(within),
                                ", and its tasks are in projects of their own: use one that is "
                                "bound to none")};
}

int run(const BenchOptions& options, const Globals& globals) {
  Cluster cluster(globals);
  need_all_projects(cluster);
  auto [median, least, most] = measure(cluster, options, globals);
  if (globals.json) {
    median.set("rounds", options.rounds);
    median.set("least", std::move(least));
    median.set("most", std::move(most));
    print_json(median);
    return kDone;
  }
  std::printf("%s: %lld tasks a round", options.what.c_str(),
              static_cast<long long>(median["tasks"].int_or(0)));
  if (!median["batch"].is_null()) std::printf(" of 100 bytes, %u a message", options.batch);
  if (options.ring > 0)
    std::printf(", at most %llu tasks under way", static_cast<unsigned long long>(options.ring));
  std::printf("\n%-37s %10s %10s %10s\n", text("of ", options.rounds, " rounds").c_str(), "median",
              "least", "most");
  for (const auto& [name, title] : kRows) {
    if (median[name].is_null()) continue;
    const auto number = [name = name](const Value& of) { return *of[name].as<double>(); };
    const int decimals = number(median) < 10 ? 2 : 0;
    std::printf("%-37s %10.*f %10.*f %10.*f\n", title, decimals, number(median), decimals,
                number(Value(least)), decimals, number(Value(most)));
  }
  return kDone;
}

}  // namespace

void add_bench(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("bench", "Measure a cluster with no-op tasks of 100 bytes");
  auto options = std::make_shared<BenchOptions>();
  command
      ->add_option("what", options->what,
                   "throughput: submit to notification; latency: one task at a time; fill: submits "
                   "only, what is queued stays queued; recovery: kills the ventilator, then the "
                   "sink; redelivery: kills a worker, then stops one; scale: with more workers")
      ->one_of({"throughput", "latency", "fill", "recovery", "redelivery", "scale"})
      ->shows_default();
  command
      ->add_option(
          "--tasks", options->tasks,
          "how many, if it is throughput, latency, fill or scale [1,000,000; latency: 2,000]")
      ->check(whole_number(1, kTasksMost));
  command->add_option("--batch", options->batch, "tasks in a message [1024]")
      ->check(whole_number(1, protocol::kTasksPerMessageMax));
  command
      ->add_option("--plan", options->plan,
                   "what the tasks of throughput and fill wait for: delayed: a time; keyed: one of "
                   "100,000 keys; chained: the one before, in tens; projects: nothing, a thousand "
                   "of each")
      ->one_of({"none", "delayed", "keyed", "chained", "projects"})
      ->shows_default();
  command
      ->add_option("--ring", options->ring,
                   "tasks at most between submit and notification [any number]")
      ->check(whole_number(1, kCountMax));
  command->add_option("--workers", options->workers, "more workers, of scale [100]")
      ->check(whole_number(1, 4096));
  command->add_option("--rounds", options->rounds, "how often; the medians count [3]")
      ->check(whole_number(1, 1000));
  command->add_flag("--json", globals.json, "one JSON object");
  command->footer(
      "The tasks are real: they are journalled, run by the workers, and in the log. recovery and\n"
      "redelivery kill processes of this machine, which `eole up` starts again; no task is lost.\n"
      "Ctrl-C cancels what has not ended.");
  command->callback([options, &globals] { globals.exit_code = run(*options, globals); });
}

}  // namespace eole::cli
