#include "sink/io/history_over_time.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/planted.hpp"
#include "common/process/system.hpp"

namespace eole::sink {

using protocol::Value;

namespace {

class Counting {
 public:
  Counting(IndexFile& index, History& log, const HistoryFilter& filter)
      : index_(index), log_(log), filter_(filter) {
    const auto span = filter.until_unix_ms - filter.since_unix_ms;
    const auto steps = span <= 0 ? 0 : static_cast<std::size_t>((span - 1) / filter.step_ms + 1);
    for (auto state = kRetrying; !state_name(state).empty(); ++state) {
      if (!filter.states.empty() && !filter.has_state(state)) continue;
      const auto are_of_it =
          index.classes({state}, filter.kind, filter.project, filter.worker, filter.within);
      place_of_.resize(std::max(place_of_.size(), are_of_it.size()), kNone);
      for (std::size_t id = 0; id < are_of_it.size(); ++id)
        if (are_of_it[id]) place_of_[id] = by_state_.size();
      by_state_.emplace_back(state, std::vector<std::uint64_t>(steps));
    }
  }

  void count(TimePoint until) {
    const auto kept_from = log_.kept_from();
    const auto from = std::max(kept_from, log_.offset_at(filter_.since_unix_ms));
    index_.visit(index_.place().next, [&](const Block& block) {
      if (block.end <= from) return false;
      add(block, from);
      const bool is_late = process::now() >= until && block.first > from;
      const bool is_cut = kept_from > 0 && block.first <= kept_from;
      if (is_late || is_cut) counted_from_ = block.earliest_unix_ms;
      return !is_late;
    });
  }

  Value::Map take() {
    Value::Map told{{"since", filter_.since_unix_ms}, {"step", filter_.step_ms}};
    for (const auto& [state, counts] : by_state_) {
      Value::Array list;
      for (const auto count : counts) list.push_back(count);
      told.emplace_back(std::string(state_name(state)), std::move(list));
    }
    told.emplace_back("counted_from", counted_from_ ? Value(*counted_from_) : Value());
    return told;
  }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  bool is_in(std::int64_t unix_ms) const {
    return unix_ms >= filter_.since_unix_ms && unix_ms < filter_.until_unix_ms;
  }
  std::size_t step_of(std::int64_t unix_ms) const {
    return static_cast<std::size_t>((unix_ms - filter_.since_unix_ms) / filter_.step_ms);
  }

  void add(const Block& block, std::uint64_t from) {
    if (block.earliest_unix_ms >= filter_.until_unix_ms ||
        block.latest_unix_ms < filter_.since_unix_ms)
      return;
    const bool is_in_one =
        is_in(block.earliest_unix_ms) && is_in(block.latest_unix_ms) &&
        (step_of(block.earliest_unix_ms) == step_of(block.latest_unix_ms) ||
         planted("steps-by-block"));
    if (!is_in_one || block.first < from || filter_.ran_ms > 0) return read(block, from);
    for (const auto& [id, results] : block.results)
      if (id < place_of_.size() && place_of_[id] != kNone)
        by_state_[place_of_[id]].second[step_of(block.earliest_unix_ms)] += results;
  }

  void read(const Block& block, std::uint64_t from) {
    for (auto at = std::max(block.first, from); at < block.end;) {
      const auto records =
          log_.read({0, log_.log(), at, 0, static_cast<std::uint32_t>(block.bytes)});
      if (!records || records->next <= at) return;
      ByteReader batches(records->payload);
      while (!batches.is_done()) {
        const auto batch = protocol::read_batch(batches.take(batches.get<std::uint32_t>()));
        if (!batch || batch->first_offset >= block.end) return;
        add(*batch, std::max(block.first, from));
      }
      at = records->next;
    }
  }

  void add(const protocol::ResultBatch& batch, std::uint64_t from) {
    protocol::ResultReader results(batch.records);
    for (std::uint32_t i = 0; i < batch.count; ++i) {
      const auto result = results.next();
      if (!result) return;
      if (batch.first_offset + i < from || !filter_.is_of(*result, batch.worker)) continue;
      for (auto& [state, counts] : by_state_)
        if (state == state_of(*result)) ++counts[step_of(result->finished_unix_ms)];
    }
  }

  IndexFile& index_;
  History& log_;
  const HistoryFilter& filter_;
  std::vector<std::pair<std::int64_t, std::vector<std::uint64_t>>> by_state_;
  std::vector<std::size_t> place_of_;  // In by_state_, of each class.
  std::optional<std::int64_t> counted_from_;
};

}  // namespace

Value::Map over_time(IndexFile& index, History& log, const HistoryFilter& filter,
                     TimePoint until) {
  Counting counting(index, log, filter);
  counting.count(until);
  return counting.take();
}

}  // namespace eole::sink
