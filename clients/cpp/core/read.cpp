#include "clients/cpp/core/read.hpp"

#include <algorithm>
#include <utility>

#include "clients/cpp/core/silence.hpp"
#include "common/base/crc32c.hpp"
#include "common/base/planted.hpp"
#include "common/protocol/refusal.hpp"
#include "common/protocol/wanted.hpp"

namespace eole::client {

namespace {
constexpr Duration kRepeat = 1s;
}

ReadCore::ReadCore(const std::optional<Cursor>& from, TimePoint now,
                   std::optional<TopicPattern> pattern)
    : state_(from ? State::kOpening : State::kAskingHead),
      pattern_(std::move(pattern)),
      cursor_(from.value_or(Cursor{})),
      from_(cursor_.offset) {
  ask(now);
}

// Said by the next deadline, and again every second.
void ReadCore::ask(TimePoint now) {
  is_asking_ = true;
  ++request_;
  repeat_at_ = now;
  silent_at_ = now + kPatience;
}

void ReadCore::end(Error error, ReadActions& out, std::optional<std::uint64_t> kept_from) {
  state_ = State::kOver;
  is_asking_ = false;
  out.emplace_back(ReadEnded{std::move(error), kept_from});
}

void ReadCore::on_event(ReadEvent event, TimePoint now, ReadActions& out) {
  if (state_ == State::kOver) return;
  std::visit([&](auto& concrete) { on(concrete, now, out); }, event);
  const bool is_behind = state_ == State::kOpen && head_ > cursor_.offset;
  if (is_behind && !is_asking_ && has_room()) ask(now);
}

void ReadCore::on(HeadTold& event, TimePoint now, ReadActions& /*out*/) {
  if (state_ != State::kAskingHead || event.request != request_) return;
  from_ = cursor_.offset = event.head;
  state_ = State::kOpening;
  ask(now);
}

void ReadCore::on(NotificationReceived& event, TimePoint /*now*/, ReadActions& out) {
  auto& news = event.notification;
  if (state_ != State::kOpen || news.log != cursor_.log) return;
  const auto batch = protocol::read_batch(news.payload);
  if (!batch) return;
  const auto first = batch->first_offset;
  head_ = std::max(head_, first + batch->count);
  if (first < cursor_.offset || !has_room()) return;  // Seen, or to be read from the log later.
  if (first == cursor_.offset || planted("read-skips-gap")) {
    take_wanted(std::move(news.payload), first + batch->count, out);
    return take_ahead(out);
  }
  if (ahead_bytes_ + news.payload.size() > kAheadBytesMax) return;
  const auto bytes = news.payload.size();
  if (ahead_.try_emplace(first, std::move(news.payload)).second) ahead_bytes_ += bytes;
}

// Another log's head is beyond any cursor: the sink says by name that the log is not the same.
void ReadCore::on(LogHeadReceived& event, TimePoint /*now*/, ReadActions& /*out*/) {
  if (state_ != State::kOpen) return;
  head_ = event.head.log == cursor_.log ? std::max(head_, event.head.head) : UINT64_MAX;
}

void ReadCore::on(RecordsReceived& event, TimePoint now, ReadActions& out) {
  auto& records = event.records;
  if (!is_asking_ || state_ == State::kAskingHead || records.request != request_) return;
  is_asking_ = false;
  if (cursor_.log == 0) cursor_.log = records.log;
  state_ = State::kOpen;
  head_ = records.head;
  is_within_ = !records.within.empty();
  repeat_at_ = now + kReadEvery;
  ByteReader reader(records.payload);
  while (!reader.is_done()) {
    const auto bytes = reader.take(reader.get<std::uint32_t>());
    const auto batch = reader.ok() ? protocol::read_batch(bytes) : std::nullopt;
    const auto next = batch ? batch->first_offset + batch->count : 0;
    // What was published meanwhile may have been taken.
    if (batch && next <= cursor_.offset) continue;
    const bool is_gap = batch && batch->first_offset > cursor_.offset && !leaves_out();
    if (!batch || is_gap)
      return end(Error{text("the sink: a malformed piece of its log, at ", cursor_.offset),
                       ErrorCode::kDamaged},
                 out);
    take(Bytes(bytes), next, out);
  }
  if (leaves_out()) skip_to(records.next, out);
  if (records.payload.empty() && head_ > cursor_.offset && !leaves_out())
    return end(
        Error{text("the sink: its log has nothing at ", cursor_.offset), ErrorCode::kDamaged}, out);
  take_ahead(out);
}

void ReadCore::take(Bytes batch, std::uint64_t next, ReadActions& out) {
  cursor_.offset = next;
  cursor_.crc = leaves_out() ? 0 : crc32c(batch);
  untaken_bytes_ += batch.size();
  out.emplace_back(TakeBatch{std::move(batch), cursor_});
}

void ReadCore::take_wanted(Bytes batch, std::uint64_t next, ReadActions& out) {
  if (!pattern_) return take(std::move(batch), next, out);
  Bytes pieces;
  protocol::put_wanted(pieces, *protocol::read_batch(batch), protocol::Wanted({}, pattern_));
  for (ByteReader reader(pieces); !reader.is_done();) {
    const auto bytes = reader.take(reader.get<std::uint32_t>());
    const auto piece = protocol::read_batch(bytes);
    take(Bytes(bytes), piece->first_offset + piece->count, out);
  }
  skip_to(next, out);
}

void ReadCore::skip_to(std::uint64_t next, ReadActions& out) {
  if (next > cursor_.offset) take(protocol::encode_batch({next, 0, 0, 0, {}, {}}), next, out);
}

// What was published behind the gap that is closed now.
void ReadCore::take_ahead(ReadActions& out) {
  while (!ahead_.empty() && ahead_.begin()->first <= cursor_.offset) {
    auto first = ahead_.extract(ahead_.begin());
    ahead_bytes_ -= first.mapped().size();
    if (first.key() < cursor_.offset || !has_room()) continue;
    const auto count = protocol::read_batch(first.mapped())->count;
    take_wanted(std::move(first.mapped()), first.key() + count, out);
  }
}

void ReadCore::on(ReadRefused& event, TimePoint /*now*/, ReadActions& out) {
  const auto request = event.refused.request;
  if (request == 0 || (is_asking_ && request == request_))
    end(protocol::error_of("the sink", event.refused), out);
}

void ReadCore::on(ReadGone& event, TimePoint /*now*/, ReadActions& out) {
  const auto& gone = event.gone;
  if (!is_asking_ || gone.request != request_ || gone.kept_from <= cursor_.offset) return;
  if (planted("gone-results-skipped")) {
    cursor_.offset = gone.kept_from;
    return;
  }
  const auto count = gone.kept_from - cursor_.offset;
  const auto which = count == 1 ? text("1 result, offset ", cursor_.offset, ", is")
                                : text(count, " results, offsets ", cursor_.offset, " to ",
                                       gone.kept_from - 1, ", are");
  end(Error{text("the sink: ", which, " not kept any more; the oldest kept is ", gone.kept_from),
            ErrorCode::kUnknown},
      out, gone.kept_from);
}

void ReadCore::on(BatchesTaken& event, TimePoint /*now*/, ReadActions& /*out*/) {
  untaken_bytes_ -= std::min(untaken_bytes_, event.bytes);
}

void ReadCore::on_deadline(TimePoint now, ReadActions& out) {
  if (reads_on() && now >= repeat_at_) {
    if (has_room())
      ask(now);
    else
      repeat_at_ = now + kReadEvery;
  }
  if (!is_asking_) return;
  if (now >= silent_at_) {
    silent_at_ = now + kPatience;
    out.emplace_back(ReadSilent{silence_of("the sink", kPatience)});
  }
  if (now < repeat_at_) return;
  repeat_at_ = planted("read-not-repeated") ? TimePoint::max() : now + kRepeat;
  if (state_ == State::kAskingHead)
    out.emplace_back(AskHead{request_});
  else
    out.emplace_back(
        SendRead{{request_, cursor_.log, cursor_.offset, cursor_.crc, kReadBytes, {},
                  pattern_ ? pattern_->written() : std::string()}});
}

std::optional<TimePoint> ReadCore::next_deadline() const {
  if (reads_on()) return repeat_at_;
  if (!is_asking_) return std::nullopt;
  return std::min(repeat_at_, silent_at_);
}

}  // namespace eole::client
