#include "sink/core/batch.hpp"

#include <algorithm>
#include <utility>

#include "common/base/utf8.hpp"
#include "common/protocol/value.hpp"

namespace eole::sink {

using protocol::read_result_run;
using protocol::ResultRecord;
using protocol::ResultRun;
using protocol::TaskState;
using protocol::Value;

namespace {

constexpr std::size_t kReasonBytesMax = 1024;  // Of a failure, as the ventilator keeps it.

// What `origin`'s ventilator must know of a run.
void project(const ResultRun& run, protocol::Settlement& out) {
  if (run.first.is_final) return out.add({run.first.id.seq, run.last()});
  for (auto rest = run;; rest = rest.behind(1)) {
    const auto result = rest.record();
    out.failures.push_back(
        {result.id.seq, result.lease, std::string(cut_text(error_of(result), kReasonBytesMax))});
    if (rest.count == 1) return;
  }
}

}  // namespace

void Summary::add(const ResultRun& run) {
  const auto& id = run.first.id;
  if (count == 0) origin = id.origin;
  if (origin != id.origin) origin = 0;
  seq_min = std::min(seq_min, id.seq);
  seq_max = std::max(seq_max, run.last());
  if (run.first.is_final && run.first.state == TaskState::kDead)
    for (std::uint32_t i = 0; i < run.count; ++i)
      dead.push_back({first_offset + count + i, {id.origin, id.seq + i}});
  finished_max_unix_ms = std::max(finished_max_unix_ms, run.first.finished_unix_ms);
  count += run.count;
  auto entry = std::find_if(settlements.begin(), settlements.end(),
                            [&](const auto& one) { return one.first == id.origin; });
  if (entry == settlements.end()) entry = settlements.insert(entry, {id.origin, {}});
  project(run, entry->second);
}

void OpenBatch::add(const ResultRun& run, std::uint64_t offset) {
  if (summary_.count == 0) {
    summary_.first_offset = offset;
    project_ = run.first.project;
    bytes_ = encode_batch(batch_);
    bytes_.reserve(bytes_.size() + bytes_expected_);
  }
  summary_.add(run);
  protocol::put_result_run(bytes_, run);
}

AppendBatch OpenBatch::take() {
  batch_.first_offset = summary_.first_offset;
  batch_.count = summary_.count;
  bytes_.replace(0, protocol::ResultBatch::kHeaderBytes, encode_batch(batch_), 0,
                 protocol::ResultBatch::kHeaderBytes);
  return {std::exchange(bytes_, {}), std::exchange(project_, {}), std::exchange(summary_, {})};
}

void project(const protocol::ResultBatch& batch, Origin origin, protocol::Settlement& out) {
  ByteReader reader(batch.records);
  while (const auto run = read_result_run(reader))
    if (run->first.id.origin == origin) project(*run, out);
}

std::string error_of(const ResultRecord& result) {
  const auto body = Value::from_msgpack(result.body);
  return body ? (*body)["error"].text_or("") : "";
}

}  // namespace eole::sink
