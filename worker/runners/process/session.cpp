#include "worker/runners/process/session.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "common/base/planted.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "common/protocol/records.hpp"

namespace eole::worker {

using protocol::Value;

namespace {

constexpr std::chrono::milliseconds kLookEvery{250};  // Is it well? It cannot say so itself.
// Beyond the grace: who ends at its last moment is not told by a signal, too.
constexpr std::chrono::milliseconds kSignalMargin{250};
constexpr std::size_t kErrorBytesMax = 4096;
constexpr std::size_t kFetchedNameMax = 255;
constexpr std::size_t kAnswerBytesMax = 4 << 20;  // That a child has not taken yet.

// A child may be in a hostile file's hands: it hands back what lies in the directory, and no more.
bool is_file_in(const std::string& directory, const std::string& name) {
  if (planted("files-from-anywhere")) return true;
  struct stat found {};
  return !directory.empty() && name.find('/') == std::string::npos &&
         ::lstat(text(directory, "/", name).c_str(), &found) == 0 && S_ISREG(found.st_mode);
}

}  // namespace

Session::Session(ProcessRunner& runner, std::span<const Run> runs, const OnEnded& on_ended)
    : runner_(runner),
      talk_(runner.talk_),
      runs_(runs),
      on_ended_(on_ended),
      is_told_(runs.size(), false) {
  Bytes frames;
  for (const auto& run : runs_) {
    const auto& task = run.task;
    frames += frames::encode(frames::Run{talk_.begin(), task.id, task.attempt, task.kind, task.args,
                                         task.directory, task.project, task.traceparent});
  }
  begin_next();
  runner_.child_->forget_words();
  runner_.child_->send(frames);
}

void Session::begin_next() {
  asked_.reset();
  next_.reset();
  if (is_over()) return;
  if (const auto limit = current().task.time_limit; limit.count() > 0) next_ = Clock::now() + limit;
  if (runner_.program_.is_foreign()) runner_.words_of_run_ = current().on_output;
}

bool Session::serve() {
  auto& child = *runner_.child_;
  while (true) {
    const bool is_cancelled = child.wait(asked_ ? -1 : current().cancel_fd(), wait_ms());
    ask_to_end(is_cancelled);
    tell_cancels_ahead();
    if (asked_ && !runner_.program_.is_kept) return finish({}), true;
    const bool is_well = child.is_well();
    if (!is_well) child.take_rest();
    if (auto heard = hear(); !heard)
      return lose(text("spoke nonsense: ", heard.error().message)), false;
    if (is_over()) return !is_told_by_signal_;
    if (!is_well) return lose({}), false;
    if (is_hung() && !insist()) return lose("did not end when told to"), false;
    if (runner_.is_deaf()) return lose("did not answer a ping"), false;
  }
}

int Session::wait_ms() const {
  if (!next_) return static_cast<int>(kLookEvery.count());
  const auto left = std::chrono::duration_cast<milliseconds>(*next_ - Clock::now()).count() + 1;
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, kLookEvery.count()));
}

// Once: when it is wished, or its time is over.
void Session::ask_to_end(bool is_cancelled) {
  if (asked_ || (!is_cancelled && (!next_ || Clock::now() < *next_))) return;
  const auto grace = current().task.grace;
  const auto& program = runner_.program_;
  asked_ = is_cancelled ? End::kCancelled : End::kTimeLimit;
  asked_at_ = Clock::now();
  next_ = asked_at_ + grace + (program.is_foreign() ? kSignalMargin : program.ends_within);
  if (program.is_kept) tell_cancel(at_);
}

// Those that a child which reads ahead is not at yet, or is: its ends may be on their way.
void Session::tell_cancels_ahead() {
  for (auto run = at_ + 1; run < runs_.size(); ++run)
    if (const auto& is_cancelled = runs_[run].is_cancelled; is_cancelled && is_cancelled())
      tell_cancel(run);
}

void Session::tell_cancel(std::size_t run) {
  if (is_told_[run]) return;
  is_told_[run] = true;
  const auto number = talk_.begun() - (runs_.size() - run) + 1;
  const auto grace = static_cast<std::uint64_t>(runs_[run].task.grace.count());
  runner_.child_->send(frames::Cancel{number, grace});
}

// A foreign one may not listen, or sit in a long call: a signal ends it as it ends any program.
// False: it cannot be told so, or was.
bool Session::insist() {
  if (is_told_by_signal_ || !runner_.program_.is_foreign()) return false;
  is_told_by_signal_ = true;
  next_ = Clock::now() + runner_.program_.ends_within;
  runner_.child_->signal_end();
  return true;
}

Session::Heard Session::hear() {
  auto& child = *runner_.child_;
  while (!is_over()) {
    auto frame = child.next();
    if (!frame) return frame.error();
    if (!*frame) return {};
    runner_.heard_at_ = Clock::now();
    if (auto heard = std::visit([this](auto& each) { return take(each); }, **frame); !heard)
      return heard;
  }
  return {};
}

// What comes late of an earlier run is nobody's any more.
Session::Heard Session::take(frames::Output& output) {
  const auto meant = talk_.meant(output.number);
  if (!meant) return meant.error();
  if (!*meant) return {};
  const auto& on_output = runs_[at_ + **meant].on_output;
  if (!on_output || output.stream < 1 || output.stream > 2)
    return Error{text("output of a stream ", output.stream, ", which it has not")};
  on_output(output.stream == 2, output.bytes);
  return {};
}

Session::Heard Session::take(frames::Progress& progress) {
  const auto meant = talk_.meant(progress.number);
  if (!meant) return meant.error();
  if (!*meant) return {};
  const auto& on_progress = runs_[at_ + **meant].on_progress;
  if (on_progress) on_progress(progress.done, progress.total, std::move(progress.text));
  return {};
}

Session::Heard Session::take(frames::Fetch& fetch) {
  const auto meant = talk_.meant(fetch.number);
  if (!meant) return meant.error();
  if (!*meant) return {};
  const auto& on_fetch = runs_[at_ + **meant].on_fetch;
  if (!on_fetch) return Error{"a fetch, which it has no use for"};
  auto& child = *runner_.child_;
  const auto size = fetch.name.size();
  const auto fetched = size > kFetchedNameMax
                           ? Error{text("a name of ", size, " bytes, limit ", kFetchedNameMax)}
                           : on_fetch(fetch.sha256, fetch.name);
  const auto answer = frames::encode(
      frames::Fetched{fetch.number, fetch.name, fetched ? "" : fetched.error().message});
  if (child.has_sent_all()) answer_bytes_ = 0;
  answer_bytes_ += answer.size();
  if (answer_bytes_ > kAnswerBytesMax)
    return Error{text("fetches, but does not read ", answer_bytes_, " bytes of answers, limit ",
                      kAnswerBytesMax)};
  child.send(answer);
  return {};
}

Session::Heard Session::take(frames::Done& done) {
  Ended ended{.end = End::kDone, .value = {}, .error = {}, .files = std::move(done.files)};
  return end(done.number, std::move(ended), done.value);
}

Session::Heard Session::take(frames::Failed& failed) {
  Ended ended{.end = End::kFailed, .value = {}, .error = std::move(failed.error), .files = {}};
  ended.cause = std::move(failed.cause);
  ended.retry_after_ms = failed.retry_after_ms;
  return end(failed.number, std::move(ended), failed.value);
}

Session::Heard Session::end(std::uint64_t number, Ended ended, const Bytes& value) {
  const auto is_end = talk_.end(number);
  if (!is_end) return is_end.error();
  if (!*is_end) return {};
  const auto refuse = [&](std::string why) {
    finish({.end = End::kFailed, .value = {}, .error = std::move(why), .files = {}});
    return Heard();
  };
  if (value.size() > protocol::kInlineBytesMax)
    return refuse(text("a value of ", value.size(), " bytes, limit ", protocol::kInlineBytesMax));
  auto decoded = value.empty() ? Expected<Value>(Value()) : Value::from_msgpack(value);
  if (!decoded) return refuse(text("a value that is ", decoded.error().message));
  ended.value = std::move(*decoded);
  ended.error = shown(cut_text(ended.error, kErrorBytesMax), Keep::kLines);
  const auto& directory = current().task.directory;
  for (auto& file : ended.files) {
    if (!is_file_in(directory, file))
      return refuse(text("no file ", shown(cut_text(file, kFetchedNameMax)), " in its directory"));
    file = text(directory, "/", file);
  }
  finish(std::move(ended));
  return {};
}

void Session::finish(Ended ended) {
  auto& child = runner_.child_;
  const auto& program = runner_.program_;
  // What it printed before it said so is its run's. One that reads ahead may be further on.
  if (child && program.is_foreign() && talk_.ahead() == 1) child->take_words();
  if (!program.is_kept && child) {
    const auto pid = child->pid();
    child.reset();
    if (asked_) ended.stopped = killed(pid);
  }
  // Who is done was quicker than the wish that it ends, if nobody else had to end it.
  if (asked_ && !(program.is_foreign() && ended.end == End::kDone)) ended.end = *asked_;
  on_ended_(at_++, std::move(ended));
  // It may end with its run: the next one is for another process.
  if (is_told_by_signal_) return leave_rest("its process was told to end");
  begin_next();
}

void Session::leave_rest(const std::string& why) {
  while (!is_over())
    on_ended_(at_++, {.end = End::kUnbegun, .value = {}, .error = why, .files = {}});
}

// Nothing is left of the process: how it came to that, and how long it took.
Value Session::killed(pid_t pid) const {
  const std::chrono::duration<double> took = Clock::now() - asked_at_;
  return Value::Map{{"pid", pid},
                    {"processes", 1},
                    {"signals", Value::Array{"SIGKILL"}},
                    {"seconds", took.count()}};
}

// Those behind the one that it was at had not begun.
void Session::lose(std::string problem) {
  auto& child = runner_.child_;
  const auto pid = child->pid();
  auto death = child->end();
  child.reset();
  if (problem.empty()) problem = death.how;
  if (is_told_by_signal_) problem += ", SIGTERM came after its grace";
  Ended ended{.end = End::kLost, .value = {}, .error = std::move(problem), .files = {}};
  ended.signal = death.signal;
  if (!death.words.empty()) ended.words = text("; it printed: ", death.words);
  if (asked_ && death.how.empty()) ended.stopped = killed(pid);
  finish(std::move(ended));
  leave_rest("its process died before");
}

}  // namespace eole::worker
