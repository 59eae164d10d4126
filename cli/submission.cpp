#include "cli/submission.hpp"

#include <map>

#include "cli/lookup.hpp"
#include "cli/progress.hpp"
#include "clients/cpp/blocking/log_reader.hpp"
#include "clients/cpp/tasks/encode.hpp"
#include "common/base/counted.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "common/protocol/result_view.hpp"

namespace eole::cli {

Submission::Submission(Cluster& cluster, const std::string& key, bool waits,
                       const std::string& keys)
    : cluster_(cluster),
      submitter_(
          cluster.context, cluster.file,
          {.key = key, .keys = keys, .batch = protocol::kTasksPerMessageMax},
          [this](Origin origin, Seq first, std::uint32_t count) {
            auto* last = ids_.empty() ? nullptr : &ids_.back();
            if (last != nullptr && last->origin == origin && last->first + last->count == first) {
              last->count += count;
            } else {
              ids_.push_back({origin, first, count});
            }
          }) {
  if (!waits || !key.empty()) return;  // The first submission of a key may be long settled.
  const auto status = cluster.sink.query("status");
  if (status) start_offset_ = static_cast<std::uint64_t>((*status)["head"].int_or(0));
  if (!status)
    std::fprintf(stderr, "eole: %s; submitting all the same\n",
                 shown(status.error().message).c_str());
}

void Submission::add(const TaskRequest& task) {
  Bytes conditions;
  if (!task.after.empty() || task.conditions != protocol::Conditions{}) {
    need(submitter_.make_room(task.args.size() + protocol::kConditionsBytesMax));
    conditions = conditions_of(task);
  }
  need(submitter_.add(task.task_class, task.args, conditions, task.trace));
  ++added_;
}

TaskId Submission::id_of(std::uint64_t index) const {
  for (const auto& range : ids_) {
    if (index < range.count) return {range.origin, range.first + index};
    index -= range.count;
  }
  return {};
}

Bytes Submission::conditions_of(const TaskRequest& task) {
  // One that is in an earlier message is known by its id.
  const auto is_sent = [&](std::uint64_t index) { return index < added_ - submitter_.open(); };
  for (const auto& after : task.after)
    while (after.index && is_sent(*after.index) && *after.index >= count()) need(submitter_.wait());
  return need(client::encode_conditions(task,
                                        [&](std::uint64_t index) {
                                          protocol::Parent parent;
                                          if (is_sent(index))
                                            parent.id = id_of(index);
                                          else
                                            parent.back =
                                                static_cast<std::uint32_t>(added_ - index);
                                          return parent;
                                        }),
              kBadUse);
}

void Submission::finish() { need(submitter_.finish()); }

std::uint64_t Submission::count() const {
  std::uint64_t sum = 0;
  for (const auto& range : ids_) sum += range.count;
  return sum;
}

std::string Submission::ids_text() const {
  std::string out;
  for (const auto& range : ids_) {
    out += text(out.empty() ? "" : ", ", to_text(TaskId{range.origin, range.first}));
    if (range.count > 1)
      out += " to " + to_text(TaskId{range.origin, range.first + range.count - 1});
  }
  return out;
}

namespace {

// Tells of results in the order of the tasks, in whatever order they come.
class InOrder {
 public:
  InOrder(ProgressLine& line, const Submission::OnResult& on_result)
      : line_(line), on_result_(on_result) {}

  bool has(std::uint64_t place) const { return place < next_ || early_.contains(place); }
  void take(std::uint64_t place, Value view) {
    if (has(place)) return;
    ++settled_;
    if (view["state"].text_or("") != to_text(protocol::TaskState::kDone)) ++failed_;
    early_.emplace(place, std::move(view));
    for (auto first = early_.begin(); first != early_.end() && first->first == next_;
         first = early_.erase(first), ++next_) {
      line_.clear();  // What is printed now stands alone.
      on_result_(first->second);
    }
  }
  std::uint64_t settled() const { return settled_; }
  std::uint64_t failed() const { return failed_; }

 private:
  ProgressLine& line_;
  const Submission::OnResult& on_result_;
  std::map<std::uint64_t, Value> early_;  // By the task's place.
  std::uint64_t next_ = 0;
  std::uint64_t settled_ = 0;
  std::uint64_t failed_ = 0;
};

// What is said of a task whose result is no longer in the log; nothing if it may still come there.
std::optional<Value> gone(Cluster& cluster, const TaskId& id) {
  for (int times = 0; times < 2; ++times) {  // It may settle between the two questions.
    auto view = need(cluster.sink.query("result", id));
    if (!view["is_kept"].is_null()) return view;
    if (!view.is_null() || !need(cluster.ventilator.query("task", id)).is_null()) return {};
  }
  return Value::Map{{"id", to_text(id)},  // Who has a prefix is not told of which project it was.
                    {"state", "unknown"},
                    {"error", "settled; its result is no longer kept"}};
}

}  // namespace

std::optional<std::uint64_t> Submission::place_of(const TaskId& id) const {
  std::uint64_t before = 0;
  for (const auto& range : ids_) {
    if (id.origin == range.origin && id.seq >= range.first && id.seq < range.first + range.count)
      return before + (id.seq - range.first);
    before += range.count;
  }
  return {};
}

bool Submission::wait(const OnResult& on_result) {
  const auto total = count();
  bool are_some_gone = false;
  const auto open = [&](std::uint64_t from) {
    auto opened = client::LogReader::open_kept(cluster_.context, cluster_.file, from,
                                               [&](const Error&) { are_some_gone = true; });
    if (!opened)
      throw Failure{kNoCluster, text(shown(opened.error().message), "; ", counted(total, "task"),
                                     total == 1 ? " was accepted and goes on; it is "
                                                : " were accepted and go on; they are ",
                                     ids_text())};
    if (is_terminal(2)) (*opened)->watch_progress();
    return std::move(*opened);
  };
  auto reader = open(start_offset_);
  ProgressLine line;
  InOrder results(line, on_result);
  TaskProgress newest;  // Of the task that was heard of last.
  TaskId of_newest;
  std::string told;
  process::StopSignal stop;
  const auto look_at_stop = [&] {
    end_if_unread();
    if (stop.take() == 0) return;
    line.clear();
    throw Failure{kNotDone, text("stopped waiting: ", total - results.settled(), " of ",
                                 counted(total, "task"),
                                 total == 1 ? " is not settled and goes on; it is "
                                            : " are not settled and go on; they are ",
                                 ids_text())};
  };
  const auto look_for_gone = [&] {
    for (std::uint64_t place = 0; place < total; ++place) {
      look_at_stop();
      line.show(results.settled(), total, "looking for what is no longer kept", results.failed());
      if (results.has(place)) continue;
      if (auto view = gone(cluster_, id_of(place))) results.take(place, std::move(*view));
    }
  };
  while (results.settled() < total) {
    if (std::exchange(are_some_gone, false)) look_for_gone();
    look_at_stop();
    line.show(results.settled(), total, told, results.failed());
    auto next = reader->next(200ms);
    if (const auto kept_from = next ? std::nullopt : reader->gone_to()) {
      reader = open(*kept_from);
      are_some_gone = true;
      continue;
    }
    const auto encoded = need(std::move(next), kNoCluster);
    while (const auto progress = reader->next_progress()) {
      const TaskId id{progress->origin, progress->seq};
      if (!progress->stream.empty() || !place_of(id)) continue;
      if (id != of_newest) newest = {};
      of_newest = id;
      newest.hear(progress->done, progress->total, progress->text, process::now());
      told = text(total > 1 ? to_text(id) + "  " : "", newest.text());
    }
    if (!encoded) continue;
    const auto batch = protocol::read_batch(*encoded);
    protocol::ResultReader records(batch->records);
    for (std::uint32_t i = 0; i < batch->count; ++i)
      if (const auto result = records.next(); result && result->is_final)
        if (const auto place = place_of(result->id))
          results.take(*place, view_of(*result, batch->worker, batch->first_offset + i));
  }
  line.show(total, total, "", results.failed());
  if (total > 1) line.sum_up();
  return results.failed() == 0;
}

}  // namespace eole::cli
