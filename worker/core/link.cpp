#include "worker/core/link.hpp"

#include <algorithm>
#include <utility>

#include "common/base/planted.hpp"

namespace eole::worker {

namespace {

constexpr int kSilentHalfBeatsMax = 9;  // The ventilator answers every other beat: one may be lost.
constexpr int kUnansweredMax = 16;      // Hellos that wait; of 1.8 MB each with all that is held.

protocol::Hello introduce(const Config& config, RunId run) {
  protocol::Hello hello;
  hello.run = run;
  hello.name = config.name;
  hello.pid = config.pid;
  hello.slots = config.slots;
  hello.labels = config.labels;
  hello.resources = config.resources;
  hello.host = config.host;
  hello.version = config.version;
  hello.prefetch = config.prefetch;
  hello.restarts = config.restarts;
  for (const auto& kind : config.kinds) hello.kinds += (hello.kinds.empty() ? "" : ",") + kind;
  hello.payload = protocol::encode_runners(config.runners);
  return hello;
}

}  // namespace

VentilatorLink::VentilatorLink(const Config& config, RunId run, TimePoint now)
    : self_(introduce(config, run)),
      retry_(config.retry),
      heartbeat_(config.heartbeat),
      next_hello_(now) {}

void VentilatorLink::offer(const std::vector<protocol::RunnerOffer>& runners) {
  self_.payload = protocol::encode_runners(runners);
}

void VentilatorLink::renew() {
  if (state_ == State::kHello) ++hello_number_;
}

bool VentilatorLink::on_welcome(const protocol::Welcome& welcome, TimePoint now, Actions& out) {
  heard_ = now;
  if (state_ != State::kHello || welcome.run != run() || welcome.hello != hello_number_)
    return false;
  link_ = {welcome.start, run(), hello_number_};
  heartbeat_ = std::chrono::milliseconds(std::clamp(welcome.heartbeat_ms, 10U, 60'000U));
  received_ = 0;
  unanswered_ = 0;
  state_ = State::kOpening;
  next_hello_ = now + retry_ * 3;  // The pipe must stand by then.
  out.push_back(OpenPipe{welcome.pipe});
  return true;
}

void VentilatorLink::on_pipe_up(TimePoint now) {
  if (state_ != State::kOpening) return;
  state_ = State::kLinked;
  heard_ = now;
  wants_beat_ = true;
}

bool VentilatorLink::close(Actions& out) {
  if (state_ == State::kHello) return false;
  out.push_back(ClosePipe{});
  last_link_ = std::exchange(link_, {});  // Whatever else comes over it is not heard.
  last_received_ = received_;
  ++hello_number_;
  state_ = State::kHello;
  return true;
}

bool VentilatorLink::hear(const Link& link, TimePoint now) {
  if (link != link_) return false;
  heard_ = now;
  return true;
}

TimePoint VentilatorLink::silent_at() const {
  if (planted("silence-not-noticed")) return TimePoint::max();
  return heard_ + heartbeat_ * kSilentHalfBeatsMax / 2;
}

TimePoint VentilatorLink::next_deadline() const {
  return is_linked() ? std::min(next_beat_, silent_at()) : next_hello_;
}

void VentilatorLink::say_hello(const Bytes& held, TimePoint now, Actions& out) {
  next_hello_ = now + retry_;
  const bool is_afresh = ++unanswered_ > kUnansweredMax && !planted("hellos-pile-up");
  if (is_afresh) unanswered_ = 1, ++hello_number_;
  auto hello = self_;
  hello.hello = hello_number_;
  hello.last_start = last_link_.start;
  hello.last_hello = last_link_.hello;
  hello.received = last_received_;
  hello.payload += held;
  out.push_back(SendHello{std::move(hello), is_afresh});
}

void VentilatorLink::beat(std::uint64_t limit, bool is_draining, Bytes held, TimePoint now,
                          Actions& out) {
  out.push_back(SendBeat{{link_.start, run(), link_.hello, ++beats_, received_, limit,
                          std::uint8_t{is_draining}, std::move(held)}});
  wants_beat_ = false;
  next_beat_ = now + heartbeat_;
}

void VentilatorLink::grant(std::uint64_t limit, Actions& out) const {
  out.push_back(SendCredit{{link_.start, run(), link_.hello, received_, limit}});
}

void VentilatorLink::say_goodbye(Actions& out) const {
  out.push_back(SendGoodbye{{link_.start, run(), link_.hello}});
}

}  // namespace eole::worker
