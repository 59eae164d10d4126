#include "sink/core/core.hpp"

#include <algorithm>
#include <utility>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/value.hpp"

namespace eole::sink {

using protocol::put_result;
using protocol::put_result_run;
using protocol::read_result_run;
using protocol::ResultRecord;
using protocol::ResultRun;
using protocol::TaskState;
using protocol::Value;

namespace {
constexpr std::size_t kReasonBytesMax = 1024;  // Of a failure, as the ventilator keeps it.
constexpr std::size_t kBodyBytesMax = protocol::kInlineBytesMax + 4096;

// What `origin`'s ventilator must know of a run.
void project(const ResultRun& run, protocol::Settlement& out) {
  if (run.first.is_final) return out.add({run.first.id.seq, run.last()});
  for (auto rest = run;; rest = rest.behind(1)) {
    const auto result = rest.record();
    out.failures.push_back(
        {result.id.seq, result.lease, error_of(result).substr(0, kReasonBytesMax)});
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

/// Runs are put straight into the batch that the log gets; its header is filled in at the end.
class Core::Open {
 public:
  /// `bytes`: that all runs have together.
  Open(RunId run, std::uint64_t level, std::string_view worker, std::size_t bytes)
      : batch_{0, run, level, 0, worker, {}}, bytes_expected_(bytes) {}
  void add(const ResultRun& run, std::uint64_t offset) {
    if (summary_.count == 0) {
      summary_.first_offset = offset;
      project_ = run.first.project;
      bytes_ = encode_batch(batch_);
      bytes_.reserve(bytes_.size() + bytes_expected_);
    }
    summary_.add(run);
    put_result_run(bytes_, run);
  }
  bool fits(const ResultRun& run) const {
    return summary_.count == 0 || project_ == run.first.project;
  }
  std::uint32_t count() const { return summary_.count; }
  AppendBatch take() {
    batch_.first_offset = summary_.first_offset;
    batch_.count = summary_.count;
    bytes_.replace(0, protocol::ResultBatch::kHeaderBytes, encode_batch(batch_), 0,
                   protocol::ResultBatch::kHeaderBytes);
    return {std::exchange(bytes_, {}), std::exchange(project_, {}), std::exchange(summary_, {})};
  }

 private:
  protocol::ResultBatch batch_;
  std::size_t bytes_expected_;
  Bytes bytes_;
  std::string project_;
  Summary summary_;
};

Summary Core::load_batch(const protocol::ResultBatch& batch) {
  Summary summary;
  summary.first_offset = batch.first_offset;
  ByteReader reader(batch.records);
  while (const auto run = read_result_run(reader)) {
    const auto& [origin, seq] = run->first.id;
    if (run->first.is_final && !planted("settled-forgotten-at-restart"))
      origins_[origin].settled.add(seq, run->last());
    if (run->first.is_final) {
      forget_failures(*run);
    } else {
      for (std::uint32_t i = 0; i < run->count; ++i)
        failed_[{origin, seq + i}] = {run->first.lease.start, run->first.lease.number + i};
    }
    count(*run);
    summary.add(*run);
  }
  if (batch.run != 0) {
    auto& accepted = accepted_[batch.run];
    accepted = std::max(accepted, batch.level);
  }
  head_ = batch.first_offset + batch.count;
  return summary;
}

void Core::load_introduction(const AppendIntroduction& introduction) {
  auto& origin = origins_[introduction.origin];
  origin.start = introduction.start;
  origin.nonce = introduction.nonce;
  for (const auto& [first, last] : introduction.settled.ranges()) origin.settled.add(first, last);
}

void Core::on_event(const Event& event, Actions& out) {
  std::visit([&](const auto& concrete) { on(concrete, out); }, event);
}

std::uint64_t Core::settled() const {
  std::uint64_t sum = 0;
  for (const auto& [origin, state] : origins_) sum += state.settled.count();
  return sum;
}

void Core::on(const ResultsReceived& event, Actions& out) {
  const auto& results = event.results;
  auto& accepted = accepted_[results.run];
  if (!planted("floor-ignored")) accepted = std::max(accepted, results.floor);
  const auto last = results.first + results.count - 1;
  const bool has_gap = results.first > accepted + 1 && !planted("gap-in-results-taken");
  if (results.count == 0 || has_gap || last <= accepted) {
    out.push_back(PublishAck{results.run, accepted});
    return;
  }
  // A message that lies about itself is dropped whole: its sender is broken, not its tasks.
  std::vector<ResultRun> runs;
  auto number = results.first;
  ByteReader reader(results.payload);
  while (!reader.is_done()) {
    const auto run = read_result_run(reader);
    if (!run || run->count > last - number + 1) return;
    number += run->count;
    if (number <= accepted + 1) continue;  // All of it is here.
    // One of an origin that is not introduced waits for its introduction.
    if (!is_introduced(run->first.id.origin)) return;
    const auto known = number - run->count <= accepted ? accepted + 1 - (number - run->count) : 0;
    runs.push_back(run->behind(static_cast<std::uint32_t>(known)));
  }
  if (number != last + 1) return;

  Open open(results.run, last, results.worker, results.payload.size());
  for (const auto& run : runs) take_or_fail(run, event.missing, open, out);
  close(open, out);
  accepted = last;
  out.push_back(PublishAck{results.run, accepted + (planted("acknowledge-one-more") ? 1 : 0)});
}

// Why a result cannot be taken as it is.
std::string Core::problem_of(const ResultRecord& result, const std::vector<std::string>& missing) {
  if (result.body.size() > kBodyBytesMax)
    return text("result of ", result.body.size(), " bytes, limit ", protocol::kInlineBytesMax,
                " (larger ones are artifacts)");
  for (std::size_t at = 0; at < result.artifacts.size(); at += 32) {
    const auto artifact = result.artifacts.substr(at, 32);
    if (std::find(missing.begin(), missing.end(), artifact) != missing.end())
      return text("artifact ", hex(artifact), " is not in the sink");
  }
  return {};
}

void Core::take_or_fail(const ResultRun& run, const std::vector<std::string>& missing, Open& open,
                        Actions& out) {
  if (run.bodies.size() <= kBodyBytesMax && run.first.artifacts.empty())
    return take(run, open, out);
  for (auto rest = run;; rest = rest.behind(1)) {
    auto result = rest.record();
    if (const auto problem = problem_of(result, missing); problem.empty()) {
      take(rest.alone(), open, out);
    } else {
      const auto body = Value(Value::Map{{"error", problem}}).to_msgpack();
      result.state = TaskState::kFailed;
      result.is_final = true;
      result.artifacts = {};
      result.body = body;
      Bytes bytes;
      put_result(bytes, result);
      ByteReader reader(bytes);
      take(*read_result_run(reader), open, out);
    }
    if (rest.count == 1) return;
  }
}

void Core::on(const VerdictsReceived& event, Actions& out) {
  const auto& verdicts = event.verdicts;
  if (!is_introduced(verdicts.origin)) return;
  ByteReader reader(verdicts.payload);
  while (!reader.is_done()) {
    const auto run = read_result_run(reader);
    if (!run || run->first.id.origin != verdicts.origin || !run->first.is_final) return;
  }
  Open open(0, 0, "", verdicts.payload.size());
  reader = ByteReader(verdicts.payload);
  while (!reader.is_done()) {
    take(*read_result_run(reader), open, out);
  }
  close(open, out);
}

void Core::on(const IntroduceReceived& event, Actions& out) {
  const auto& introduce = event.introduce;
  const auto refuse = [&](std::string reason) {
    out.push_back(Reply{event.peer, protocol::Refused{introduce.request, std::move(reason)}});
  };
  const auto known = origins_.find(introduce.origin);
  const auto name = origin_text(introduce.origin);
  if (known != origins_.end()) {
    const auto& state = known->second;
    if (introduce.start < state.start)
      return refuse(text("origin ", name, ": the journal went back, start ", introduce.start,
                         " after start ", state.start));
    if (introduce.start == state.start && introduce.nonce != state.nonce &&
        !planted("two-ventilators-on-one-journal"))
      return refuse(text("origin ", name, ": another ventilator runs from a copy of this journal"));
    if (state.settled.highest() > introduce.highest)
      return refuse(text("origin ", name, ": the journal went back, its highest task is ",
                         introduce.highest, ", the log knows ", state.settled.highest()));
  }
  const bool is_news = known == origins_.end() || known->second.start != introduce.start;
  AppendIntroduction introduction{introduce.origin, introduce.start, introduce.nonce,
                                  event.settled};
  load_introduction(introduction);
  if (is_news) out.push_back(std::move(introduction));
  out.push_back(
      Reply{event.peer, protocol::Introduced{introduce.request, log_, head_,
                                             origins_.at(introduce.origin).settled.encode()}});
}

std::optional<std::string> Core::why_not_followed(Origin origin, std::uint64_t nonce) const {
  const auto known = origins_.find(origin);
  if (known == origins_.end()) return text("origin ", origin_text(origin), " is not introduced");
  if (known->second.nonce != nonce)
    return text("origin ", origin_text(origin), ": superseded by a later start of its ventilator");
  return std::nullopt;
}

bool Core::is_news(const ResultRecord& result) {
  auto& settled = origins_.at(result.id.origin).settled;
  if (result.is_final) {
    if (settled.add(result.id.seq, result.id.seq) == 0 && !planted("later-result-taken"))
      return false;  // The first record won.
    forget_failures({result, 1, {}});
    return true;
  }
  if (settled.contains(result.id.seq)) return false;
  if (planted("failure-settles")) settled.add(result.id.seq, result.id.seq);
  const auto [known, is_new] = failed_.try_emplace(result.id, result.lease);
  if (!is_new && known->second >= result.lease) return false;
  known->second = result.lease;
  return true;
}

void Core::forget_failures(const ResultRun& run) {
  if (failed_.empty()) return;
  for (auto seq = run.first.id.seq; seq <= run.last(); ++seq)
    failed_.erase({run.first.id.origin, seq});
}

void Core::count(const ResultRun& run) {
  if (run.first.is_final) counts_[static_cast<std::size_t>(run.first.state)] += run.count;
}

// News goes into the open batch: one for each stretch of equal projects.
void Core::take(const ResultRun& run, Open& open, Actions& out) {
  auto& settled = origins_.at(run.first.id.origin).settled;
  const auto known = planted("known-middle-of-a-run-taken")
                         ? 0
                         : settled.count_within(run.first.id.seq, run.last());
  if (run.count > 1 && (!run.first.is_final || known > 0)) {
    for (auto rest = run;; rest = rest.behind(1)) {  // Some of it may not be news.
      take(rest.alone(), open, out);
      if (rest.count == 1) return;
    }
  }
  if (run.count > 1) {
    settled.add(run.first.id.seq, run.last());
    forget_failures(run);
  } else if (!is_news(run.first)) {
    return;
  }
  count(run);
  if (!open.fits(run)) close(open, out);
  open.add(run, head_);
}

void Core::close(Open& open, Actions& out) {
  if (open.count() == 0) return;
  head_ += open.count();
  out.push_back(open.take());
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
