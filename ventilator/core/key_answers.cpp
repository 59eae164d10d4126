#include "ventilator/core/key_answers.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

namespace eole::ventilator {

namespace {

std::uint64_t hash_of(std::string_view key) { return std::hash<std::string_view>{}(key); }

// Text sizes, first, count.
std::size_t bytes_of(std::size_t key_bytes, std::size_t hash_bytes) {
  return 4 + key_bytes + 4 + hash_bytes + 8 + 4;
}

void put_text(Bytes& out, std::string_view text) {
  put<std::uint32_t>(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

}  // namespace

std::uint64_t KeyAnswers::end() const {
  if (pieces_.empty()) return first_;
  return (first_piece_ + pieces_.size() - 1) * kPlaces + pieces_.back().size();
}

const char* KeyAnswers::at(std::uint64_t place) const {
  return pieces_[place / kPlaces - first_piece_].data() + place % kPlaces;
}

KeyAnswers::Head KeyAnswers::head_in(const char* bytes) {
  Head head{};
  std::memcpy(&head, bytes, sizeof head);
  return head;
}

KeyAnswered KeyAnswers::answer(std::uint64_t place) const {
  const auto of = head(place);
  return {std::string(key(place)), std::string(hash(place)), {of.first, of.count}, of.seen};
}

std::string_view KeyAnswers::key(std::uint64_t place) const {
  return {at(place) + sizeof(Head), head(place).key_bytes};
}

std::string_view KeyAnswers::hash(std::uint64_t place) const {
  const auto of = head(place);
  return {at(place) + sizeof of + of.key_bytes, of.hash_bytes};
}

std::uint64_t KeyAnswers::from(std::uint64_t place) const {
  place = std::max(place, first_);
  const auto piece = place / kPlaces - first_piece_;
  const bool is_behind =
      piece + 1 < pieces_.size() && place % kPlaces >= pieces_[piece].size();
  return is_behind ? (place / kPlaces + 1) * kPlaces : place;
}

std::uint64_t KeyAnswers::next(std::uint64_t place) const {
  const auto of = head(place);
  return from(place + sizeof of + of.key_bytes + of.hash_bytes);
}

std::optional<std::uint64_t> KeyAnswers::place_of(std::string_view wanted,
                                                  const KeyAnswered* like) const {
  const auto hash_of_key = hash_of(wanted);
  const auto& shard = places_[hash_of_key % kShards];
  const auto found = shard.find(hash_of_key);
  if (found == shard.end()) return std::nullopt;
  auto place = found->second;
  while (place >= first_) {
    const auto of = head(place);
    const bool is_like = like == nullptr || (like->answered == Answered{of.first, of.count} &&
                                             like->hash == hash(place));
    if (is_like && key(place) == wanted) return place;
    if (of.before >= place) break;  // The first of its hash.
    place = of.before;
  }
  return std::nullopt;
}

std::optional<KeyAnswered> KeyAnswers::find(std::string_view wanted) const {
  const auto place = place_of(wanted, nullptr);
  return place ? std::optional(answer(*place)) : std::nullopt;
}

std::optional<KeyAnswered> KeyAnswers::of_task(Seq seq) const {
  const auto behind = std::partition_point(
      pieces_.begin(), pieces_.end(),
      [&](const std::string& piece) { return head_in(piece.data()).first <= seq; });
  if (behind == pieces_.begin()) return std::nullopt;
  const auto number = first_piece_ + static_cast<std::uint64_t>(behind - pieces_.begin()) - 1;
  for (auto place = from(number * kPlaces); place < end(); place = next(place)) {
    const auto of = head(place);
    if (of.first > seq) break;
    if (seq - of.first < of.count) return answer(place);
  }
  return std::nullopt;
}

void KeyAnswers::add(const KeyAnswered& answer) {
  if (place_of(answer.key, &answer)) return;
  const auto bytes = sizeof(Head) + answer.key.size() + answer.hash.size();
  if (pieces_.empty() || pieces_.back().size() + bytes > kPieceBytes)
    pieces_.emplace_back().reserve(kPieceBytes);
  const auto place = end();
  const auto of_key = hash_of(answer.key);
  const auto [known, is_new] = shard_of(of_key).try_emplace(of_key, place);
  const Head head{answer.seen,
                  is_new ? place : std::exchange(known->second, place),
                  answer.answered.first,
                  answer.answered.count,
                  static_cast<std::uint32_t>(answer.key.size()),
                  static_cast<std::uint32_t>(answer.hash.size())};
  auto& piece = pieces_.back();
  piece.append(reinterpret_cast<const char*>(&head), sizeof head);
  piece += answer.key;
  piece += answer.hash;
  bytes_ += bytes_of(answer.key.size(), answer.hash.size());
}

void KeyAnswers::forget_before(TimePoint time) {
  first_ = from(first_);
  while (first_ < end() && head(first_).seen < time) {
    const auto of_key = hash_of(key(first_));
    auto& shard = shard_of(of_key);
    const auto last = shard.find(of_key);
    if (last != shard.end() && last->second == first_) shard.erase(last);
    bytes_ -= bytes_of(key(first_).size(), hash(first_).size());
    first_ = next(first_);
    while (!pieces_.empty() && first_piece_ < first_ / kPlaces) {
      pieces_.pop_front();
      ++first_piece_;
    }
  }
}

void KeyAnswers::take_for_new(TimePoint now) {
  for (auto place = from(first_); place < end(); place = next(place))
    std::memcpy(const_cast<char*>(at(place)) + offsetof(Head, seen), &now, sizeof now);
}

void KeyAnswers::save(SavePlace& place, Bytes& out) const {
  for (place.number = from(place.number); place.number < end();
       place.number = next(place.number)) {
    const auto of = head(place.number);
    if (!out.empty() && out.size() + bytes_of(of.key_bytes, of.hash_bytes) > kPartBytesMax) return;
    put_text(out, key(place.number));
    put_text(out, hash(place.number));
    put<std::uint64_t>(out, of.first);
    put<std::uint32_t>(out, of.count);
  }
}

bool KeyAnswers::load(std::string_view payload) {
  ByteReader reader(payload);
  while (reader.ok() && !reader.is_done()) {
    KeyAnswered answer;
    answer.key = reader.take(reader.get<std::uint32_t>());
    answer.hash = reader.take(reader.get<std::uint32_t>());
    answer.answered.first = reader.get<std::uint64_t>();
    answer.answered.count = reader.get<std::uint32_t>();
    if (reader.ok()) add(answer);
  }
  return reader.ok();
}

void KeyAnswers::sort() {
  std::vector<std::pair<Seq, std::uint64_t>> order;
  for (auto place = from(first_); place < end(); place = next(place))
    order.emplace_back(head(place).first, place);
  if (std::is_sorted(order.begin(), order.end())) return;
  std::sort(order.begin(), order.end());
  places_ = {};  // Half of the memory, and not asked any more.
  KeyAnswers sorted;
  for (const auto& [first, place] : order) sorted.add(answer(place));
  *this = std::move(sorted);
}

}  // namespace eole::ventilator
