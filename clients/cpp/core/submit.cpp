#include "clients/cpp/core/submit.hpp"

#include <algorithm>
#include <utility>

#include "clients/cpp/core/silence.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/refusal.hpp"

namespace eole::client {

void SubmitCore::on_event(SubmitEvent event, TimePoint now, SubmitActions& out) {
  std::visit([&](auto& concrete) { on(concrete, now, out); }, event);
}

void SubmitCore::on(SubmitAsked& event, TimePoint now, SubmitActions& out) {
  invariant(has_room(), "a submit more than there is room for");
  auto& submit = event.submit;
  submit.run = run_;
  submit.request = next_request_++;
  if (flights_.empty()) {
    heard_ = now;
    repeat_at_ = now + kRepeat;
  }
  const bool confirms_all = flights_.empty() || planted("submit-confirms-unanswered");
  submit.confirmed = (confirms_all ? submit.request : flights_.front().submit.request) - 1;
  flying_bytes_ += event.groups->size();
  out.emplace_back(SendSubmit{submit, event.groups});
  flights_.push_back({std::move(submit), std::move(event.groups), now, false});
}

SubmitCore::Flight* SubmitCore::find(std::uint64_t request) {
  if (flights_.empty() || request < flights_.front().submit.request) return nullptr;
  const auto at = request - flights_.front().submit.request;
  return at < flights_.size() && !flights_[at].is_over ? &flights_[at] : nullptr;
}

void SubmitCore::on(AcceptedReceived& event, TimePoint now, SubmitActions& out) {
  ByteReader reader(event.accepted.payload);
  while (const auto acceptance = protocol::read_acceptance(reader)) {
    auto* flight = find(acceptance->request);
    if (flight == nullptr || flight->submit.count != acceptance->count) continue;
    window_.on_answer(acceptance->count, now);
    end(*flight,
        {acceptance->request, {}, event.accepted.origin, acceptance->first, acceptance->count},
        out);
  }
  heard_ = now;
  forget_ended();
}

void SubmitCore::on(SubmitRefused& event, TimePoint now, SubmitActions& out) {
  const auto& refused = event.refused;
  const auto error = protocol::error_of("the ventilator", refused);
  heard_ = now;
  if (refused.request == 0) return end_all(error, out);
  if (auto* flight = find(refused.request)) end(*flight, {refused.request, error, 0, 0, 0}, out);
  forget_ended();
}

void SubmitCore::on(ConnectionBroke& /*event*/, TimePoint /*now*/, SubmitActions& /*out*/) {
  is_broken_ = true;
}

// What was on its way when the connection broke may be lost.
void SubmitCore::on(ConnectionStands& /*event*/, TimePoint now, SubmitActions& out) {
  if (std::exchange(is_broken_, false)) repeat(Duration{}, now, out);
}

void SubmitCore::end(Flight& flight, SubmitEnded ended, SubmitActions& out) {
  flying_bytes_ -= flight.groups->size();
  flight.groups.reset();
  flight.is_over = true;
  out.emplace_back(std::move(ended));
}

void SubmitCore::forget_ended() {
  while (!flights_.empty() && flights_.front().is_over) flights_.pop_front();
}

void SubmitCore::end_all(const Error& error, SubmitActions& out) {
  for (auto& flight : flights_)
    if (!flight.is_over) end(flight, {flight.submit.request, error, 0, 0, 0}, out);
  flights_.clear();
}

// Those that were sent at least so long ago.
void SubmitCore::repeat(Duration age, TimePoint now, SubmitActions& out) {
  auto oldest = now;
  for (auto& flight : flights_) {
    if (flight.is_over) continue;
    if (now >= flight.sent + age) {
      flight.sent = now;
      if (!planted("submit-not-repeated"))
        out.emplace_back(SendSubmit{flight.submit, flight.groups});
    }
    oldest = std::min(oldest, flight.sent);
  }
  repeat_at_ = oldest + kRepeat;
}

void SubmitCore::on_deadline(TimePoint now, SubmitActions& out) {
  if (flights_.empty()) return;
  if (now >= heard_ + patience_) {
    auto silence = silence_of("the ventilator", patience_);
    silence.message = "whether the last tasks were accepted is not known: " + silence.message;
    return end_all(silence, out);
  }
  if (now >= repeat_at_) repeat(kRepeat, now, out);
}

std::optional<TimePoint> SubmitCore::next_deadline() const {
  if (flights_.empty()) return std::nullopt;
  return std::min(repeat_at_, heard_ + patience_);
}

}  // namespace eole::client
