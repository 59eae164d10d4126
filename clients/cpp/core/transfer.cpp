#include "clients/cpp/core/transfer.hpp"

#include <algorithm>
#include <utility>

#include "clients/cpp/core/silence.hpp"
#include "common/base/planted.hpp"
#include "common/protocol/records.hpp"

namespace eole::client {

namespace {

constexpr Duration kRepeat = 1s;

std::uint64_t before_first(std::uint32_t transfer) { return std::uint64_t{transfer} << 32; }

}  // namespace

PutCore::PutCore(std::uint32_t transfer, std::string sha256, std::uint64_t size, TimePoint now)
    : request_(before_first(transfer)), sha256_(std::move(sha256)), size_(size) {
  ask(now);
}

// With a number of its own: a late answer to pieces of before tells nothing of now.
void PutCore::ask(TimePoint now) {
  state_ = State::kAsking;
  ++request_;
  repeat_at_ = now;
  give_up_ = now + kPatience;
}

void PutCore::end(std::optional<Error> error, TransferActions& out) {
  state_ = State::kOver;
  out.emplace_back(TransferEnded{std::move(error)});
}

void PutCore::on_event(TransferEvent event, TimePoint now, TransferActions& out) {
  if (state_ == State::kOver) return;
  if (const auto* at = std::get_if<PutAtReceived>(&event)) on_put_at(at->at, now, out);
  if (const auto* refusal = std::get_if<TransferRefused>(&event)) end(refusal->why, out);
}

void PutCore::on_put_at(const protocol::PutAt& at, TimePoint now, TransferActions& out) {
  if (at.request != request_) return;
  if (at.is_whole != 0) {
    have_ = size_;
    return end(std::nullopt, out);
  }
  heard_ = now;
  const auto have = std::min(at.have, size_);
  if (state_ == State::kAsking) {  // The sink may have less than it had.
    have_ = sent_ = have;
    state_ = State::kSending;
  }
  have_ = std::max(have_, have);
  while (sent_ < size_ && sent_ < have_ + kChunksUnderWay * protocol::kChunkBytes) {
    const auto bytes = std::min<std::uint64_t>(protocol::kChunkBytes, size_ - sent_);
    out.emplace_back(
        SendPut{{request_, sha256_, size_, sent_, {}}, static_cast<std::uint32_t>(bytes)});
    sent_ += bytes;
  }
}

void PutCore::on_deadline(TimePoint now, TransferActions& out) {
  if (state_ == State::kSending && now >= heard_ + kStalled && !planted("put-never-asks-again"))
    ask(now);
  if (state_ != State::kAsking) return;
  if (now >= give_up_) return end(silence_of("the sink", kPatience), out);
  if (now < repeat_at_) return;
  repeat_at_ = now + kRepeat;
  // What is one piece goes along with the question: a round trip less.
  const auto bytes = size_ <= protocol::kChunkBytes ? size_ : 0;
  out.emplace_back(SendPut{{request_, sha256_, size_, 0, {}}, static_cast<std::uint32_t>(bytes)});
}

std::optional<TimePoint> PutCore::next_deadline() const {
  if (state_ == State::kOver) return std::nullopt;
  return state_ == State::kAsking ? std::min(repeat_at_, give_up_) : heard_ + kStalled;
}

GetCore::GetCore(std::uint32_t transfer, std::string sha256, std::uint64_t from, TimePoint now,
                 std::uint32_t piece_bytes)
    : request_(before_first(transfer)),
      sha256_(std::move(sha256)),
      offset_(from),
      piece_bytes_(piece_bytes) {
  ask(now);
}

void GetCore::ask(TimePoint now) {
  state_ = State::kAsking;
  ++request_;
  repeat_at_ = now;
  give_up_ = now + kPatience;
}

void GetCore::end(std::optional<Error> error, TransferActions& out) {
  state_ = State::kOver;
  out.emplace_back(TransferEnded{std::move(error)});
}

void GetCore::on_event(TransferEvent event, TimePoint now, TransferActions& out) {
  if (state_ == State::kOver) return;
  if (auto* chunk = std::get_if<ChunkReceived>(&event)) on_chunk(chunk->chunk, out);
  if (const auto* refusal = std::get_if<TransferRefused>(&event)) end(refusal->why, out);
  if (std::holds_alternative<PieceTaken>(event) && state_ == State::kTaking)
    is_last_ ? end(std::nullopt, out) : ask(now);
}

void GetCore::on_chunk(protocol::Chunk& chunk, TransferActions& out) {
  if (state_ != State::kAsking || chunk.request != request_ || chunk.offset != offset_) return;
  const auto offset = std::exchange(offset_, offset_ + chunk.payload.size());
  is_last_ = offset_ >= chunk.size || chunk.payload.empty();
  state_ = State::kTaking;
  out.emplace_back(TakePiece{offset, chunk.size, std::move(chunk.payload)});
}

void GetCore::on_deadline(TimePoint now, TransferActions& out) {
  if (state_ != State::kAsking) return;
  if (now >= give_up_) return end(silence_of("the sink", kPatience), out);
  if (now < repeat_at_) return;
  repeat_at_ = now + kRepeat;
  out.emplace_back(SendGet{{request_, sha256_, offset_, piece_bytes_}});
}

std::optional<TimePoint> GetCore::next_deadline() const {
  if (state_ != State::kAsking) return std::nullopt;
  return std::min(repeat_at_, give_up_);
}

}  // namespace eole::client
