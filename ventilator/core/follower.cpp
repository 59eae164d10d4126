#include "ventilator/core/follower.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::ventilator {

bool Follower::on_introduced(std::uint64_t log, std::uint64_t offset) {
  if (is_introduced_ && log_ == log) return false;
  is_introduced_ = true;
  log_ = log;
  cursor_ = offset;
  head_seen_ = offset;
  reading_.reset();
  announced_ = 0;
  // What barriers waited for is answered by another log, or by this reading of the ranges.
  for (auto& barrier : barriers_) barrier.after_request = next_request_;
  return true;
}

Follower::News Follower::on_settled(const protocol::Settled& settled) {
  News news;
  if (!is_introduced_) return news;
  if (settled.log != log_) {  // The log was lost or replaced: make ourselves known to the new one.
    is_introduced_ = false;
    reading_.reset();
    asked_ = {};
    return news;
  }
  head_seen_ = std::max(head_seen_, settled.head);
  const bool is_reply = reading_ && settled.request == *reading_;
  if (is_reply &&
      settled.from > cursor_) {  // What was to be read is gone: hear all anew (rule L5).
    is_introduced_ = false;
    reading_.reset();
    asked_ = {};
    return news;
  }
  const bool follows = settled.from <= cursor_ || planted("skip-lost-settlements");
  news.is_next = follows && settled.to > cursor_;
  if (news.is_next) cursor_ = settled.to;
  if (is_reply) {
    if (goal_ == 0) goal_ = settled.head;
    reading_.reset();
    if (cursor_ >= goal_ || planted("barrier-not-followed-to-the-head"))
      news.passed = pass_barriers();
  }
  return news;
}

void Follower::suspect(Suspicion suspicion) {
  if (suspicion.leases.empty()) return;
  const auto after = planted("barrier-by-an-earlier-read") ? 0 : next_request_;
  barriers_.push_back({after, std::move(suspicion)});
}

std::vector<Suspicion> Follower::pass_barriers() {
  std::vector<Suspicion> passed;
  for (; !barriers_.empty() && barriers_.front().after_request <= chain_; barriers_.pop_front())
    passed.push_back(std::move(barriers_.front().suspicion));
  return passed;
}

void Follower::follow(TimePoint now, Actions& out) {
  if (!is_introduced_ || reading_) return;
  const bool continues = goal_ != 0 && cursor_ < goal_;
  if (!continues && barriers_.empty() && cursor_ >= head_seen_) return;
  reading_ = next_request_++;
  if (!continues) {
    chain_ = *reading_;
    goal_ = 0;
  }
  asked_ = now;
  out.push_back(SendFollow{*reading_, log_, cursor_});
}

// A level: a sink that starts anew hears it again before long.
void Follower::announce(TimePoint now, Seq highest, bool is_all_settled, Actions& out) {
  const bool is_due = next_announcement_ && now >= *next_announcement_;
  if (highest > announced_ || is_due) {
    announced_ = highest;
    next_announcement_ = now + retry_;
    if (!planted("numbers-not-announced")) out.push_back(SendAnnounce{highest, cursor_});
  }
  if (is_all_settled) next_announcement_.reset();
}

void Follower::on_deadline(TimePoint now, Seq highest, bool is_all_settled, Actions& out) {
  const bool is_due = now >= asked_ + retry_;
  if (!is_introduced_) {
    if (asked_ != TimePoint{} && !is_due) return;
    asked_ = now;
    out.push_back(SendIntroduce{highest});
    return;
  }
  if (reading_ && is_due) {
    asked_ = now;
    out.push_back(SendFollow{*reading_, log_, cursor_});
  }
  follow(now, out);
  announce(now, highest, is_all_settled, out);
}

std::optional<TimePoint> Follower::next_deadline() const {
  if (!is_introduced_) return asked_ + retry_;
  if (!reading_) return next_announcement_;
  return std::min(asked_ + retry_, next_announcement_.value_or(TimePoint::max()));
}

}  // namespace eole::ventilator
