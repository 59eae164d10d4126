#include "gateway/io/puller.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/base/expected.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "common/protocol/causes.hpp"
#include "gateway/core/http/problem.hpp"
#include "worker/runners/part.hpp"

namespace eole::gateway {

using protocol::TaskState;
using protocol::Value;

namespace {

constexpr Duration kGlanceEvery = 1s;  // Whether who waits is still there.
constexpr std::size_t kProgressUntoldMax = 1024;
constexpr std::uint64_t kPulledBytesMax = 8 << 20;  // Of the tasks of one kind that are leased.

worker::NodeOptions options_of(const Fabric& fabric, const std::string& kind, std::uint32_t pid) {
  worker::NodeOptions options;
  options.cluster = fabric.cluster();
  auto& config = options.config;
  config.name = text(process::host_name(), "-gateway-", pid, "/", kind);
  config.pid = pid;
  config.slots = Leases::kLeasesMax;
  config.prefetch = 1;  // What is asked for is run at once: nothing is held for later.
  config.kinds = {kind};
  config.results_within = Duration{};
  config.held_bytes_max = kPulledBytesMax;
  return options;
}

Puller::Outcome nobody() {
  return {false, true, Value::Map{{"error", "nobody waits for it any more"}}, true};
}

}  // namespace

Puller::Puller(Fabric& fabric, Pulled pulled, std::uint32_t pid)
    : Part(fabric.session()),
      fabric_(fabric),
      pulled_(std::move(pulled)),
      never_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      used_(fabric.world().now()),
      node_(std::make_unique<worker::Node>(options_of(fabric, pulled_.kind, pid), fabric.world(),
                                           *this)) {
  change_slots();
}

Puller::~Puller() {
  node_.reset();
  ::close(never_fd_);
}

void Puller::change_slots() {
  node_->set_slots(leases_.slots());
  is_due_ = true;
  used_ = fabric_.world().now();
}

awaitable<std::vector<Leased>> Puller::lease(std::uint32_t most, Duration lease, Duration wait,
                                             IsGone is_gone) {
  const auto ask = ++last_ask_;
  if (!leases_.ask(ask, most, lease)) {
    http::Problem problem(
        429, text(leases_.slots(), " are leased and waited for, limit ", Leases::kLeasesMax));
    problem.fields.push_back({"Retry-After", "1"});
    throw problem;
  }
  asio::steady_timer timer(co_await asio::this_coro::executor);
  Asker asker{{}, [&timer]() { timer.cancel(); }, std::move(is_gone)};
  if (!asker.is_gone) asker.is_gone = []() { return false; };
  askers_.emplace(ask, &asker);
  change_slots();
  const auto until = fabric_.world().now() + wait;
  while (asker.given.empty() && !asker.is_gone()) {
    const auto left = until - fabric_.world().now();
    if (left <= Duration{}) break;
    timer.expires_after(std::min<Duration>(left, kGlanceEvery));
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  askers_.erase(ask);
  leases_.forget(ask);
  change_slots();
  co_return std::move(asker.given);
}

const Leased* Puller::renew(std::string_view lease, Duration time) {
  used_ = fabric_.world().now();
  return leases_.renew(lease, time, used_);
}

void Puller::leave() {
  node_->stop();
  is_due_ = true;
}

bool Puller::end(std::string_view lease, Outcome outcome) {
  const auto leased = leases_.end(lease);
  if (!leased) return false;
  finish(*leased, std::move(outcome));
  return true;
}

void Puller::give_back(std::string_view lease) {
  const auto leased = leases_.end(lease);
  if (leased) finish(*leased, nobody());
}

bool Puller::show(std::string_view lease, protocol::Progress progress) {
  const auto* leased = leases_.find(lease);
  if (leased == nullptr) return false;
  progress.origin = leased->task.id.origin;
  progress.seq = leased->task.id.seq;
  if (progress_.size() < kProgressUntoldMax) progress_.push_back(std::move(progress));
  is_due_ = true;
  return true;
}

void Puller::finish(const Leased& leased, Outcome outcome, bool is_cancelled) {
  const auto& task = leased.task;
  worker::TaskFinished finished;
  finished.id = task.id;
  finished.lease = task.lease;
  finished.state = is_cancelled      ? TaskState::kCancelled
                   : outcome.is_done ? TaskState::kDone
                                     : TaskState::kFailed;
  finished.finished_unix_ms = fabric_.world().unix_ms();
  const auto began = leased.until - leased.time;  // At least since it was renewed.
  finished.run_us = worker::run_time_us(fabric_.world().now() - began);
  finished.is_lost = outcome.is_lost;
  finished.is_unbegun = outcome.is_unbegun;
  if (outcome.is_lost) outcome.body.set("cause", protocol::kCauseLost);
  worker::tell_part(task, finished.state, outcome.body);
  finished.body = outcome.body.to_msgpack();
  finished_.push_back(std::move(finished));
  change_slots();
}

// Whose connection has ended while it waited gets nothing: it would be held for nobody.
void Puller::forget_gone() {
  for (auto next = leases_.first(); next && askers_.at(*next)->is_gone(); next = leases_.first()) {
    askers_.at(*next)->tell();
    leases_.forget(*next);
  }
}

void Puller::start(const worker::StartTask& task) {
  const auto now = fabric_.world().now();
  const auto& project = task.task_class.project;
  if (!pulled_.project.empty() && project != pulled_.project)
    return finish({{}, task, {}, now},
                  {false, false,
                   Value::Map{{"error", text("tasks of kind ", pulled_.kind,
                                             " are of another project, not of ", project)}}});
  forget_gone();
  auto given = leases_.give(task, hex(fabric_.world().random()), now);
  if (!given) return finish({{}, task, {}, now}, nobody());  // Who waited has just gone.
  auto& asker = *askers_.at(given->ask);
  asker.given.push_back(*given->leased);
  asker.tell();
}

void Puller::kill(const TaskId& id, bool is_timeout) {
  const auto leased = leases_.revoke(id);
  if (!leased) return;
  const auto* why = is_timeout ? "its time limit is over" : "cancelled";
  Value body = Value::Map{{"error", why}};
  if (is_timeout) body.set("cause", protocol::kCauseTimeout);
  finish(*leased, {false, false, std::move(body)}, !is_timeout);
}

worker::BatchFinished Puller::run_batch(std::shared_ptr<const worker::Batch>) {
  invariant(false, "a puller has no kinds that run in the loop");
  return {};
}

std::vector<worker::TaskFinished> Puller::take_finished() { return std::exchange(finished_, {}); }

void Puller::turn(TimePoint now) {
  for (const auto& leased : leases_.take_lapsed(now))
    finish(leased, {false, true, Value::Map{{"error", "its lease lapsed"}}});
  next_turn_ = node_->turn();
  if (is_due_ && finished_.empty()) is_due_ = false;
}

std::optional<TimePoint> Puller::next_deadline() const {
  const auto lapse = leases_.next_deadline();
  if (!lapse || !next_turn_) return lapse ? lapse : next_turn_;
  return std::min(*lapse, *next_turn_);
}

Pullers::Pullers(Fabric& fabric) : fabric_(fabric) {}

Puller* Pullers::find(const Pulled& pulled) {
  const auto found = pullers_.find(pulled);
  return found == pullers_.end() ? nullptr : found->second.get();
}

Puller& Pullers::of(const Pulled& pulled) {
  if (auto* puller = find(pulled)) return *puller;
  if (pullers_.size() >= kPullersMax)
    throw http::Problem(
        503, text("tasks of ", pullers_.size(), " kinds are pulled here, limit ", kPullersMax));
  const auto pid = static_cast<std::uint32_t>(::getpid());
  return *pullers_.emplace(pulled, std::make_unique<Puller>(fabric_, pulled, pid)).first->second;
}

awaitable<void> Pullers::tidy() {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (true) {
    timer.expires_after(kIdle / 4);
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    const auto since = fabric_.world().now() - kIdle;
    for (auto puller = pullers_.begin(); puller != pullers_.end();) {
      if (!puller->second->is_idle_since(since)) {
        ++puller;
        continue;
      }
      puller->second->leave();
      leaving_.push_back(std::move(puller->second));
      puller = pullers_.erase(puller);
    }
    std::erase_if(leaving_, [](const auto& puller) { return puller->is_gone(); });
  }
}

}  // namespace eole::gateway
