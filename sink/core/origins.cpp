#include "sink/core/origins.hpp"

#include <algorithm>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::sink {

namespace {

// Whose ranges a part of a checkpoint has.
std::optional<protocol::TaskState> state_of(Part part) {
  switch (part) {
    case Part::kFailed:
      return protocol::TaskState::kFailed;
    case Part::kDead:
      return protocol::TaskState::kDead;
    case Part::kCancelled:
      return protocol::TaskState::kCancelled;
    default:
      return std::nullopt;
  }
}

}  // namespace

Expected<bool> Origins::introduce(const AppendIntroduction& introduction) {
  const auto known = origins_.find(introduction.origin);
  const auto name = origin_text(introduction.origin);
  if (known != origins_.end()) {
    const auto& state = known->second;
    if (introduction.start < state.start)
      return Error{text("origin ", name, ": the journal went back, start ", introduction.start,
                        " after start ", state.start)};
    if (introduction.start == state.start && introduction.nonce != state.nonce &&
        !planted("two-ventilators-on-one-journal"))
      return Error{text("origin ", name, ": another ventilator runs from a copy of this journal")};
    if (state.settled.highest() > introduction.highest)
      return Error{text("origin ", name, ": the journal went back, its highest task is ",
                        introduction.highest, ", the log knows ", state.settled.highest())};
  }
  const bool is_news = known == origins_.end() || known->second.start != introduction.start;
  load(introduction);
  return is_news;
}

void Origins::load(const AppendIntroduction& introduction) {
  auto& origin = origins_[introduction.origin];
  // A later start counts anew: what an earlier one announced may have been lost with its journal.
  const auto before = origin.start == introduction.start ? origin.announced : 0;
  origin.announced = std::max({before, introduction.highest, origin.settled.highest()});
  origin.start = introduction.start;
  origin.nonce = introduction.nonce;
  for (const auto& [first, last] : introduction.settled.ranges()) origin.settled.add(first, last);
}

std::uint64_t Origins::settle(Origin origin, const protocol::Settlement::Range& range,
                              protocol::TaskState state) {
  auto& known = origins_.at(origin);
  const auto added = known.settled.add(range.first, range.last);
  if (added > 0) known.not_done.add(range, state);
  return added;
}

void Origins::load_failed(const TaskId& id) {
  auto& announced = origins_[id.origin].announced;
  announced = std::max(announced, id.seq);
}

void Origins::load_settled(Origin origin, const protocol::Settlement::Range& range,
                           protocol::TaskState state) {
  auto& announced = origins_[origin].announced;
  settle(origin, range, state);
  announced = std::max(announced, range.last);
}

bool Origins::announce(Origin origin, std::uint64_t nonce, Seq highest) {
  const auto known = origins_.find(origin);
  if (known == origins_.end() || known->second.nonce != nonce) return false;
  auto& announced = known->second.announced;
  if (highest <= announced) return false;
  announced = highest;
  return true;
}

std::vector<Origin> Origins::list() const {
  std::vector<Origin> list;
  for (const auto& [origin, state] : origins_) list.push_back(origin);
  return list;
}

std::uint32_t Origins::start(Origin origin) const {
  const auto known = origins_.find(origin);
  return known == origins_.end() ? 0 : known->second.start;
}

Seq Origins::announced(Origin origin) const {
  const auto known = origins_.find(origin);
  return known == origins_.end() ? 0 : known->second.announced;
}

std::optional<std::string> Origins::why_not_followed(Origin origin, std::uint64_t nonce) const {
  const auto known = origins_.find(origin);
  if (known == origins_.end()) return text("origin ", origin_text(origin), " is not introduced");
  if (known->second.nonce != nonce)
    return text("origin ", origin_text(origin), ": superseded by a later start of its ventilator");
  return std::nullopt;
}

bool Origins::is_settled(const TaskId& id) const {
  const auto known = origins_.find(id.origin);
  return known != origins_.end() && known->second.settled.contains(id.seq);
}

std::uint64_t Origins::settled_count() const {
  std::uint64_t sum = 0;
  for (const auto& [origin, state] : origins_) sum += state.settled.count();
  return sum;
}

std::size_t Origins::most_not_done_ranges() const {
  std::size_t most = 0;
  for (const auto& [origin, state] : origins_) most = std::max(most, state.not_done.range_count());
  return most;
}

std::vector<Origin> Origins::unsettled() const {
  std::vector<Origin> found;
  for (const auto& [origin, state] : origins_)
    if (state.announced > state.settled.count()) found.push_back(origin);
  return found;
}

void Origins::save(SavePlace& place, Bytes& out) const {
  if (place.part == Part::kSettled && !planted("checkpoint-forgets-settled"))
    return save_ranges(
        origins_, [](const State& state) -> auto& { return state.settled; }, place, out);
  if (const auto ended = state_of(place.part); ended && !planted("checkpoint-forgets-not-done"))
    return save_ranges(
        origins_, [&](const State& state) -> auto& { return state.not_done.of(*ended); }, place,
        out);
  if (place.part != Part::kOrigins || place.origin > UINT32_MAX) return;
  for (auto origin = origins_.lower_bound(static_cast<Origin>(place.origin));
       origin != origins_.end() && out.size() < kPartBytesMax; ++origin) {
    put<std::uint32_t>(out, origin->first);
    put<std::uint32_t>(out, origin->second.start);
    put<std::uint64_t>(out, origin->second.nonce);
    put<std::uint64_t>(out, origin->second.announced);
    place.origin = std::uint64_t{origin->first} + 1;
  }
}

bool Origins::load(Part part, std::string_view payload) {
  if (part != Part::kOrigins)
    return load_ranges(payload, [&](Origin origin, const SeqRanges& ranges) {
      auto& state = origins_[origin];
      for (const auto& [first, last] : ranges.ranges()) {
        if (const auto ended = state_of(part)) {
          state.not_done.add({first, last}, *ended);
        } else {
          state.settled.add(first, last);
        }
      }
    });
  ByteReader reader(payload);
  while (!reader.is_done()) {
    auto& state = origins_[reader.get<std::uint32_t>()];
    state.start = reader.get<std::uint32_t>();
    state.nonce = reader.get<std::uint64_t>();
    state.announced = std::max(reader.get<std::uint64_t>(), state.settled.highest());
  }
  return reader.ok();
}

}  // namespace eole::sink
