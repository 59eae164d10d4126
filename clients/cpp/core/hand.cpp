#include "clients/cpp/core/hand.hpp"

#include <algorithm>
#include <utility>

#include "clients/cpp/core/silence.hpp"

namespace eole::client {

namespace {
constexpr Duration kRepeat = 1s;
}  // namespace

HandCore::HandCore(std::uint32_t transfer, std::string file, TimePoint now)
    : request_((std::uint64_t{transfer} << 32) + 1), file_(std::move(file)), repeat_at_(now) {}

void HandCore::reach(std::uint64_t bytes, bool is_last, TimePoint now) {
  reached_ = std::max(reached_, bytes);
  is_last_ = is_last_ || is_last;
  if (is_due() && !is_asked_) repeat_at_ = now;
}

void HandCore::on_handed(const protocol::Handed& handed, TimePoint now) {
  if (end_ || handed.request != request_) return;
  if (file_.empty() || !handed.sha256.empty()) {
    end_ = handed;
    return;
  }
  const bool is_news = handed.have > have_;
  have_ = std::max(have_, handed.have);
  is_asked_ = false;
  // It has seen all, and makes it durable: the answer comes by itself, or is asked for later.
  repeat_at_ = is_news || have_ < reached_ ? now : now + kRepeat;
}

void HandCore::on_refused(const Error& why) {
  if (!end_) end_ = why;
}

std::optional<protocol::Hand> HandCore::on_deadline(TimePoint now) {
  if (end_ || !is_due() || now < repeat_at_) return std::nullopt;
  if (!is_asked_) give_up_ = now + kPatience;
  if (now >= give_up_) {
    end_ = silence_of("the sink", kPatience);
    return std::nullopt;
  }
  is_asked_ = true;
  repeat_at_ = now + kRepeat;
  return protocol::Hand{request_, file_, reached_, static_cast<std::uint8_t>(is_last_ ? 1 : 0)};
}

std::optional<TimePoint> HandCore::next_deadline() const {
  if (end_ || !is_due()) return std::nullopt;
  return is_asked_ ? std::min(repeat_at_, give_up_) : repeat_at_;
}

}  // namespace eole::client
