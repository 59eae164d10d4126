#include "worker/io/slots.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "common/process/system.hpp"
#include "common/protocol/value.hpp"
#include "worker/handlers/registry.hpp"
#include "worker/io/lasting.hpp"
#include "worker/io/scratch.hpp"

namespace eole::worker {

using protocol::TaskState;

namespace {
constexpr Duration kProgressEvery = 200ms;
constexpr Duration kSweepEvery = 60s;  // What nobody came back for, while there is nothing to do.
}  // namespace

/// Shared by the loop (which kills) and the slot's thread (which looks).
struct Slots::Running {
  std::atomic<bool> is_cancelled{false};
  int cancel_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  ~Running() { ::close(cancel_fd); }
};

/// What one task's handler sees.
class Slots::Context final : public TaskContext {
 public:
  Context(Slots& slots, const StartTask& task, std::shared_ptr<Running> running,
          client::ArtifactClient& artifacts, CommandRunner* runner)
      : slots_(slots),
        task_(task),
        running_(std::move(running)),
        artifacts_(artifacts),
        runner_(runner) {}
  ~Context() override {
    for (const auto& path : scratch_) ::unlink(path.c_str());
    if (!directory_.empty()) remove_directory(directory_);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  std::string task_id() const override { return to_text(task_.id); }
  std::uint32_t attempt() const override { return task_.attempt; }
  bool is_cancelled() const override { return running_->is_cancelled; }
  int cancel_fd() const override { return running_->cancel_fd; }
  void progress(std::uint64_t done, std::uint64_t total) override {
    const auto now = process::now();
    if (now < next_progress_ && done != total) return;
    next_progress_ = now + kProgressEvery;
    tell({task_.id.origin, task_.id.seq, "", done, total, "", {}});
  }
  void output(std::string_view stream, std::string_view bytes) override {
    tell({task_.id.origin, task_.id.seq, "", 0, 0, std::string(stream), Bytes(bytes)});
  }
  std::string scratch_path(std::string_view suffix) override {
    scratch_.push_back(text(slots_.options_.scratch, "/", to_text(task_.id), ".", task_.lease.start,
                            "-", task_.lease.number, ".", suffix));
    return scratch_.back();
  }
  std::string scratch_directory() override {
    directory_ = scratch_path("directory");
    scratch_.pop_back();
    if (::mkdir(directory_.c_str(), 0700) != 0)
      throw std::runtime_error(text("no directory ", directory_, ": ", std::strerror(errno)));
    return directory_;
  }
  std::optional<std::string> lasting_path() override {
    if (!lasting_) {
      remove_stale_lasting(slots_.options_.scratch);
      lasting_ = LastingFile::hold(slots_.options_.scratch, task_.id);
    }
    return lasting_ ? std::optional(lasting_->path()) : std::nullopt;
  }
  // Straight to the attempt's own file: others may fetch the same artifact at the same time.
  Expected<void> fetch(const std::string& sha256, const std::string& path,
                       std::uint64_t most) override {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    std::uint64_t bytes = 0;
    const auto write = [&](std::string_view piece) {
      bytes += piece.size();
      return bytes <= most && !file.write(piece.data(), ssize_t(piece.size())).fail();
    };
    const auto fetched = artifacts_.get_to(sha256, write, [&] { return !is_cancelled(); });
    file.close();
    if (is_cancelled()) return Error{"cancelled"};
    if (bytes > most) return Error{text("artifact ", sha256, ": more than ", most, " bytes")};
    if (file.fail()) return Error{text("cannot write ", path)};
    return fetched ? Expected<void>() : fetched.error();
  }
  CommandRunner* commands() override { return runner_; }

  /// Keeps what the task's next attempt may want of this one, removes it if there is none.
  void settle_lasting(const Outcome& outcome) {
    if (!lasting_) return;
    if (!outcome.is_done && slots_.is_stopping()) return;  // As if killed: nobody cancelled it.
    ByteReader reader(task_.spec);
    const auto spec = protocol::read_task_spec(reader);
    const bool is_over = outcome.is_done || is_cancelled() || !spec || !spec->retry;
    is_over ? lasting_->forget() : lasting_->leave();
  }
  client::ArtifactClient& artifacts() { return artifacts_; }

 private:
  void tell(protocol::Progress progress) {
    const std::scoped_lock lock(slots_.mutex_);
    const bool is_first = slots_.progress_.is_empty();
    slots_.progress_.add(std::move(progress));
    if (is_first) slots_.wake();
  }
  Slots& slots_;
  const StartTask& task_;
  std::shared_ptr<Running> running_;
  client::ArtifactClient& artifacts_;
  CommandRunner* runner_;
  TimePoint next_progress_{};
  std::vector<std::string> scratch_;
  std::unique_ptr<LastingFile> lasting_;
  std::string directory_;
};

Slots::Slots(net::Context& context, SlotOptions options, std::uint32_t count,
             std::vector<std::unique_ptr<CommandRunner>> runners)
    : context_(context),
      options_(std::move(options)),
      runners_(std::move(runners)),
      wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  remove_leftovers(options_.scratch);
  for (std::uint32_t slot = 0; slot < count; ++slot)
    threads_.emplace_back([this, slot] { serve(slot); });
}

Slots::~Slots() {
  {
    const std::scoped_lock lock(mutex_);
    should_stop_ = true;
    for (const auto& [id, running] : running_) {
      running->is_cancelled = true;
      ::eventfd_write(running->cancel_fd, 1);
    }
  }
  has_work_.notify_all();
  for (auto& thread : threads_) thread.join();
  ::close(wake_fd_);
}

bool Slots::is_stopping() {
  const std::scoped_lock lock(mutex_);
  return should_stop_;
}

void Slots::wake() { ::eventfd_write(wake_fd_, 1); }

void Slots::start(const StartTask& task) {
  {
    const std::scoped_lock lock(mutex_);
    running_[task.id] = std::make_shared<Running>();
    waiting_.push_back(task);
  }
  has_work_.notify_one();
}

void Slots::kill(const TaskId& id) {
  const std::scoped_lock lock(mutex_);
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  found->second->is_cancelled = true;
  ::eventfd_write(found->second->cancel_fd, 1);
}

std::vector<TaskFinished> Slots::take_finished() {
  eventfd_t ignored = 0;
  ::eventfd_read(wake_fd_, &ignored);
  const std::scoped_lock lock(mutex_);
  return std::exchange(finished_, {});
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

void Slots::serve(std::size_t slot) {
  process::leave_core();
  client::ArtifactClient artifacts(context_, options_.cluster);
  while (true) {
    StartTask task;
    std::shared_ptr<Running> running;
    {
      std::unique_lock lock(mutex_);
      const auto is_due = [&] { return should_stop_ || !waiting_.empty(); };
      while (!has_work_.wait_for(lock, kSweepEvery, is_due)) {
        lock.unlock();  // The loop needs it, and a disk may be slow.
        remove_stale_lasting(options_.scratch);
        lock.lock();
      }
      if (should_stop_) return;
      task = std::move(waiting_.front());
      waiting_.pop_front();
      running = running_.at(task.id);
    }
    TaskFinished finished;
    {
      Context context(*this, task, running, artifacts,
                      slot < runners_.size() ? runners_[slot].get() : nullptr);
      finished = run(task, context);
    }
    {
      const std::scoped_lock lock(mutex_);
      running_.erase(task.id);
      finished_.push_back(std::move(finished));
    }
    wake();
  }
}

namespace {

// Calls the handler; whatever it throws is the task's failure, never the worker's.
Outcome call(const StartTask& task, TaskContext& context) {
  ByteReader reader(task.spec);
  const auto spec = protocol::read_task_spec(reader);
  const auto* handler = spec ? find_handler(spec->kind) : nullptr;
  if (handler == nullptr || handler->run == nullptr) return Outcome::failed("no such kind of task");
  const auto& kind = handler->kind;
  const auto given = Value::from_msgpack(spec->args);
  if (!given) return Outcome::failed(text(kind.name, ": arguments: ", given.error().message));
  const auto args = kinds::conform(kind, *given);
  if (!args) return Outcome::failed(args.error().message);
  try {
    return handler->run(*args, context);
  } catch (const std::exception& error) {
    return Outcome::failed(text(kind.name, ": ", error.what()));
  }
}

/// Files that the sink has durably: as a body tells of them, and their digests.
struct Artifacts {
  Value::Array list;
  std::string digests;
};

TaskFinished report(const StartTask& task, Outcome outcome, Artifacts artifacts, TimePoint started,
                    bool is_cancelled) {
  TaskFinished finished{task.id,
                        task.lease,
                        TaskState::kDone,
                        process::unix_ms(),
                        0,
                        std::move(artifacts.digests),
                        {},
                        outcome.is_lost};
  finished.run_ms = static_cast<std::uint32_t>((process::now() - started) / 1ms);
  Value body = Value::Map{};
  if (!outcome.is_done) {
    finished.state = is_cancelled ? TaskState::kCancelled : TaskState::kFailed;
    body.set("error", outcome.error);
  }
  if (!outcome.value.is_null()) body.set("value", std::move(outcome.value));
  if (!artifacts.list.empty()) body.set("artifact", artifacts.list[0]);
  if (artifacts.list.size() > 1) body.set("artifacts", std::move(artifacts.list));
  finished.body = body.to_msgpack();
  if (finished.body.size() > protocol::kInlineBytesMax) {
    finished.state = TaskState::kFailed;
    finished.body = Value(Value::Map{{"error", text("result of ", finished.body.size(),
                                                    " bytes, limit ", protocol::kInlineBytesMax)}})
                        .to_msgpack();
  }
  return finished;
}

}  // namespace

TaskFinished report_cancelled(const StartTask& task, std::int64_t unix_ms) {
  const Value body = Value::Map{{"error", "cancelled before it started"}};
  return {task.id, task.lease, TaskState::kCancelled, unix_ms, 0, {}, body.to_msgpack(), false};
}

BatchFinished Slots::run_batch(std::shared_ptr<const Batch> batch) {
  constexpr std::string_view kValue = "\x81\xa5value";  // {"value": …}, around what is encoded.
  BatchFinished finished;
  finished.ends.reserve(batch->tasks.size());
  finished.bodies.reserve(batch->payload.size());
  const Handler* handler = nullptr;
  for (const auto& task : batch->tasks) {
    if (handler == nullptr || handler->kind.name != task.spec.kind)
      handler = find_handler(task.spec.kind);
    const auto before = finished.bodies.size();
    put<std::uint32_t>(finished.bodies, 0);  // Its size, once it is known.
    finished.bodies += kValue;
    auto state = TaskState::kDone;
    if (auto ran = handler->run_inline(task.spec.args, finished.bodies); !ran) {
      state = TaskState::kFailed;
      finished.bodies.resize(before + sizeof(std::uint32_t));
      finished.bodies += Value(Value::Map{{"error", ran.error().message}}).to_msgpack();
    }
    const auto bytes = static_cast<std::uint32_t>(finished.bodies.size() - before);
    write_at<std::uint32_t>(finished.bodies.data() + before, 0,
                            bytes - static_cast<std::uint32_t>(sizeof bytes));
    finished.ends.push_back({state, bytes});
  }
  finished.finished_unix_ms = process::unix_ms();
  finished.batch = std::move(batch);
  return finished;
}

TaskFinished Slots::run(const StartTask& task, Context& context) {
  const auto started = process::now();
  auto outcome = call(task, context);
  Artifacts artifacts;
  for (const auto& file : outcome.files) {
    if (context.is_cancelled()) break;
    // The result leaves only after the sink has the file durably (ring rule R4).
    const auto stored =
        context.artifacts().put(file.path, [&](std::uint64_t done, std::uint64_t total) {
          context.progress(done, total);
          return !context.is_cancelled();
        });
    if (stored) {
      artifacts.list.push_back(
          Value::Map{{"sha256", stored->sha256}, {"bytes", stored->bytes}, {"name", file.name}});
      for (std::size_t i = 0; i < 64; i += 2)
        artifacts.digests += static_cast<char>(std::stoi(stored->sha256.substr(i, 2), nullptr, 16));
      ::unlink(file.path.c_str());
    } else {
      outcome.error += text(outcome.is_done ? "" : "; ", "its file ", file.name,
                            " could not be kept: ", stored.error().message);
      outcome.is_done = false;
    }
  }
  context.settle_lasting(outcome);
  return report(task, std::move(outcome), std::move(artifacts), started, context.is_cancelled());
}

}  // namespace eole::worker
