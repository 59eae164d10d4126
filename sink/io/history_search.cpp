#include "sink/io/history_search.hpp"

#include <algorithm>
#include <deque>
#include <optional>

#include "common/base/crc32c.hpp"
#include "common/base/planted.hpp"
#include "common/process/system.hpp"

namespace eole::sink {

using protocol::Value;

namespace {

constexpr std::size_t kPageBytesMax = 1 << 20;  // Of letters or parts or rows; one at least.
constexpr std::size_t kAroundRow = 256;         // What a row has besides its texts, about.
constexpr std::size_t kBriefRow = 64;           // One that says its state alone.

Value brief_of(const protocol::ResultRecord& result, std::uint64_t offset) {
  return Value::Map{
      {"offset", offset}, {"id", to_text(result.id)}, {"state", state_name(state_of(result))}};
}

/// One page, as it grows.
class Search {
 public:
  Search(IndexFile& index, History& log, const HistoryFilter& filter, TimePoint until)
      : index_(index), log_(log), filter_(filter), until_(until), from_(log.kept_from()) {
    if (filter.since_unix_ms > 0) from_ = std::max(from_, log.offset_at(filter.since_unix_ms));
    before_ = std::min(filter.before, index.place().next);
  }

  void look() {
    const auto wanted = index_.classes(filter_.states, filter_.kind, filter_.project,
                                       filter_.worker, filter_.within);
    const auto is_wanted = [&](const auto& results) {
      return results.first < wanted.size() && wanted[results.first];
    };
    if (wanted.empty()) return;
    const auto key = crc32c(filter_.key);
    const auto may_have_key = [&](const Block& block) {
      return filter_.key.empty() || std::binary_search(block.keys.begin(), block.keys.end(), key);
    };
    const auto may_have_words = [&](const Block& block) {
      if (filter_.words.empty()) return true;
      const auto its = index_.words(block.first);
      return std::all_of(filter_.words.begin(), filter_.words.end(),
                         [&](const auto& word) { return its.may_have(word); });
    };
    index_.visit(before_, [&](const Block& block) {
      if (block.end <= from_) return false;
      if (may_have_key(block) &&
          std::any_of(block.results.begin(), block.results.end(), is_wanted) &&
          may_have_words(block))
        add(block);
      return goes_on(block.first);
    });
  }

  Value::Map take() {
    return Value::Map{{"rows", std::move(rows_)}, {"next", next_ ? Value(*next_) : Value()}};
  }

 private:
  struct Found {
    protocol::ResultRecord result;
    std::string_view worker;
    std::uint64_t offset = 0;
  };

  bool goes_on(std::uint64_t first) {
    if (!next_ && first > from_ && process::now() >= until_) next_ = first;
    return !next_;
  }

  // The wanted ones of a block.
  void add(const Block& block) {
    if (block.earliest_unix_ms >= filter_.until_unix_ms ||
        block.latest_unix_ms < filter_.since_unix_ms)
      return;
    std::deque<protocol::Records> read;  // What is found points into them.
    std::deque<Found> found;             // No more than a page has.
    for (auto at = std::max(block.first, from_); at < block.end; at = read.back().next) {
      auto records = log_.read({0, log_.log(), at, 0, static_cast<std::uint32_t>(block.bytes)});
      if (!records || records->next <= at) break;
      read.push_back(std::move(*records));
      find(read.back(), block, found);
    }
    for (auto one = found.rbegin(); one != found.rend() && !next_; ++one) {
      auto row = filter_.is_brief ? brief_of(one->result, one->offset)
                                  : row_of(one->result, one->worker, one->offset);
      bytes_ += (filter_.is_brief ? kBriefRow : kAroundRow) + row["summary"].text_or("").size() +
                row["error"].text_or("").size();
      rows_.push_back(std::move(row));
      if (rows_.size() >= filter_.limit || bytes_ >= kPageBytesMax)
        next_ = one->offset + (planted("history-page-repeats") ? 1 : 0);
    }
  }

  void find(const protocol::Records& records, const Block& block,
            std::deque<Found>& found) const {
    ByteReader batches(records.payload);
    while (!batches.is_done()) {
      const auto batch = protocol::read_batch(batches.take(batches.get<std::uint32_t>()));
      if (!batch) return;
      protocol::ResultReader results(batch->records);
      for (std::uint32_t i = 0; i < batch->count; ++i) {
        const auto result = results.next();
        const auto offset = batch->first_offset + i;
        if (!result || offset >= std::min(before_, block.end)) return;
        if (offset < from_ || !filter_.wants(*result, batch->worker)) continue;
        found.push_back({*result, batch->worker, offset});
        if (found.size() > filter_.limit) found.pop_front();
      }
    }
  }

  IndexFile& index_;
  History& log_;
  const HistoryFilter& filter_;
  TimePoint until_;
  std::uint64_t from_;
  std::uint64_t before_;
  Value::Array rows_;
  std::size_t bytes_ = 0;
  std::optional<std::uint64_t> next_;
};

}  // namespace

Value::Map search(IndexFile& index, History& log, const HistoryFilter& filter, TimePoint until) {
  Search page(index, log, filter, until);
  page.look();
  return page.take();
}

Value::Map counts(IndexFile& index, std::size_t most, const Within& within) {
  Value::Array list;
  std::uint64_t left_out = 0;
  index.visit_counts([&](std::int64_t state, std::string_view kind, std::string_view project,
                         std::uint64_t results) {
    if (!within.has(project)) return true;
    if (list.size() == most)
      ++left_out;
    else
      list.push_back(Value::Map{{"state", state_name(state)},
                                {"kind", kind},
                                {"project", project},
                                {"results", results}});
    return true;
  });
  return Value::Map{{"counts", std::move(list)}, {"left_out", left_out}};
}

}  // namespace eole::sink
