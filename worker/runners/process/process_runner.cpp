#include "worker/runners/process/process_runner.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "common/base/planted.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "common/protocol/records.hpp"

namespace eole::worker {

namespace {

using Clock = std::chrono::steady_clock;
using protocol::Value;
using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{250};  // Whether the child is well: it cannot say so itself.
constexpr std::size_t kErrorBytesMax = 4096;

// A child may be in a hostile file's hands: it hands back what lies in the directory, and no more.
bool is_file_in(const std::string& directory, const std::string& name) {
  if (planted("files-from-anywhere")) return true;
  struct stat found {};
  return !directory.empty() && name.find('/') == std::string::npos &&
         ::lstat(text(directory, "/", name).c_str(), &found) == 0 && S_ISREG(found.st_mode);
}

}  // namespace

/// When a task must end, and when its child must have said that it did.
class ProcessRunner::Watch {
 public:
  Watch(const Task& task, const Program& program) : ends_within_(task.grace + program.ends_within) {
    if (task.time_limit.count() > 0) next_ = Clock::now() + task.time_limit;
  }
  /// True if the task is to end, now for the first time.
  bool ask(bool is_cancelled) {
    if (asked_ || (!is_cancelled && (!next_ || Clock::now() < *next_))) return false;
    asked_ = is_cancelled ? End::kCancelled : End::kTimeLimit;
    asked_at_ = Clock::now();
    next_ = asked_at_ + ends_within_;
    return true;
  }
  bool is_hung() const { return asked_ && Clock::now() >= *next_; }
  std::optional<End> asked() const { return asked_; }
  double seconds_since_asked() const {
    return std::chrono::duration<double>(Clock::now() - asked_at_).count();
  }
  int wait_ms() const {
    if (!next_) return static_cast<int>(kLookEvery.count());
    const auto left = std::chrono::duration_cast<milliseconds>(*next_ - Clock::now()).count() + 1;
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, kLookEvery.count()));
  }

 private:
  milliseconds ends_within_;
  std::optional<Clock::time_point> next_;
  std::optional<End> asked_;
  Clock::time_point asked_at_{};
};

/// Makes sense of what a child says while it runs a task.
class ProcessRunner::Ear {
 public:
  using Heard = Expected<std::optional<Ended>>;
  Ear(const ProcessRunner& runner, bool& is_known, const Task& task, const OnOutput& on_output,
      const OnProgress& on_progress)
      : number_(runner.number_),
        is_known_(is_known),
        task_(task),
        on_output_(on_output),
        on_progress_(on_progress) {}

  /// How the task ended, if that is said by now. An error: what makes no sense.
  Heard hear(Child& child) {
    while (true) {
      auto frame = child.next();
      if (!frame) return frame.error();
      if (!*frame) return std::optional<Ended>();
      auto heard = std::visit([this](auto& each) { return take(each); }, **frame);
      if (!heard || *heard) return heard;
    }
  }

 private:
  Heard take(frames::Run&) { return Error{"a run, which only a worker says"}; }
  Heard take(frames::Cancel&) { return Error{"a cancel, which only a worker says"}; }
  Heard take(frames::Hello& hello) {
    if (std::exchange(is_known_, true)) return Error{"a second hello"};
    if (hello.version != frames::kVersion)
      return Error{text("version ", hello.version, ", this is ", frames::kVersion)};
    if (std::find(hello.kinds.begin(), hello.kinds.end(), task_.kind) == hello.kinds.end())
      return Error{text("a hello without the kind ", task_.kind)};
    return std::optional<Ended>();
  }
  Heard take(frames::Output& output) {
    if (auto meant = is_meant(output.number); !meant || !*meant) return nothing(meant);
    if (!on_output_ || output.stream < 1 || output.stream > 2)
      return Error{text("output of a stream ", output.stream, ", which it has not")};
    on_output_(output.stream == 2, output.bytes);
    return std::optional<Ended>();
  }
  Heard take(frames::Progress& progress) {
    if (auto meant = is_meant(progress.number); !meant || !*meant) return nothing(meant);
    if (on_progress_) on_progress_(progress.done, progress.total, std::move(progress.text));
    return std::optional<Ended>();
  }
  Heard take(frames::Done& done) {
    return end(done.number, {End::kDone, {}, {}, std::move(done.files), 0}, done.value);
  }
  Heard take(frames::Failed& failed) {
    return end(failed.number, {End::kFailed, {}, std::move(failed.error), {}, 0}, failed.value);
  }

  // What comes late of an earlier run is nobody's any more.
  Expected<bool> is_meant(std::uint64_t number) const {
    if (!is_known_) return Error{"no hello before all else"};
    if (planted("frames-of-another-run")) return true;
    if (number > number_) return Error{text("run ", number, ", this is run ", number_)};
    return number == number_;
  }
  static Heard nothing(const Expected<bool>& meant) {
    return meant ? Heard(std::optional<Ended>()) : Heard(meant.error());
  }
  Heard end(std::uint64_t number, Ended ended, const Bytes& value) {
    if (auto meant = is_meant(number); !meant || !*meant) return nothing(meant);
    const auto refuse = [](std::string why) {
      return std::optional(Ended{End::kFailed, {}, std::move(why), {}, 0});
    };
    if (value.size() > protocol::kInlineBytesMax)
      return refuse(text("a value of ", value.size(), " bytes, limit ", protocol::kInlineBytesMax));
    auto decoded = value.empty() ? Expected<Value>(Value()) : Value::from_msgpack(value);
    if (!decoded) return Error{text("a value that is ", decoded.error().message)};
    ended.value = std::move(*decoded);
    ended.error = shown(cut_text(ended.error, kErrorBytesMax), Keep::kLines);
    for (auto& file : ended.files) {
      if (!is_file_in(task_.directory, file))
        return refuse(text("no file ", shown(cut_text(file, kErrorBytesMax)), " in its directory"));
      file = text(task_.directory, "/", file);
    }
    return std::optional(std::move(ended));
  }

  std::uint64_t number_;
  bool& is_known_;
  const Task& task_;
  const OnOutput& on_output_;
  const OnProgress& on_progress_;
};

ProcessRunner::ProcessRunner(ChildProcesses& processes, Program program)
    : processes_(processes), program_(std::move(program)) {
  if (!program_.is_kept) return;
  if (auto started = start(); !started) throw std::runtime_error(started.error().message);
}

Expected<void> ProcessRunner::start() {
  child_.reset();
  auto started = Child::start(
      processes_,
      {.path = program_.path, .argv = program_.argv, .has_environment = program_.has_environment});
  if (!started) return started.error();
  child_ = std::move(*started);
  is_known_ = false;
  number_ = 0;
  return {};
}

// What became of a child between two tasks is nobody's loss.
Expected<void> ProcessRunner::begin(const Task& task) {
  if (!child_ || !child_->is_well())
    if (auto started = start(); !started) return started;
  child_->forget_words();
  child_->send(frames::Run{++number_, task.id, task.attempt, std::string(task.kind),
                           task.args.to_msgpack(), task.directory, task.project, task.traceparent});
  return {};
}

ProcessRunner::Ended ProcessRunner::run(const Task& task, int cancel_fd, const OnOutput& on_output,
                                        const OnProgress& on_progress) {
  if (auto begun = begin(task); !begun) {
    return {End::kLost, {}, text("could not be started: ", begun.error().message), {}, 0};
  }
  Watch watch(task, program_);
  Ear ear(*this, is_known_, task, on_output, on_progress);
  while (true) {
    const bool is_cancelled = child_->wait(watch.asked() ? -1 : cancel_fd, watch.wait_ms());
    if (watch.ask(is_cancelled)) {
      if (!program_.is_kept) return finish({}, watch);
      child_->send(frames::Cancel{number_, static_cast<std::uint64_t>(task.grace.count())});
    }
    const bool is_well = child_->is_well();
    if (!is_well) child_->take_rest();
    auto heard = ear.hear(*child_);
    if (!heard) return lose(watch, text("spoke nonsense: ", heard.error().message));
    if (*heard) return finish(std::move(**heard), watch);
    if (!is_well) return lose(watch, {});
    if (watch.is_hung()) return lose(watch, "did not end when told to");
  }
}

ProcessRunner::Ended ProcessRunner::finish(Ended ended, const Watch& watch) {
  if (!program_.is_kept && child_) {
    const auto pid = child_->pid();
    child_.reset();
    if (watch.asked()) ended.stopped = killed(pid, watch);
  }
  ended.end = watch.asked().value_or(ended.end);
  return ended;
}

// Nothing is left of the process: how it came to that, and how long it took.
Value ProcessRunner::killed(pid_t pid, const Watch& watch) {
  return Value::Map{{"pid", pid},
                    {"processes", 1},
                    {"signals", Value::Array{"SIGKILL"}},
                    {"seconds", watch.seconds_since_asked()}};
}

// A task that had to end anyway did so, if not as it should have.
ProcessRunner::Ended ProcessRunner::lose(const Watch& watch, std::string problem) {
  const auto pid = child_->pid();
  auto death = child_->end();
  child_.reset();
  if (program_.is_kept) (void)start();  // If it cannot be now, the next task tries again.
  Ended ended{End::kLost, {}, problem.empty() ? death.how : std::move(problem), {}, death.signal};
  if (!death.words.empty()) ended.words = text("; it printed: ", death.words);
  if (watch.asked() && death.how.empty()) ended.stopped = killed(pid, watch);
  return finish(std::move(ended), watch);
}

}  // namespace eole::worker
