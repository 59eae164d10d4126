#include "worker/runners/attempt.hpp"

#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "common/base/durations.hpp"
#include "common/base/ids.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "common/process/log.hpp"
#include "common/process/system.hpp"
#include "common/protocol/causes.hpp"
#include "common/protocol/value.hpp"
#include "worker/runners/foreign.hpp"
#include "worker/runners/part.hpp"
#include "worker/runners/references.hpp"
#include "worker/runners/scratch.hpp"

namespace eole::worker {

using protocol::TaskState;

namespace {

constexpr Duration kSweepEvery = 60s;
constexpr Duration kProgressEvery = 200ms;
constexpr std::size_t kProgressTextBytesMax = 256;
constexpr std::size_t kLoggedErrorBytesMax = 1024;
constexpr std::size_t kShownDigestMax = 100;

/// Files that the sink has durably: as a body tells of them, and their digests.
struct Artifacts {
  Value::Array list;
  std::string digests;

  void add(const std::string& sha256, std::uint64_t bytes, const std::string& name) {
    list.push_back(Value::Map{{"sha256", sha256}, {"bytes", bytes}, {"name", name}});
    for (std::size_t i = 0; i < 64; i += 2)
      digests += static_cast<char>(std::stoi(sha256.substr(i, 2), nullptr, 16));
  }
};

// What its handler takes for a cancel was the end of its time.
void tell_timeout(std::uint64_t limit_ms, Outcome& outcome) {
  std::string_view rest = outcome.error;
  for (const std::string_view known : {"cancelled", "; "})
    if (rest.starts_with(known)) rest.remove_prefix(known.size());
  outcome.error =
      text("over its time limit of ", show_duration(limit_ms), rest.empty() ? "" : "; ", rest);
  outcome.is_lost = false;
  outcome.cause = protocol::kCauseTimeout;
}

// What was done to end it, and how long that took.
Value how_stopped(Outcome& outcome, const Cancel& cancel) {
  if (!outcome.stopped.is_null() || !cancel.is_asked()) return std::move(outcome.stopped);
  const std::chrono::duration<double> took = process::now() - cancel.asked_at();
  return Value::Map{{"seconds", took.count()}};
}

TaskFinished report(const StartTask& task, Outcome outcome, Artifacts artifacts, TimePoint started,
                    const Cancel& cancel, std::uint64_t limit_ms) {
  const bool is_over_time = cancel.why() == Cancel::Why::kTimeout;
  if (!outcome.is_done && is_over_time && outcome.cause != protocol::kCauseTimeout)
    tell_timeout(limit_ms, outcome);
  TaskFinished finished{task.id,
                        task.lease,
                        TaskState::kDone,
                        process::unix_ms(),
                        0,
                        std::move(artifacts.digests),
                        {},
                        outcome.is_lost};
  finished.run_us = run_time_us(process::now() - started);
  finished.is_unbegun = outcome.is_unbegun;
  Value body = Value::Map{};
  if (!outcome.is_done) {
    const bool is_cancelled = cancel.why() == Cancel::Why::kCancelled;
    finished.state = is_cancelled ? TaskState::kCancelled : TaskState::kFailed;
    body.set("error", outcome.error);
    if (outcome.is_lost) outcome.cause = protocol::kCauseLost;
    if (!outcome.cause.empty()) body.set("cause", std::move(outcome.cause));
    if (outcome.retry_after_ms > 0) body.set("retry_after_ms", outcome.retry_after_ms);
    if (auto stopped = how_stopped(outcome, cancel); !stopped.is_null())
      body.set("stopped", std::move(stopped));
  }
  if (!outcome.value.is_null()) body.set("value", std::move(outcome.value));
  if (!artifacts.list.empty()) body.set("artifact", artifacts.list[0]);
  if (artifacts.list.size() > 1) body.set("artifacts", std::move(artifacts.list));
  tell_part(task, finished.state, body);
  finished.body = body.to_msgpack();
  if (finished.body.size() > protocol::kInlineBytesMax) {
    finished.state = TaskState::kFailed;
    finished.body = Value(Value::Map{{"error", text("result of ", finished.body.size(),
                                                    " bytes, limit ", protocol::kInlineBytesMax)}})
                        .to_msgpack();
  }
  return finished;
}

// What the loop runs as a rule.
Outcome run_inline(const Handler& handler, const Value& args) {
  Bytes value;
  if (auto ran = handler.run_inline(args.to_msgpack(), value); !ran)
    return Outcome::failed(ran.error().message);
  auto decoded = Value::from_msgpack(value);
  return decoded ? Outcome::done(std::move(*decoded)) : Outcome::failed(decoded.error().message);
}

}  // namespace

Cancel::~Cancel() {
  if (fd_ >= 0) ::close(fd_);
}

// Either who asks sees the descriptor, or this sees that it was asked.
int Cancel::fd() const {
  if (fd_ < 0) {
    fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (is_asked()) ::eventfd_write(fd_, 1);
  }
  return fd_;
}

void Cancel::ask(Why why) {
  Duration::rep never = 0;
  asked_ticks_.compare_exchange_strong(never, process::now().time_since_epoch().count());
  auto none = Why::kNothing;
  why_.compare_exchange_strong(none, why);
  if (const int fd = fd_; fd >= 0) ::eventfd_write(fd, 1);
}

Attempt::~Attempt() {
  for (const auto& path : scratch_) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) continue;  // As most: nobody wanted it.
    S_ISDIR(found.st_mode) ? around_.spare.give(path) : void(::unlink(path.c_str()));
  }
}

bool Attempt::is_over_time() const { return until_ && process::now() >= *until_; }

bool Attempt::is_cancelled() const {
  if (is_over_time()) cancel_.ask(Cancel::Why::kTimeout);
  return cancel_.is_asked();
}

// The one that ended it.
std::uint64_t Attempt::time_limit_ms() const {
  return is_over_time() ? static_cast<std::uint64_t>(limit_.count()) : task_.task_class.timeout_ms;
}

void Attempt::start_clock() { started_ = process::now(); }

TaskFinished Attempt::run() {
  start_clock();
  return end(call());
}

void run_together(std::deque<Attempt>& attempts,
                  const std::function<void(TaskFinished)>& on_finished) {
  std::vector<ProcessRunner::Run> runs;
  std::vector<Attempt*> whose;
  for (auto& attempt : attempts) {
    attempt.start_clock();
    if (auto run = attempt.begin()) {
      runs.push_back(std::move(*run));
      whose.push_back(&attempt);
    } else {
      on_finished(attempt.end(attempt.not_begun(run.error())));
    }
  }
  if (runs.empty()) return;
  whose.front()->start_clock();
  whose.front()->runner_->run(runs, [&](std::size_t i, ProcessRunner::Ended ended) {
    on_finished(whose[i]->end(outcome_of(std::move(ended))));
    if (i + 1 < whose.size()) whose[i + 1]->start_clock();
  });
}

TaskFinished Attempt::end(Outcome outcome) {
  for (auto* output : {&stdout_, &stderr_})
    if (*output) (*output)->end();
  Artifacts artifacts;
  for (const auto& file : outcome.files) {
    if (!file.sha256.empty()) {
      artifacts.add(file.sha256, file.bytes, file.name);
      continue;
    }
    if (is_cancelled()) {
      if (outcome.is_done) outcome.error = text("its file ", file.name, " was not kept in time");
      outcome.is_done = false;
      break;
    }
    // The result leaves only after the sink has the file durably (rule R4).
    const auto stored = client::Handover::copy(
        around_.artifacts, file.path, [&](std::uint64_t done, std::uint64_t total) {
          progress(done, total);
          return !is_cancelled();
        });
    if (stored) {
      artifacts.add(stored->sha256, stored->bytes, file.name);
      ::unlink(file.path.c_str());
    } else {
      outcome.error += text(outcome.is_done ? "" : "; ", "its file ", file.name,
                            " could not be kept: ", stored.error().message);
      outcome.is_done = false;
    }
  }
  if (!mask_.is_empty()) {
    outcome.error = mask_.masked(outcome.error);
    outcome.value = mask_.masked_value(outcome.value);
  }
  settle_lasting(outcome);
  tell_failure(outcome);
  return report(task_, std::move(outcome), std::move(artifacts), started_, cancel_,
                time_limit_ms());
}

// What the result says, too: here it stands among what else went on then.
void Attempt::tell_failure(const Outcome& outcome) const {
  if (outcome.is_done || outcome.is_unbegun || cancel_.why() == Cancel::Why::kCancelled) return;
  process::log_warning(text(task_.task_class.kind, ", attempt ", task_.attempt, ": ",
                            cut_text(outcome.error, kLoggedErrorBytesMax)),
                       task_.id);
}

Outcome Attempt::call() {
  wants_retry_ = task_.task_class.retry != 0;
  const auto* handler = find_handler(task_.task_class.kind);
  if (handler == nullptr) {
    const auto run = begin();
    return run ? outcome_of(runner_->run(*run)) : not_begun(run.error());
  }
  const auto& kind = handler->kind;
  auto given = Value::from_msgpack(task_.args);
  if (!given) return Outcome::failed(text(kind.name, ": arguments: ", given.error().message));
  if (kind.needs_exec)
    if (const auto may = around_.signers.check(*given); !may)
      return Outcome::failed(text(kind.name, ": ", may.error().message));
  if (const auto put = put_references(*given); !put) return Outcome::failed(put.error().message);
  const auto args = kinds::conform(kind, *given);
  if (!args) return Outcome::failed(args.error().message);
  try {
    return handler->run == nullptr ? run_inline(*handler, *args) : handler->run(*args, *this);
  } catch (const std::exception& error) {
    return Outcome::failed(text(kind.name, ": ", error.what()));
  }
}

Expected<void> Attempt::put_references(Value& args) {
  // First: what is taken from results is not looked through.
  auto put = has_part_lists() ? put_part_lists(args, *this) : Expected<void>();
  if (put && has_results()) put = put_results(args);
  return put ? put : Error{text(task_.task_class.kind, ": arguments: ", put.error().message)};
}

// As they came, where nothing refers to what is elsewhere.
Expected<Bytes> Attempt::encoded_args() {
  if (!has_part_lists() && !has_results()) return task_.args;
  auto given = Value::from_msgpack(task_.args);
  if (!given) return Error{text(task_.task_class.kind, ": arguments: ", given.error().message)};
  if (auto put = put_references(*given); !put) return put.error();
  return given->to_msgpack();
}

Expected<ProcessRunner::Run> Attempt::begin() {
  if (runner_ == nullptr) return Error{"its runner has not started in this slot"};
  auto args = encoded_args();
  if (!args) return args.error();
  directory_ = scratch_path("directory");  // Made by who wants one.
  return ProcessRunner::Run{
      .task = {.id = task_id(),
               .attempt = attempt(),
               .kind = task_.task_class.kind,
               .args = std::move(*args),
               .project = project(),
               .traceparent = traceparent(),
               .directory = directory_,
               .grace = kForeignGrace},
      .cancel_fd = [this] { return cancel_fd(); },
      .on_output =
          [this](bool is_stderr, std::string_view bytes) {
            auto& output = is_stderr ? stderr_ : stdout_;
            if (!output) output.emplace(*this, is_stderr ? "stderr" : "stdout");
            output->add(bytes);
          },
      .on_progress = [this](std::uint64_t done, std::uint64_t total,
                            const std::string& said) { progress(done, total, said); },
      .on_fetch = [this](const std::string& sha256,
                         const std::string& name) { return fetch_here(sha256, name); },
      .is_cancelled = [this] { return is_cancelled(); }};
}

// Only what some slot's runner offered comes here: without one in this slot it was no attempt.
Outcome Attempt::not_begun(const Error& why) const {
  auto outcome = Outcome::failed(why.message);
  outcome.is_unbegun = runner_ == nullptr;
  return outcome;
}

Expected<void> Attempt::fetch_here(const std::string& sha256, const std::string& name) {
  if (!is_sha256(sha256))
    return Error{text("artifact ", shown(cut_text(sha256, kShownDigestMax)), " is no SHA-256")};
  if (name.empty() || file_name(name) != name)
    return Error{text("a file ", shown(name), ": no name in its directory")};
  const auto path = text(directory_, "/", name);
  struct stat found {};
  if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST)
    return Error{text("no directory ", directory_, ": ", std::strerror(errno))};
  if (::lstat(path.c_str(), &found) == 0) return Error{text("a file ", name, ": is there already")};
  return fetch(sha256, path, UINT64_MAX);
}

// Each parent once, one after the other: what is not wanted of a large result goes at once. Nothing
// is kept for other attempts.
Expected<void> Attempt::put_results(Value& args) {
  const auto conditions = protocol::decode_conditions(task_.conditions);
  if (!conditions) return conditions.error();
  const auto parents = protocol::decode_parents(conditions->parents);
  if (!parents) return parents.error();
  auto references = References::find(args, task_.id, *parents);
  if (!references) return references.error();
  for (const auto& parent : references->wanted()) {
    const auto record = around_.sink().query_until("result", parent, {}, task_.task_class.within,
                                                   [&] { return !is_cancelled(); });
    if (is_cancelled()) return Error{text("$result ", to_text(parent), ": cancelled meanwhile")};
    if (!record) return Error{text("$result ", to_text(parent), ": ", record.error().message)};
    if (auto put = references->put(parent, *record); !put) return put;
  }
  return {};
}

void Attempt::progress(std::uint64_t done, std::uint64_t total, std::string_view said) {
  const auto now = process::now();
  if (now < next_progress_ && done != total) return;
  next_progress_ = now + kProgressEvery;
  around_.tell({task_.id.origin,
                task_.id.seq,
                "",
                done,
                total,
                "",
                shown(cut_text(mask_.masked(said), kProgressTextBytesMax)),
                {},
                task_.task_class.kind,
                task_.task_class.project});
}

void Attempt::output(std::string_view stream, std::string_view bytes) {
  around_.tell({task_.id.origin, task_.id.seq, "", 0, 0, std::string(stream), "",
                Bytes(mask_.masked(bytes)), task_.task_class.kind, task_.task_class.project});
}

Expected<std::string> Attempt::secret(const std::string& name) {
  auto found = around_.secrets.find(name);
  if (found) mask_.add(*found);
  return found;
}

std::string Attempt::scratch_path(std::string_view suffix) {
  scratch_.push_back(text(around_.scratch, "/", to_text(task_.id), ".", task_.lease.start, "-",
                          task_.lease.number, ".", suffix));
  return scratch_.back();
}

std::string Attempt::scratch_directory() {
  auto path = scratch_path("directory");
  if (!around_.spare.take(path))
    throw std::runtime_error(text("no directory ", path, ": ", std::strerror(errno)));
  return path;
}

std::optional<std::string> Attempt::lasting_path() {
  if (!lasting_) {
    if (const auto now = process::now(); now >= around_.next_sweep) {
      around_.next_sweep = now + kSweepEvery;
      remove_stale_lasting(around_.scratch);
    }
    lasting_ = LastingFile::hold(around_.scratch, task_.id);
  }
  return lasting_ ? std::optional(lasting_->path()) : std::nullopt;
}

bool Attempt::has_lasting() const { return LastingFile::is_left(around_.scratch, task_.id); }

void Attempt::reach(const std::string& path, std::uint64_t bytes, std::uint64_t written) {
  auto& handover = handovers_.try_emplace(path, around_.artifacts, path).first->second;
  handover.reach(bytes);
  handover.write_behind(written);
}

Expected<std::string> Attempt::hand_over(const std::string& path, std::uint64_t bytes) {
  auto& handover = handovers_.try_emplace(path, around_.artifacts, path).first->second;
  const auto stored = handover.finish(bytes, [&](std::uint64_t done, std::uint64_t total) {
    progress(done, total);
    return !is_cancelled();
  });
  handovers_.erase(path);
  if (!stored) return stored.error();
  return stored->sha256;
}

Expected<std::string> Attempt::keep(std::string_view bytes) {
  const auto stored = around_.artifacts.put_bytes(bytes, [&] { return !is_cancelled(); });
  if (!stored) return stored.error();
  return stored->sha256;
}

// Straight to the attempt's own file: others may fetch the same artifact at the same time.
Expected<void> Attempt::fetch(const std::string& sha256, const std::string& path,
                              std::uint64_t most) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  std::uint64_t bytes = 0;
  const auto write = [&](std::string_view piece) {
    bytes += piece.size();
    return bytes <= most && !file.write(piece.data(), ssize_t(piece.size())).fail();
  };
  auto fetched = read(sha256, write);
  file.close();
  if (is_cancelled()) return fetched;
  if (bytes > most) return Error{text("artifact ", sha256, ": more than ", most, " bytes")};
  if (file.fail()) return Error{text("cannot write ", path)};
  return fetched;
}

Expected<void> Attempt::read(const std::string& sha256, const OnBytes& on_bytes) {
  const auto got = around_.artifacts.get_to(sha256, on_bytes, [&] { return !is_cancelled(); });
  if (is_cancelled()) return Error{"cancelled"};
  return got ? Expected<void>() : got.error();
}

Expected<Value> Attempt::parts(const std::string& project, const Value& from) {
  const Value options = Value::Map{{"project", project}, {"from", from}};
  auto page = around_.sink().query_until("parts", {}, options, task_.task_class.within,
                                         [&] { return !is_cancelled(); });
  if (is_cancelled()) return Error{"cancelled"};
  return page;
}

// Keeps what the task's next attempt may want of this one, removes it if there is none.
void Attempt::settle_lasting(const Outcome& outcome) {
  if (!lasting_) return;
  if (!outcome.is_done && around_.is_stopping()) return;  // As if killed: nobody cancelled it.
  const bool is_cancelled = cancel_.why() == Cancel::Why::kCancelled;
  const bool is_over = outcome.is_done || is_cancelled || !wants_retry_;
  is_over ? lasting_->forget() : lasting_->leave();
}

}  // namespace eole::worker
