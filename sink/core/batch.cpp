#include "sink/core/batch.hpp"

#include <algorithm>
#include <utility>

#include "common/base/planted.hpp"
#include "common/base/utf8.hpp"
#include "common/protocol/causes.hpp"
#include "common/protocol/value.hpp"

namespace eole::sink {

using protocol::read_result_run;
using protocol::ResultRecord;
using protocol::ResultRun;
using protocol::TaskState;
using protocol::Value;

namespace {

constexpr std::uint64_t kRunUsMax = 1ULL << 38;  // Three days; longer ones count as so long.
constexpr std::size_t kReasonBytesMax = 1024;    // Of a failure, as the ventilator keeps it.

// What its ventilator must know of a result that is not final.
protocol::Settlement::Failure failure_of(const ResultRecord& result) {
  protocol::Settlement::Failure failure{result.id.seq, result.lease, {}};
  const auto body = Value::from_msgpack(result.body);
  if (!body) return failure;
  failure.reason = cut_text((*body)["error"].text_or(""), kReasonBytesMax);
  failure.cause = cut_text((*body)["cause"].text_or(""), protocol::kCauseBytesMax);
  const auto wish = (*body)["retry_after_ms"].int_or(0);
  failure.retry_after_ms =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(wish, 0, protocol::kRetryAfterMsMax));
  return failure;
}

// How long the results of a batch ran, which are of one project: told together, behind the first
// `before` of others.
void add_ran(const ResultRun& run, std::size_t before, protocol::Settlement& out) {
  if (run.first.run_us == 0) return;
  if (out.ran.size() == before) out.ran.push_back({run.first.id.seq, 0, 0});
  auto& ran = out.ran.back();
  ran.attempts += run.count;
  ran.us += std::min(run.first.run_us, kRunUsMax) * run.count;
}

// What its ventilator must know of a run.
void project(const ResultRun& run, protocol::Settlement& out) {
  if (run.first.is_final) return out.add({run.first.id.seq, run.last()}, run.first.state);
  if (run.first.is_copy) return;
  for (auto rest = run;; rest = rest.behind(1)) {
    out.failures.push_back(failure_of(rest.record()));
    if (rest.count == 1) return;
  }
}

}  // namespace

void Summary::add(const ResultRun& run) {
  const auto& [origin, first] = run.first.id;
  const bool is_dead = run.first.is_final && run.first.state == TaskState::kDead;
  const bool goes_on =
      !stretches.empty() && stretches.back() == Stretch{origin, stretches.back().first, first - 1,
                                                        run.first.is_final, is_dead};
  if (goes_on)
    stretches.back().last = run.last();
  else
    stretches.push_back({origin, first, run.last(), run.first.is_final, is_dead});
  finished_max_unix_ms = std::max(finished_max_unix_ms, run.first.finished_unix_ms);
  count += run.count;
}

void add_settlement(const ResultRun& run, Settlements& out) {
  const auto origin = run.first.id.origin;
  auto entry =
      std::find_if(out.begin(), out.end(), [&](const auto& one) { return one.first == origin; });
  if (entry == out.end()) entry = out.insert(entry, {origin, {}});
  project(run, entry->second);
  add_ran(run, 0, entry->second);
}

void OpenBatch::add(const ResultRun& run, std::uint64_t offset) {
  if (summary_.count == 0) {
    summary_.first_offset = offset;
    project_ = run.first.project;
    bytes_ = encode_batch(batch_);
    bytes_.reserve(bytes_.size() + bytes_expected_);
  }
  summary_.add(run);
  add_settlement(run, settlements_);
  protocol::put_result_run(bytes_, run);
}

AppendBatch OpenBatch::take() {
  batch_.first_offset = summary_.first_offset;
  batch_.count = summary_.count;
  bytes_.replace(0, protocol::ResultBatch::kHeaderBytes, encode_batch(batch_), 0,
                 protocol::ResultBatch::kHeaderBytes);
  return {std::exchange(bytes_, {}), std::exchange(project_, {}), std::exchange(summary_, {}),
          std::exchange(settlements_, {})};
}

bool SettlementPage::is_full() const {
  using protocol::Settlement;  // With room for another one of each.
  const auto bytes = Settlement::kHeaderBytes +
                     (settlement.ranges.size() + 1) * Settlement::kRangeBytes +
                     (settlement.not_done.size() + 1) * Settlement::kEndBytes +
                     (settlement.ran.size() + 1) * Settlement::kRanBytes +
                     (settlement.failures.size() + 1) * Settlement::kFailureBytes + text_bytes;
  return bytes + kReasonBytesMax + protocol::kCauseBytesMax > protocol::kSettlementBytesMax &&
         !planted("settlements-without-limit");
}

std::uint64_t SettlementPage::add(const protocol::ResultBatch& batch, Origin origin,
                                  std::uint64_t from) {
  auto at = batch.first_offset;
  const auto told = settlement.ran.size();
  ByteReader reader(batch.records);
  while (auto run = read_result_run(reader)) {
    const auto end = at + run->count;
    if (end > from && run->first.id.origin == origin) {
      if (is_full()) return std::max(at, from);
      if (at < from) *run = run->behind(static_cast<std::uint32_t>(from - at));
      if (run->first.is_final || run->first.is_copy) {
        project(*run, settlement);
        add_ran(*run, told, settlement);
      } else {
        for (at = std::max(at, from);; *run = run->behind(1)) {
          if (is_full()) return at;
          settlement.failures.push_back(failure_of(run->record()));
          add_ran(run->alone(), told, settlement);
          const auto& failure = settlement.failures.back();
          text_bytes += failure.reason.size() + failure.cause.size();
          ++at;
          if (run->count == 1) break;
        }
      }
    }
    at = end;
  }
  return at;
}

}  // namespace eole::sink
