#include "worker/io/slots.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "common/base/text.hpp"
#include "common/process/options.hpp"
#include "common/process/system.hpp"
#include "common/protocol/value.hpp"
#include "worker/runners/foreign.hpp"
#include "worker/runners/inline.hpp"
#include "worker/runners/lasting.hpp"
#include "worker/runners/part.hpp"
#include "worker/runners/scratch.hpp"

namespace eole::worker {

using protocol::TaskState;

namespace {
// While there is nothing to do:
constexpr Duration kSweepEvery = 60s;  // what nobody came back for,
constexpr Duration kRestEvery = 1s;    // and how the processes are.
}  // namespace

void SlotOptions::add_flags(process::Options& flags) {
  web.add_flags(flags);
  flags.text("--secrets", secrets, "FILE",
             "NAME=VALUE lines, mode 0600: what tasks name and do not know");
  flags.texts(
      "--signed-by", signers, "FILE",
      "of public keys (eole key make): only commands that one of these signed run; repeatable");
}

Slots::Slots(net::Context& context, SlotOptions options, std::vector<ProcessRunners> runners,
             RunnersChanged offered)
    : context_(context),
      options_(std::move(options)),
      runners_(std::move(runners)),
      web_(options_.web),
      secrets_(options_.secrets),
      signers_(options_.signers),
      wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      offered_(std::move(offered)),
      problems_(runners_.size()) {
  remove_leftovers(options_.scratch);
  for (std::size_t slot = 0; slot < runners_.size(); ++slot) problems_[slot] = problems_of(slot);
  are_all_well_ = are_all_well();
  for (std::size_t slot = 0; slot < runners_.size(); ++slot)
    threads_.emplace_back([this, slot] { serve(slot); });
}

Slots::~Slots() {
  {
    const std::scoped_lock lock(mutex_);
    should_stop_ = true;
    for (const auto& [id, cancel] : running_) cancel->ask(Cancel::Why::kCancelled);
  }
  has_work_.notify_all();
  for (auto& thread : threads_) thread.join();
  ::close(wake_fd_);
}

void Slots::show(protocol::Progress progress) {
  const std::scoped_lock lock(mutex_);
  const bool is_first = progress_.is_empty();
  progress_.add(std::move(progress));
  if (is_first) wake();
}

bool Slots::is_stopping() {
  const std::scoped_lock lock(mutex_);
  return should_stop_;
}

void Slots::wake() { ::eventfd_write(wake_fd_, 1); }

void Slots::start(const StartTask& task) {
  gathering_.push_back(task);
  if (task.more > 0) return;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& each : gathering_) running_[each.id] = std::make_shared<Cancel>();
    waiting_.push_back(std::exchange(gathering_, {}));
  }
  // One whose runner cannot start may leave it to another.
  are_all_well_ ? has_work_.notify_one() : has_work_.notify_all();
}

void Slots::kill(const TaskId& id, bool is_timeout) {
  const auto why = is_timeout ? Cancel::Why::kTimeout : Cancel::Why::kCancelled;
  const std::scoped_lock lock(mutex_);
  if (const auto found = running_.find(id); found != running_.end()) found->second->ask(why);
}

std::vector<TaskFinished> Slots::take_finished() {
  eventfd_t ignored = 0;
  ::eventfd_read(wake_fd_, &ignored);
  const std::scoped_lock lock(mutex_);
  return std::exchange(finished_, {});
}

std::optional<RunnersChanged> Slots::take_runners() {
  const std::scoped_lock lock(mutex_);
  if (!std::exchange(have_offers_changed_, false)) return std::nullopt;
  return offered_;
}

std::deque<protocol::Progress> Slots::take_progress() {
  const std::scoped_lock lock(mutex_);
  auto taken = progress_.take();
  progress_.forget_ended([&](const TaskId& id) { return running_.contains(id); });
  return taken;
}

void Slots::give_back(std::deque<protocol::Progress> progress) {
  const std::scoped_lock lock(mutex_);
  progress_.give_back(std::move(progress));
}

bool Slots::has_progress() {
  const std::scoped_lock lock(mutex_);
  return !progress_.is_empty();
}

// Of a runner that could not start with the worker: its kinds are known once it has.
void Slots::take_offers(std::size_t slot) {
  std::size_t place = 0;
  for (const auto& runner : runners_[slot].all) {
    if (!runner->is_foreign()) continue;
    const auto i = place++;
    const auto offer = runner->take_offer();
    if (!offer) continue;
    std::unique_lock lock(mutex_);
    auto all = offered_;
    const auto taken = take_offer(*runner, *offer, i, runners_[slot], all);
    if (taken) {
      offered_ = std::move(all);
      have_offers_changed_ = true;
      continue;
    }
    lock.unlock();
    runner->refuse(taken.error().message);
  }
}

// Of each of its foreign runners.
std::vector<std::string> Slots::problems_of(std::size_t slot) const {
  std::vector<std::string> problems;
  for (const auto& runner : runners_[slot].all)
    if (runner->is_foreign()) problems.push_back(runner->problem());
  return problems;
}

bool Slots::are_all_well() const {
  const std::vector<std::string> none(offered_.runners.size());
  return std::count(problems_.begin(), problems_.end(), none) == std::ssize(problems_);
}

// What cannot start in any slot is not offered.
void Slots::look_at_runners(std::size_t slot) {
  take_offers(slot);
  auto& offers = offered_.runners;
  auto problems = problems_of(slot);
  const std::scoped_lock lock(mutex_);
  if (problems == problems_[slot] && !have_offers_changed_) return;
  const auto before = std::exchange(problems_[slot], std::move(problems));
  are_all_well_ = are_all_well();
  for (std::size_t i = 0; i < offers.size(); ++i) {
    const bool is_broken = std::none_of(problems_.begin(), problems_.end(),
                                        [&](const auto& each) { return each[i].empty(); });
    const auto& now = problems_[slot][i];
    const bool is_told = is_broken == !offers[i].problem.empty();
    const bool is_another = is_broken && offers[i].problem == before[i] && now != before[i];
    if (is_told && !is_another) continue;
    offers[i].problem = is_broken ? now : std::string();
    have_offers_changed_ = true;
  }
  if (have_offers_changed_) wake();
}

// The place of what this slot takes: not what its own runner cannot run and another slot's can.
std::optional<std::size_t> Slots::next_for(std::size_t slot) const {
  const auto& offers = offered_.runners;
  const auto is_others = [&](const std::vector<StartTask>& tasks) {
    for (std::size_t i = 0; i < offers.size(); ++i)
      if (!problems_[slot][i].empty() && offers[i].problem.empty())
        for (const auto& kind : offers[i].kinds)
          if (kind.name == tasks.front().task_class.kind) return true;
    return false;
  };
  const auto found = std::find_if_not(waiting_.begin(), waiting_.end(), is_others);
  if (found == waiting_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - waiting_.begin());
}

// A slot that is never idle tries them again, too.
void Slots::mend(std::size_t slot) {
  for (const auto& runner : runners_[slot].all)
    if (!runner->problem().empty()) runner->rest();
  look_at_runners(slot);
}

void Slots::rest(std::size_t slot, TimePoint& next_sweep) {
  for (const auto& runner : runners_[slot].all) runner->rest();
  look_at_runners(slot);
  const auto now = process::now();
  if (now < next_sweep) return;
  next_sweep = now + kSweepEvery;
  remove_stale_lasting(options_.scratch);
}

void Slots::serve(std::size_t slot) {
  process::leave_core();
  client::ArtifactClient artifacts(context_, options_.cluster);
  std::optional<client::Requests> sink;
  const auto connected_sink = [&]() -> client::Requests& {
    return sink ? *sink : sink.emplace(context_, options_.cluster.queries, "the sink");
  };
  SpareDirectory spare(text(options_.scratch, "/", kSpare, slot));
  Surroundings around{options_.scratch,
                      spare,
                      artifacts,
                      connected_sink,
                      runners_[slot],
                      web_,
                      secrets_,
                      signers_,
                      [this](protocol::Progress progress) { show(std::move(progress)); },
                      [this] { return is_stopping(); }};
  auto next_sweep = process::now() + kSweepEvery;
  const auto& processes = runners_[slot].all;
  const bool has_foreign = std::any_of(processes.begin(), processes.end(),
                                       [](const auto& each) { return each->is_foreign(); });
  while (true) {
    std::vector<StartTask> tasks;
    std::vector<std::shared_ptr<Cancel>> cancels;
    {
      std::unique_lock lock(mutex_);
      std::optional<std::size_t> next;
      const auto is_due = [&] { return should_stop_ || (next = next_for(slot)); };
      while (!has_work_.wait_for(lock, has_foreign ? kRestEvery : kSweepEvery, is_due)) {
        lock.unlock();  // The loop needs it, and a disk may be slow.
        rest(slot, next_sweep);
        lock.lock();
      }
      if (should_stop_) break;
      tasks = std::move(waiting_[*next]);
      waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(*next));
      for (const auto& task : tasks) cancels.push_back(running_.at(task.id));
    }
    run(std::move(tasks), std::move(cancels), around);
    if (has_foreign) mend(slot);
  }
  runners_[slot].all.clear();  // Here: all slots at once.
}

void Slots::run(std::vector<StartTask> tasks, std::vector<std::shared_ptr<Cancel>> cancels,
                Surroundings& around) {
  if (tasks.size() == 1) {
    auto finished = Attempt(tasks[0], *cancels[0], around).run();
    return take(std::move(finished));  // What it left is gone.
  }
  std::deque<Attempt> attempts;
  for (std::size_t i = 0; i < tasks.size(); ++i)
    attempts.emplace_back(tasks[i], *cancels[i], around);
  run_together(attempts, [this](TaskFinished finished) { take(std::move(finished)); });
}

void Slots::take(TaskFinished finished) {
  bool is_first = false;
  {
    const std::scoped_lock lock(mutex_);
    running_.erase(finished.id);
    is_first = finished_.empty();
    finished_.push_back(std::move(finished));
  }
  if (is_first) wake();
}

TaskFinished report_cancelled(const StartTask& task, std::int64_t unix_ms) {
  Value body = Value::Map{{"error", "cancelled before it started"}};
  tell_part(task, TaskState::kCancelled, body);
  return {task.id, task.lease, TaskState::kCancelled, unix_ms, 0, {}, body.to_msgpack(), false};
}

BatchFinished Slots::run_batch(std::shared_ptr<const Batch> batch) {
  return run_inline(std::move(batch));
}

}  // namespace eole::worker
