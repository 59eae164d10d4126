#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>

#include "cli/group.hpp"
#include "cli/ledger/git.hpp"
#include "cli/ledger/layout.hpp"
#include "cli/ledger/ledger.hpp"
#include "cli/ledger/tree.hpp"
#include "cli/ledger/views.hpp"
#include "clients/cpp/blocking/group_reader.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "common/protocol/result_view.hpp"

namespace eole::cli::ledger {

namespace {

using client::GroupReader;

constexpr Duration kBatchEvery = 2s;
constexpr std::uint64_t kBatchRecordsMax = 1000;
constexpr std::size_t kBatchBytesMax = 16 << 20;
constexpr Duration kGlanceEvery = 100ms;
constexpr Duration kPushAgainFirst = 1s;
constexpr Duration kPushAgainMost = 60s;

void tell(const std::string& what) { std::fprintf(stderr, "eole: %s\n", shown(what).c_str()); }

// Said when it begins and when it is over, not every time between.
class Trouble {
 public:
  explicit Trouble(std::string over) : over_(std::move(over)) {}
  void is(const std::string& what) {
    if (!std::exchange(is_told_, true)) tell(what);
  }
  void is_over() {
    if (std::exchange(is_told_, false)) tell(over_);
  }

 private:
  std::string over_;
  bool is_told_ = false;
};

struct Record {
  std::uint64_t offset = 0;
  std::string id;
  std::string project;
  std::string json;
};

class Mirror {
 public:
  Mirror(Cluster& cluster, const MirrorOptions& options, bool is_json)
      : cluster_(cluster),
        options_(options),
        is_json_(is_json),
        is_wanted_([&options](const std::string& project) {
          return project.starts_with(options.project);
        }),
        lock_(options.directory),
        reader_(cluster.context, cluster.file, options.group,
                text("ledger-", process::host_name(), "-", ::getpid()), GroupReader::Commits::kNever),
        views_(is_wanted_) {
    const auto held = hold();
    for (const auto* name : {"done", "todo", "tracking", "config"}) {
      repositories_.emplace_back(options.directory, name, lock_, [this] { return goes_on(); });
      if (!options.remote.empty())
        repositories_.back().set_remote(text(options.remote, "/", name, ".git"));
      trees_.emplace_back(repositories_.back().path());
    }
    todo().each_file([this](const std::string& path) {
      if (is_of_task(path.substr(path.rfind('/') + 1))) listed_.emplace(path, "");
    });
  }

  int run() {
    std::uint64_t records = 0;
    while (stops_ == 0 && records < options_.count) records += turn(options_.count - records);
    do {
      push_if_due(stops_ > 0);
      commit_cursor();
    } while (!is_pushed() && stops_ == 0 && waits());
    if (!is_pushed()) tell("ended before all was pushed: the rest goes with the next time");
    reader_.leave();
    return is_pushed() ? kDone : kNotDone;
  }

 private:
  struct Held {
    Lock& lock;
    ~Held() { lock.leave(); }
  };
  Held hold() {
    lock_.take([this] { return goes_on(); });
    return {lock_};
  }
  const Tree& done() const { return trees_[0]; }
  const Tree& todo() const { return trees_[1]; }

  // While git works, the sink hears that this member is there. A second signal ends a push, too.
  bool goes_on() {
    (void)reader_.has_more();
    stops_ += stop_.take();
    return stops_ < 2;
  }
  bool waits() {
    pollfd stopping{stop_.fd(), POLLIN, 0};
    ::poll(&stopping, 1, static_cast<int>(kGlanceEvery / 1ms));
    return goes_on();
  }

  // What came within a batch's time, then the views; all of it in git before more is read.
  std::uint64_t turn(std::uint64_t most) {
    const auto records = read_batch(std::min(most, kBatchRecordsMax));
    try {
      write(records);
      of_views_.is_over();
    } catch (const Failure& failure) {
      if (failure.exit_code != kNoCluster) throw;
      of_views_.is(failure.message + "; going on once it answers");
    }
    push_if_due(false);
    commit_cursor();
    return records.size();
  }

  std::vector<Record> read_batch(std::uint64_t most) {
    std::vector<Record> records;
    std::size_t bytes = 0;
    const auto until = process::now() + kBatchEvery;
    while (records.size() < most && bytes < kBatchBytesMax && goes_on() && stops_ == 0) {
      const auto now = process::now();
      if (now >= until) break;
      const auto next = reader_.next(std::min<Duration>(until - now, kGlanceEvery));
      if (!next && !next.error().is_silence()) (void)need(next);
      if (!next) {
        of_sink_.is(next.error().message + "; going on once it answers");
        continue;
      }
      if (const auto* gone = std::get_if<client::TellGone>(&*next))
        tell(text("the records of offsets ", gone->first, " to ", gone->last,
                  " are not kept any more: they are missing here"));
      const auto* record = std::get_if<client::GroupRecord>(&*next);
      if (record == nullptr) continue;
      of_sink_.is_over();
      is_to_commit_ = true;
      const auto& result = record->result;
      if (!result.is_final || !is_wanted_(std::string(result.project))) continue;
      auto json = protocol::view_of(result, record->worker, record->offset).to_json() + "\n";
      bytes += json.size();
      records.push_back({record->offset, to_text(result.id), std::string(result.project),
                         std::move(json)});
    }
    return records;
  }

  void write(const std::vector<Record>& records) {
    const auto held = hold();
    is_written_ = false;
    Batch batch;
    std::set<std::string> paths;
    std::set<std::string> ended;
    std::set<std::string> projects;
    for (const auto& record : records) {
      const auto path = task_path(record.project, record.id);
      done().write(path, record.json);
      todo().remove(path);
      paths.insert(path);
      ended.insert(path);
      projects.insert(record.project);
      batch.add(record.offset);
    }
    if (!paths.empty()) {
      repositories_[0].commit(paths, done_message(batch));
      tell_batch(batch);
    }
    touched_.merge(projects);
    gone_from_todo_.merge(ended);
    // These ask the cluster: what is in done already comes again if it does not answer.
    write_todo(batch);
    commit_files(2, views_.look(cluster_, touched_), batch);
    touched_.clear();
    auto config = config_files(cluster_);
    std::erase_if(config, [this](const auto& file) {
      const auto before = config_.find(file.first);
      return before != config_.end() && before->second == file.second;
    });
    commit_files(3, config, batch);
    for (auto& [path, content] : config) config_[path] = std::move(content);
    is_written_ = true;
  }

  void write_todo(const Batch& batch) {
    std::map<std::string, std::string> listed;
    for (const auto& task : listed_tasks(cluster_, is_wanted_))
      listed.emplace(task_path(task["project"].text_or(""), task["id"].text_or("")),
                     task.to_json());
    std::set<std::string> paths = gone_from_todo_;
    for (const auto& path : paths) listed.erase(path);  // Ended since it was asked for.
    for (const auto& [path, json] : listed)
      if (const auto before = listed_.find(path); before == listed_.end() || before->second != json) {
        todo().write(path, with_words(path, json));
        paths.insert(path);
      }
    for (const auto& [path, json] : listed_)
      if (!listed.contains(path)) {
        todo().remove(path);
        paths.insert(path);
      }
    if (!paths.empty()) repositories_[1].commit(paths, other_message("todo", paths.size(), batch));
    listed_ = std::move(listed);
    gone_from_todo_.clear();
  }

  // What a person has said of the task, if it was submitted from here.
  std::string with_words(const std::string& path, const std::string& json) const {
    auto view = *Value::from_json(json);
    if (const auto there = todo().read(path))
      if (const auto said = Value::from_json(*there); said && !(*said)["task"].is_null())
        view.set("task", (*said)["task"]);
    return view.to_json() + "\n";
  }

  void commit_files(std::size_t which, const Files& files, const Batch& batch) {
    if (files.empty()) return;
    std::set<std::string> paths;
    for (const auto& [path, content] : files) {
      trees_[which].write(path, content);
      paths.insert(path);
    }
    auto& repository = repositories_[which];
    repository.commit(paths, other_message(repository.name(), paths.size(), batch));
  }

  bool is_pushed() const {
    return std::none_of(repositories_.begin(), repositories_.end(),
                        [](const Repository& one) { return one.is_to_be_pushed(); });
  }

  void push_if_due(bool is_last) {
    if (is_pushed() || (process::now() < push_at_ && !is_last)) return;
    const auto held = hold();
    for (auto& repository : repositories_) {
      if (!repository.is_to_be_pushed()) continue;
      if (const auto pushed = repository.push(); !pushed) {
        of_remote_.is(pushed.error().message + "; tried again");
        push_wait_ = std::clamp<Duration>(push_wait_ * 2, kPushAgainFirst, kPushAgainMost);
        push_at_ = process::now() + push_wait_;
        return;
      }
    }
    of_remote_.is_over();
    push_wait_ = {};
  }

  // All that was read is in git, and where it is pushed to.
  void commit_cursor() {
    if (!is_to_commit_ || !is_written_ || !is_pushed()) return;
    const auto committed = reader_.commit();
    if (!committed && !committed.error().is_silence()) need(committed);
    if (committed) is_to_commit_ = false;
  }

  void tell_batch(const Batch& batch) const {
    if (is_json_)
      return print_json(Value::Map{
          {"records", batch.records}, {"first", batch.first}, {"last", batch.last}});
    std::printf("%s\n", done_message(batch).c_str());
    flush_output();
  }

  Cluster& cluster_;
  const MirrorOptions& options_;
  const bool is_json_;
  const IsWanted is_wanted_;
  process::StopSignal stop_;
  int stops_ = 0;  // Signals.
  Lock lock_;
  GroupReader reader_;
  std::vector<Repository> repositories_;  // done, todo, tracking, config
  std::vector<Tree> trees_;               // Of each.
  ProjectViews views_;
  std::map<std::string, std::string> listed_;  // In todo: of a task what the ventilator said.
  std::set<std::string> gone_from_todo_;       // Ended, and not committed there yet.
  std::set<std::string> touched_;              // Projects that are not committed yet.
  Files config_;
  bool is_to_commit_ = false;
  bool is_written_ = true;
  TimePoint push_at_{};
  Duration push_wait_{};
  Trouble of_sink_{"the sink answers again"};
  Trouble of_views_{"the cluster answers again"};
  Trouble of_remote_{"all is pushed again"};
};

// Whose ledger is new wants all of it there, and would wait for nothing.
void tell_of_readers(Cluster& cluster, const MirrorOptions& options) {
  const auto group = need(cluster.sink.query("groups", {}, Value::Map{{"group", options.group}}));
  const auto* each = group["each"].as<Value::Array>();
  if (each == nullptr || each->empty()) return;
  const auto next = static_cast<std::uint64_t>(each->front()["cursor"].int_or(0));
  const bool has_read = next > offset_of_place(cluster, place_in_log(cluster, "earliest"));
  if (!has_read && group["members"].int_or(0) == 0) return;
  tell(text("this ledger is new, but the group ", options.group,
            has_read ? text(" has read up to offset ", next) : std::string(" has a member"),
            " already: what that read is in another ledger, and not here; another --group mirrors "
            "all that is kept"));
}

}  // namespace

int mirror(Cluster& cluster, const MirrorOptions& options, bool is_json) {
  create_cursor(cluster, options.group, "earliest");
  if (!std::filesystem::exists(text(options.directory, "/done"))) tell_of_readers(cluster, options);
  return Mirror(cluster, options, is_json).run();
}

}  // namespace eole::cli::ledger
