#include "sink/io/history_index.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/base/crc32c.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "common/process/system.hpp"
#include "sink/io/history_over_time.hpp"
#include "sink/io/history_search.hpp"

namespace eole::sink {

using protocol::Value;

namespace {

constexpr std::uint32_t kStepBytes = 256 << 10;          // Of log, that are read in one go.
constexpr std::uint64_t kIndexFreeBytesMin = 256 << 20;  // Of disk: the log needs these more.
constexpr Duration kPause = 30s;                         // When it cannot go on.
constexpr std::size_t kCountsShown = 1000;

std::optional<Error> why_no_steps(const HistoryFilter& filter) {
  if (filter.step_ms == 0 || filter.since_unix_ms < 0 || filter.until_unix_ms == INT64_MAX)
    return Error{"counts: over time takes since, until and step"};
  if (!filter.search.empty()) return Error{"counts: text: is not counted over time"};
  if (!filter.key.empty()) return Error{"counts: key: is not counted over time"};
  if ((filter.until_unix_ms - filter.since_unix_ms) / filter.step_ms < kStepsMax)
    return std::nullopt;
  return Error{text("counts: steps of ", filter.step_ms, " ms from ", filter.since_unix_ms, " to ",
                    filter.until_unix_ms, ", limit ", kStepsMax)};
}

void count_in(Block& block, ClassId id, std::uint32_t results) {
  const auto at = std::lower_bound(block.results.begin(), block.results.end(), std::pair(id, 0U));
  if (at != block.results.end() && at->first == id)
    at->second += results;
  else
    block.results.insert(at, {id, results});
}

void add_key(Block& block, std::string_view key) {
  const auto sum = crc32c(key);
  const auto at = std::lower_bound(block.keys.begin(), block.keys.end(), sum);
  if (at == block.keys.end() || *at != sum) block.keys.insert(at, sum);
}

}  // namespace

HistoryIndex::HistoryIndex(std::string directory)
    : directory_(std::move(directory)), is_wanted_(::access(path().c_str(), F_OK) == 0) {}

std::optional<TimePoint> HistoryIndex::due(const History& log) const {
  if (!is_wanted_ || log.log() == 0) return std::nullopt;
  const bool is_up = file_ && file_->place().next == log.head() && cut_to_ == log.kept_from();
  return is_up ? std::nullopt : std::optional(due_);
}

void HistoryIndex::work(History& log) {
  const auto begun = process::now();
  const auto before = std::tuple(known(), words_to_, cut_to_);
  try {
    if (attempt([&] { catch_up(log, begun + kIndexSliceMax); })) return;
  } catch (const storage::StorageFailure& damage) {  // Of the log: goes on when it is dropped.
    process::log_warning(text("history index: ", damage.what()));
  }
  const auto now = process::now();
  const bool goes_on = before != std::tuple(known(), words_to_, cut_to_);
  due_ = now + (goes_on ? (now - begun) * (kIndexShare - 1) : kPause);
}

// What is damaged is made anew; what the disk refuses may be had later.
template <class Act>
std::optional<Error> HistoryIndex::attempt(Act&& act) {
  try {
    try {
      act();
    } catch (const DatabaseFailure& failure) {
      if (!failure.is_damage()) throw;
      process::log_warning(text("history index: ", failure.what(), ": made anew"));
      remove();
      act();
    } catch (const storage::StorageFailure&) {
      file_.reset();
      throw;
    }
  } catch (const DatabaseFailure& failure) {
    process::log_warning(text("history index: ", failure.what()));
    file_.reset();
    due_ = process::now() + kPause;
    return Error{text("history: its index: ", failure.what()), ErrorCode::kDamaged};
  }
  return std::nullopt;
}

void HistoryIndex::remove() {
  file_.reset();
  for (const auto* end : {"", "-wal", "-shm"}) ::unlink((path() + end).c_str());
}

void HistoryIndex::open(History& log) {
  ::mkdir(directory_.c_str(), 0700);
  file_.emplace(path());
  const auto place = file_->place();
  const bool is_new = place.log == 0;
  const bool is_of_it = place.log == log.log() && place.next <= log.head();
  // What lies before the cursor is what was read there (ring rule L3).
  const bool is_read = is_of_it && (place.next < log.kept_from() ||
                                    log.read({0, place.log, place.next, place.crc, 0}));
  if (!is_new && !is_read) {
    process::log_info("history index: of another log, or of another state of it: made anew");
    remove();
    file_.emplace(path());
  }
  cut_to_ = 0;
  block_ = file_->newest().value_or(Block{});
  words_to_ = 0;
}

void HistoryIndex::catch_up(History& log, TimePoint until) {
  if (!file_) open(log);
  auto place = file_->place();
  if (place.log == log.log() && place.next == log.head() && cut_to_ == log.kept_from()) return;
  file_->begin();
  try {
    bool goes_on = cut(log, until) && log.free_bytes() >= kIndexFreeBytesMin;
    place.log = log.log();
    if (place.next < log.kept_from()) {  // The log went ahead.
      place = {place.log, log.kept_from(), 0};
      block_ = {};
    }
    while (goes_on && place.next < log.head()) {
      const auto records = log.read({0, place.log, place.next, 0, kStepBytes});
      goes_on = records && records->next > place.next && add(*records, place, until);
    }
    if (block_.end > block_.first) file_->put(block_);
    file_->commit(place);
  } catch (...) {
    file_.reset();  // With what was begun.
    throw;
  }
}

// Forgets what is no longer kept; false if there is more of it.
bool HistoryIndex::cut(const History& log, TimePoint until) {
  const auto kept_from = log.kept_from();
  if (cut_to_ == kept_from || planted("index-keeps-what-is-gone")) return true;
  while (const auto oldest = file_->oldest()) {
    if (oldest->end > kept_from) break;
    file_->drop(*oldest);
    if (oldest->first == block_.first) block_ = {};
    if (process::now() >= until) return false;
  }
  cut_to_ = kept_from;
  return true;
}

// False if there is no more time.
bool HistoryIndex::add(const protocol::Records& records, IndexPlace& place, TimePoint until) {
  ByteReader reader(records.payload);
  while (!reader.is_done()) {
    const auto encoded = reader.take(reader.get<std::uint32_t>());
    const auto batch = protocol::read_batch(encoded);
    if (!batch) return false;
    if (block_.bytes >= kBlockBytes || block_.end != batch->first_offset) {
      if (block_.end > block_.first) file_->put(block_);
      block_ = {};
      block_.first = block_.end = batch->first_offset;
      words_to_ = 0;
    }
    if (!add(*batch, until)) return false;
    block_.bytes += sizeof(std::uint32_t) + encoded.size();
    place.next = block_.end = batch->first_offset + batch->count;
    place.crc = crc32c(encoded);
    if (process::now() >= until) return false;
  }
  return true;
}

bool HistoryIndex::add(const protocol::ResultBatch& batch, TimePoint until) {
  if (!add_words(batch, until)) return false;
  ByteReader runs(batch.records);
  while (const auto run = protocol::read_result_run(runs)) {
    const auto& first = run->first;
    if (first.is_copy) continue;  // Found with its task alone.
    const auto id =
        file_->count({state_of(first), first.kind, first.project, batch.worker}, run->count);
    count_in(block_, id, run->count);
    block_.earliest_unix_ms = std::min(block_.earliest_unix_ms, first.finished_unix_ms);
    block_.latest_unix_ms = std::max(block_.latest_unix_ms, first.finished_unix_ms);
    if (!first.key.empty()) add_key(block_, first.key);
  }
  return true;
}

// Each body is read for them, of a large batch longer than there is time: the next slice goes on
// behind the last. A block that has the words of what it does not have yet is only looked at in vain.
bool HistoryIndex::add_words(const protocol::ResultBatch& batch, TimePoint until) {
  protocol::ResultReader results(batch.records);
  auto offset = batch.first_offset;
  while (const auto result = results.next()) {
    if (offset++ < words_to_) continue;
    if (const auto words = words_of(*result); !words.empty()) block_.words.add(words);
    words_to_ = offset;
    if (process::now() >= until) return offset == batch.first_offset + batch.count;
  }
  return true;
}

Expected<Value> HistoryIndex::answer(const protocol::Query& query, const Value& options,
                                     History& log, Duration time) {
  auto filter = HistoryFilter::from(options);
  if (!filter) return filter.error();
  filter->within = Within(query.within);
  const bool is_over_time = query.what == "counts" && !options.is_null();
  if (query.what == "history" && filter->step_ms > 0) return Error{"history: step: is of counts"};
  if (const auto error = is_over_time ? why_no_steps(*filter) : std::nullopt) return *error;
  is_wanted_ = true;
  Value::Map found;
  const auto error = attempt([&] {
    catch_up(log, process::now() + time);
    const auto until = process::now() + time;
    found = is_over_time             ? over_time(*file_, log, *filter, until)
            : query.what == "counts" ? counts(*file_, kCountsShown, filter->within)
                                     : search(*file_, log, *filter, until);
  });
  if (error) return *error;
  const auto as_of = file_->place().next;
  found.emplace_back("as_of", as_of);
  found.emplace_back("head", log.head());
  found.emplace_back("complete", as_of == log.head());
  return Value(std::move(found));
}

}  // namespace eole::sink
