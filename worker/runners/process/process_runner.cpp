#include "worker/runners/process/process_runner.hpp"

#include <poll.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "common/process/log.hpp"
#include "common/protocol/runner_offers.hpp"
#include "worker/runners/process/session.hpp"

namespace eole::worker {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{250};      // Whether one that says nothing still is well.
constexpr milliseconds kBackoffMin = 100ms;  // After a start that came to no hello, doubled …
constexpr milliseconds kBackoffMax = 30s;    // … up to this.
constexpr int kDoublings = 10;               // So often at most.
constexpr milliseconds kLeaveWithin{2000};   // From a closed socket, and from SIGTERM, to the end.
constexpr milliseconds kLeaveLook{5};
constexpr std::size_t kLoggedLineBytesMax = 1024;

// Until then, or `fd` is readable: whether that is so.
bool wait(int fd, milliseconds time) {
  pollfd due{fd, POLLIN, 0};
  return ::poll(&due, 1, static_cast<int>(std::max<std::int64_t>(0, time.count()))) > 0;
}

}  // namespace

ProcessRunner::ProcessRunner(ChildProcesses& processes, Program program)
    : processes_(processes), program_(std::move(program)) {
  if (!program_.is_kept) return;
  if (auto started = start(); !started) throw std::runtime_error(started.error().message);
}

ProcessRunner::~ProcessRunner() {
  if (program_.is_foreign()) retire();
}

Expected<void> ProcessRunner::start() {
  child_.reset();
  auto variables = program_.variables;
  variables.push_back(text(frames::kSocketVariable, "=", frames::kSocket));
  auto started = Child::start(
      processes_,
      {.path = program_.path,
       .argv = program_.argv,
       .has_environment = program_.has_environment,
       .variables = std::move(variables)},
      [this](bool is_stderr, std::string_view bytes) { take_words(is_stderr, bytes); });
  if (!started) return started.error();
  child_ = std::move(*started);
  talk_ = Talk(program_.kinds, program_.ahead);
  started_at_ = heard_at_ = Clock::now();
  pinged_at_.reset();
  return {};
}

// What cannot be started now is tried again by the next task, or in a while.
void ProcessRunner::start_again() {
  if (auto started = start(); !started && program_.is_foreign())
    (void)fail(started.error().message);
}

ProcessRunner::Ended ProcessRunner::run(const Run& run) {
  Ended ended;
  this->run({&run, 1}, [&](std::size_t, Ended each) { ended = std::move(each); });
  return ended;
}

void ProcessRunner::run(std::span<const Run> runs, const OnEnded& on_ended) {
  if (auto ready = prepare(runs[0].cancel_fd()); !ready) {
    const bool is_cancelled = wait(runs[0].cancel_fd(), milliseconds(0));
    for (std::size_t i = 0; i < runs.size(); ++i) {
      Ended ended{.end = End::kLost,
                  .value = {},
                  .error = text("could not be started: ", ready.error().message),
                  .files = {}};
      if (program_.is_foreign())
        ended.end = is_cancelled && i == 0 ? End::kCancelled : End::kUnbegun;
      on_ended(i, std::move(ended));
    }
    return;
  }
  const bool is_kept = Session(*this, runs, on_ended).serve();
  words_of_run_ = nullptr;
  heard_at_ = Clock::now();
  if (is_kept ? program_.is_foreign() && is_used_up() : program_.is_kept) replace({});
}

// ---- Its start.

// What became of a child between two tasks is nobody's loss.
Expected<void> ProcessRunner::prepare(int cancel_fd) {
  if (!program_.is_foreign()) return is_well() ? Expected<void>() : start();
  if (child_ && !child_->is_well() && talk_.is_introduced()) replace("ended between two tasks");
  if (!problem_.empty()) return Error{problem_};  // Others may have the slot.
  return hear_hello(cancel_fd);
}

Expected<void> ProcessRunner::hear_hello(int cancel_fd) {
  while (!talk_.is_introduced()) {
    if (child_->wait(cancel_fd, static_cast<int>(kLookEvery.count()))) return Error{"cancelled"};
    const bool is_well = child_->is_well();
    if (!is_well) child_->take_rest();
    if (auto heard = hear_between(); !heard)
      return fail(text("spoke nonsense: ", heard.error().message));
    if (talk_.is_introduced()) break;
    if (!is_well) return fail({});
    if (Clock::now() - started_at_ > program_.hello_within)
      return fail(text("said no hello within ", program_.hello_within.count(), " ms"));
  }
  note_hello();
  return {};
}

// What a child without a run may say.
Expected<void> ProcessRunner::hear_between() {
  while (true) {
    auto frame = child_->next();
    if (!frame) return frame.error();
    if (!*frame) return {};
    heard_at_ = Clock::now();
    Expected<void> heard;
    if (auto* hello = std::get_if<frames::Hello>(&**frame)) heard = talk_.hear(*hello);
    if (auto* kind = std::get_if<frames::Kind>(&**frame)) heard = talk_.hear(*kind);
    if (std::holds_alternative<frames::Pong>(**frame)) pinged_at_.reset();
    if (!heard) return heard;  // What comes late of a run is nobody's any more.
  }
}

Expected<ProcessRunner::Offer> ProcessRunner::introduce() {
  if (auto heard = hear_hello(-1); !heard) return heard.error();
  return *take_offer();
}

std::optional<ProcessRunner::Offer> ProcessRunner::take_offer() {
  if (!child_ || !talk_.is_introduced() || !program_.kinds.empty()) return std::nullopt;
  for (const auto& kind : talk_.kinds()) program_.kinds.push_back(kind.name);
  program_.ahead = talk_.ahead();
  return Offer{talk_.kinds(), talk_.ahead()};
}

void ProcessRunner::refuse(const std::string& problem) {
  program_.kinds.clear();
  program_.ahead = 1;
  failures_ = kDoublings;  // It will say the same.
  (void)fail(problem);
}

void ProcessRunner::note_hello() {
  if (!std::exchange(problem_, {}).empty())
    process::log_info(text("runner ", program_.name, ": has started again"));
  failures_ = 0;
}

Error ProcessRunner::fail(std::string problem) {
  if (child_) {
    const auto death = child_->end();
    if (problem.empty()) problem = death.how;
    if (!death.words.empty()) problem += text("; it printed: ", death.words);
    child_.reset();
  }
  const auto pause = std::min(kBackoffMax, kBackoffMin * (1 << std::min(failures_++, kDoublings)));
  starts_at_ = Clock::now() + pause;
  auto told = text("runner ", program_.name, ": ", problem);
  process::log_warning(text(told, "; again in ", pause.count(), " ms"));
  if (problem_.empty()) problem_ = cut_text(told, protocol::kProblemBytesMax);
  return Error{std::move(told)};
}

// ---- Between two tasks.

void ProcessRunner::rest() {
  if (!program_.is_foreign()) return;
  const auto now = Clock::now();
  if (!child_) {
    if (now >= starts_at_) start_again();
    return;
  }
  child_->wait(-1, 0);
  child_->take_words();
  const bool is_well = child_->is_well();
  if (!is_well) child_->take_rest();
  const auto heard = hear_between();
  const auto problem = !heard ? text("spoke nonsense: ", heard.error().message) : std::string();
  if (!talk_.is_introduced()) {
    const bool is_late = now - started_at_ > program_.hello_within;
    if (!heard || !is_well)
      (void)fail(problem);
    else if (is_late)
      (void)fail(text("said no hello within ", program_.hello_within.count(), " ms"));
    return;
  }
  note_hello();
  if (!heard) return replace(problem);
  if (!is_well) return replace("ended between two tasks");
  if (is_deaf())
    return replace(text("did not answer a ping within ", program_.pong_within.count(), " ms"));
  if (is_used_up()) return replace({});
  if (pinged_at_ || now - heard_at_ < program_.ping_every) return;
  pinged_at_ = now;
  child_->send(frames::Ping{++pings_});
}

bool ProcessRunner::is_deaf() const {
  return pinged_at_ && Clock::now() - *pinged_at_ > program_.pong_within;
}

bool ProcessRunner::is_used_up() {
  if (program_.runs_max > 0 && talk_.begun() >= program_.runs_max) return true;
  return program_.memory_bytes_max > 0 && child_->memory_bytes() > program_.memory_bytes_max;
}

// `why`: what was wrong with it, for the log; empty: nothing.
void ProcessRunner::replace(const std::string& why) {
  if (why.empty()) {
    retire();
  } else {
    const auto death = child_->end();
    const auto words = death.words.empty() ? "" : text("; it printed: ", death.words);
    const auto how = death.how.empty() ? "" : text(": ", death.how);
    process::log_warning(text("runner ", program_.name, ": its process ", why, how, words));
  }
  start_again();
}

// In peace: it hears that its socket closes, then SIGTERM.
void ProcessRunner::retire() {
  if (!child_) return;
  const auto ends_within = [&](milliseconds time) {
    const auto until = Clock::now() + time;
    while (ChildProcesses::state_of(child_->pid()) == ChildProcesses::State::kWell) {
      if (Clock::now() >= until) return false;
      wait(-1, kLeaveLook);
      child_->take_words();
    }
    return true;
  };
  child_->close_socket();
  if (!ends_within(kLeaveWithin)) {
    child_->signal_end();
    ends_within(kLeaveWithin);
  }
  child_.reset();
}

// What is nobody's output is for the log: a line each, as it may be shown.
void ProcessRunner::take_words(bool is_stderr, std::string_view bytes) {
  if (!program_.is_foreign()) return;
  if (words_of_run_) return words_of_run_(is_stderr, bytes);
  while (!bytes.empty()) {
    const auto line = bytes.substr(0, bytes.find('\n'));
    if (!line.empty())
      process::log_info(
          text("runner ", program_.name, ": ", shown(cut_text(line, kLoggedLineBytesMax))));
    bytes.remove_prefix(std::min(bytes.size(), line.size() + 1));
  }
}

}  // namespace eole::worker
