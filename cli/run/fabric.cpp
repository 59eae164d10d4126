#include "cli/run/fabric.hpp"

#include <algorithm>

#include "cli/lookup.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

namespace {
constexpr std::uint64_t kCancelledInMessage = 4096;
constexpr Duration kOpenPatience = 10s;
}  // namespace

Fabric::Fabric(Cluster& cluster, protocol::TaskClass task_class, Heard heard)
    : cluster_(cluster),
      class_(std::move(task_class)),
      heard_(std::move(heard)),
      waiting_(cluster.context),
      submits_(waiting_.session(), cluster.file, client::Submits::kPatience,
               [this](const client::SubmitEnded& ended) { take(ended); }),
      reader_(waiting_.session(), cluster.file, std::nullopt,
              {[this](client::TakeBatch batch) { take(std::move(batch)); },
               [this](const Error& error, bool is_over) {
                 if (is_over) trouble_ = Failure{kNoCluster, shown(error.message)};
               },
               [this](const Error& error, std::uint64_t) {
                 trouble_ = Failure{kNotDone, shown(error.message)};
               },
               [this](const protocol::Progress& progress) {
                 const auto job = jobs_.find({progress.origin, progress.seq});
                 if (job != jobs_.end() && progress.stream.empty())
                   heard_.on_progress(job->second, progress);
               }}) {
  if (heard_.on_progress) reader_.watch_progress();
  const auto until = process::now() + kOpenPatience;
  while (!reader_.is_open() && process::now() < until && !trouble_) waiting_.wait(100ms);
  if (trouble_) throw *trouble_;
  if (!reader_.is_open()) throw Failure{kNoCluster, "no answer from the sink"};
}

void Fabric::submit(std::uint64_t job, std::string_view args) {
  open_.add(class_, args);
  open_jobs_.push_back(job);
  if (open_.count() >= kJobsInMessage || open_.bytes() >= kMessageBytes) flush();
}

void Fabric::flush() {
  if (open_.count() == 0) return;
  protocol::Submit submit;
  submit.count = open_.count();
  requests_ = submits_.submit(std::move(submit), std::make_shared<const Bytes>(open_.take()));
  asked_[requests_] = std::exchange(open_jobs_, {});
}

std::vector<std::uint64_t> Fabric::drop_unsent() {
  open_.take();
  return std::exchange(open_jobs_, {});
}

void Fabric::take(const client::SubmitEnded& ended) {
  auto asked = asked_.extract(ended.request);
  if (!asked) return;
  if (ended.error) {
    trouble_ = Failure{ended.error->is_silence() ? kNoCluster : kBadUse, shown(ended.error->message)};
    return;
  }
  TaskId id{ended.origin, ended.first};
  for (const auto job : asked.mapped()) {
    heard_.on_accepted(job, id);
    jobs_[id] = job;
    if (const auto early = early_.extract(id))
      for (const auto& each : early.mapped()) {
        const auto batch = protocol::read_batch(each.batch);
        protocol::ResultReader records(batch->records);
        while (const auto result = records.next())
          if (result->id == id) tell(job, *result, batch->worker);
      }
    ++id.seq;
  }
  const auto oldest = asked_.empty() ? UINT64_MAX : asked_.begin()->first;
  std::erase_if(early_, [&](const auto& early) { return early.second.front().until <= oldest; });
}

void Fabric::take(client::TakeBatch taken) {
  const auto batch = protocol::read_batch(taken.batch);
  protocol::ResultReader records(batch->records);
  for (std::uint32_t i = 0; i < batch->count; ++i) {
    const auto result = records.next();
    if (!result || batch->first_offset + i < reader_.from()) continue;
    if (const auto job = jobs_.find(result->id); job != jobs_.end()) {
      tell(job->second, *result, batch->worker);
    } else if (!asked_.empty() && result->kind == class_.kind &&
               result->project == class_.project) {
      Bytes alone;
      protocol::put_result(alone, *result);
      early_[result->id].push_back(
          {requests_ + 1, protocol::encode_batch({0, 0, 0, 1, batch->worker, alone})});
    }
  }
  reader_.taken(taken.batch.size());
}

void Fabric::tell(std::uint64_t job, const protocol::ResultRecord& result,
                  std::string_view worker) {
  if (result.is_copy) return;
  if (result.is_final) jobs_.erase(result.id);
  heard_.on_result(job, result, worker);
}

void Fabric::cancel(bool only_waiting) {
  TaskSet tasks;
  for (const auto& [id, job] : jobs_) tasks[id.origin].add(id.seq, id.seq);
  Value wanted = Value::Map{{"state", "running"}};
  if (!class_.project.empty()) wanted.set("project", class_.project);
  if (only_waiting)
    each_task(cluster_, wanted, [&](const Value& task) {
      const auto id = need_id(task["id"].text_or(""));
      tasks[id.origin].remove(id.seq, id.seq);
      return true;
    });
  for (const auto& [origin, seqs] : tasks) {
    SeqRanges piece;
    const auto send = [&, which = origin] {
      if (piece.count() > 0)
        need(cluster_.ventilator.ask(protocol::Cancel{0, which, piece.encode()}));
      piece = {};
    };
    for (const auto& [first, last] : seqs.ranges())
      for (auto seq = first; seq <= last; ++seq) {
        piece.add(seq, seq);
        if (piece.count() == kCancelledInMessage) send();
      }
    send();
  }
}

void Fabric::wait(Duration at_most, int fd) {
  bool is_due = false;
  if (fd >= 0) waiting_.watch(fd, is_due);
  waiting_.wait(at_most);
  if (fd >= 0) waiting_.unwatch(fd);
  if (trouble_) throw *trouble_;
}

}  // namespace eole::cli
