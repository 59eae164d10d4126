#include "clients/cpp/core/group_reading.hpp"

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/records.hpp"

namespace eole::client {

namespace {
constexpr Duration kRepeat = 1s;
}

void GroupReading::begin(std::uint64_t offset) {
  at_ = given_ = offset;
  due_ = {};
  is_asked_ = false;
  ++request_;
  ahead_bytes_ = 0;
}

std::optional<protocol::Read> GroupReading::next(std::uint64_t log,
                                                 const protocol::Partitions& partitions,
                                                 TimePoint now) {
  if (is_asked_ || !has_room() || (at_ >= head_ && now < due_)) return std::nullopt;
  is_asked_ = true;
  due_ = now + kRepeat;
  return protocol::Read{++request_, log, at_, 0, kReadBytes, {}, {},
                        protocol::encode_partitions(partitions)};
}

Expected<std::vector<GivePiece>> GroupReading::take(const protocol::Records& records,
                                                    TimePoint now) {
  std::vector<GivePiece> pieces;
  if (!is_asked_ || records.request != request_) return pieces;
  is_asked_ = false;
  head_ = std::max(head_, records.head);
  for (ByteReader reader(records.payload); !reader.is_done();) {
    const auto bytes = reader.take(reader.get<std::uint32_t>());
    const auto batch = reader.ok() ? protocol::read_batch(bytes) : std::nullopt;
    if (!batch) return Error{text("the sink: a malformed piece of its log, at ", at_), ErrorCode::kDamaged};
    ahead_bytes_ += bytes.size();
    pieces.push_back({Bytes(bytes), batch->first_offset + batch->count});
  }
  if (records.next > at_) pieces.push_back({{}, records.next});
  at_ = std::max(at_, records.next);
  due_ = now + kPollEvery;
  return pieces;
}

std::optional<TellGone> GroupReading::take(const protocol::Gone& gone) {
  if (!is_asked_ || gone.request != request_ || gone.kept_from <= at_) return std::nullopt;
  is_asked_ = false;
  const TellGone told{at_, gone.kept_from - 1};
  at_ = gone.kept_from;
  head_ = std::max(head_, gone.head);
  return planted("gone-records-skipped") ? std::nullopt : std::optional(told);
}

void GroupReading::grow(std::uint64_t head, TimePoint now) {
  head_ = std::max(head_, head);
  if (!is_asked_) due_ = std::max(due_, now + kPollEvery);  // It hears of news.
}

std::optional<TimePoint> GroupReading::next_deadline() const {
  return is_asked_ || has_room() ? std::optional(due_) : std::nullopt;
}

}  // namespace eole::client
