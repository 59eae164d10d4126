#include "sink/core/settler.hpp"

#include <algorithm>
#include <utility>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/named_artifacts.hpp"
#include "common/protocol/range_pages.hpp"
#include "common/protocol/refusal.hpp"
#include "common/protocol/value.hpp"

namespace eole::sink {

using protocol::put_result;
using protocol::read_result_run;
using protocol::ResultRecord;
using protocol::ResultRun;
using protocol::TaskState;
using protocol::Value;

namespace {
constexpr std::size_t kBodyBytesMax = protocol::kInlineBytesMax + 4096;
}  // namespace

Summary Settler::load_batch(const protocol::ResultBatch& batch) {
  Summary summary;
  summary.first_offset = batch.first_offset;
  ByteReader reader(batch.records);
  while (const auto run = read_result_run(reader)) {
    const auto& [origin, seq] = run->first.id;
    if (run->first.is_final && !planted("settled-forgotten-at-restart"))
      origins_.load_settled(origin, {seq, run->last()}, run->first.state);
    if (run->first.may_have_copy && (run->first.is_final || run->first.is_copy)) remember(*run);
    if (run->first.is_final) {
      failures_.forget(origin, seq, run->last());
    } else {
      origins_.load_failed({origin, run->last()});
      for (std::uint32_t i = 0; i < run->count && !run->first.is_copy; ++i)
        failures_.load({origin, seq + i}, {run->first.lease.start, run->first.lease.number + i});
    }
    count(*run, batch.first_offset + summary.count);
    summary.add(*run);
  }
  if (!summary.stretches.empty())
    runs_.raise(batch.run, summary.stretches.front().origin, batch.level);
  head_ = batch.first_offset + batch.count;
  return summary;
}

KnownTask Settler::known(const TaskId& id) const {
  if (!origins_.is_settled(id)) return {failures_.has(id), false, TaskState::kFailed};
  return {true, true, origins_.not_done(id.origin).state_of(id.seq)};
}

void Settler::on_event(const Event& event, Actions& out) {
  std::visit([&](const auto& concrete) { on(concrete, out); }, event);
}

SeqRanges Settler::discard(Origin origin, const SeqRanges& seqs) {
  auto letters = letters_.of(origin, seqs);
  letters_.discard(origin, letters);
  return letters;
}

// Each is looked for on the disk: of what is not taken now, none is.
Expected<NamedArtifacts> Settler::artifacts_named(const protocol::Results& results,
                                                  std::string_view user) const {
  NamedArtifacts named;
  const auto judged = ResultsAdmission(runs_, origins_).judge(results, user);
  if (judged.standing != ResultsAdmission::Standing::kTaken) return named;
  std::size_t count = 0;
  for (const auto& run : judged.news.runs) count += run.first.artifacts.size() / 32;
  if (count > protocol::kArtifactsPerMessageMax && !planted("artifacts-named-without-a-bound"))
    return Error{text("results of ", results.worker, ": they name ", count, " artifacts, limit ",
                      protocol::kArtifactsPerMessageMax)};
  for (const auto& run : judged.news.runs)
    for (std::size_t at = 0; at < run.first.artifacts.size(); at += 32)
      named.insert(run.first.artifacts.substr(at, 32));
  return named;
}

void Settler::on(const ResultsReceived& event, Actions& out) {
  const auto& results = event.results;
  const auto acknowledge = [&](std::uint64_t level) {
    out.push_back(PublishAck{results.run, results.origin, level});
  };
  const auto level = runs_.level(results.run, results.origin);
  const ResultsAdmission admission(runs_, origins_);
  const auto judged = admission.judge(results, event.user);
  using Standing = ResultsAdmission::Standing;
  switch (judged.standing) {
    case Standing::kBehindGap:
      if (waiting_.keep_behind(event)) return;
      [[fallthrough]];
    case Standing::kKnown:
      return acknowledge(planted("floor-acknowledges") ? admission.known_of(results) : level);
    case Standing::kUnannounced:
      return waiting_.keep(event, {results.origin, judged.news.highest});
    case Standing::kForeign:
    case Standing::kBroken:
    case Standing::kUnleased:
      return;  // If they are somebody's, they come again.
    case Standing::kTaken:
      break;
  }
  const auto last = results.first + results.count - 1;
  if (runs_.claim(results.run, event.user)) out.push_back(AppendRun{results.run, event.user});
  runs_.raise(results.run, results.origin, last);
  const bool is_early = planted("level-before-its-results");
  OpenBatch open(results.run, is_early ? last : level, results.worker, results.pid,
                 results.payload.size());
  for (const auto& run : judged.news.runs) take_or_fail(run, event.missing, open, out);
  open.raise(last);  // Not sooner: of several batches a power cut may leave the first ones.
  close(open, out);
  acknowledge(last + (planted("acknowledge-one-more") ? 1 : 0));
}

void Settler::on(const AnnounceReceived& event, Actions& out) {
  const auto& announce = event.announce;
  if (origins_.announce(announce.origin, announce.nonce, announce.highest))
    go_on(announce.origin, out);
}

void Settler::go_on(Origin origin, Actions& out) {
  for (const auto& event : waiting_.take(origin, origins_.announced(origin))) on(event, out);
}

// Why a result cannot be taken as it is.
std::string Settler::problem_of(const ResultRecord& result, const MissingArtifacts& missing) {
  if (result.body.size() > kBodyBytesMax)
    return text("result of ", result.body.size(), " bytes, limit ", protocol::kInlineBytesMax,
                " (larger ones are artifacts)");
  for (std::size_t at = 0; at < result.artifacts.size(); at += 32) {
    const auto artifact = result.artifacts.substr(at, 32);
    if (missing.contains(artifact)) return text("artifact ", hex(artifact), " is not in the sink");
  }
  return {};
}

void Settler::take_or_fail(const ResultRun& run, const MissingArtifacts& missing, OpenBatch& open,
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

void Settler::on(const VerdictsReceived& event, Actions& out) {
  const auto& verdicts = event.verdicts;
  if (!origins_.is_introduced(verdicts.origin)) return;
  // What an earlier life decided may have been overtaken: the task runs again, or is done.
  const bool is_old = verdicts.start < origins_.start(verdicts.origin);
  if (is_old && !planted("old-starts-verdict-believed")) return;
  ByteReader reader(verdicts.payload);
  while (!reader.is_done()) {
    const auto run = read_result_run(reader);
    if (!run || run->first.id.origin != verdicts.origin) return;
    if (!run->first.is_final && !run->first.is_copy) return;
    if (run->first.id.seq > origins_.announced(verdicts.origin)) return;
  }
  OpenBatch open(0, 0, "", 0, verdicts.payload.size());
  reader = ByteReader(verdicts.payload);
  while (!reader.is_done()) {
    const auto run = *read_result_run(reader);
    run.first.is_copy ? take_lost(run, open, out) : take(run, open, out);
  }
  close(open, out);
}

void Settler::on(const IntroduceReceived& event, Actions& out) {
  const auto& introduce = event.introduce;
  AppendIntroduction introduction{introduce.origin, introduce.start, introduce.nonce,
                                  introduce.highest, event.settled};
  const auto is_news = origins_.introduce(introduction);
  if (!is_news) {
    out.push_back(Reply{event.peer, protocol::refused(introduce.request, is_news.error())});
    return;
  }
  if (*is_news) out.push_back(std::move(introduction));
  const auto& origin = introduce.origin;
  auto pages = protocol::encode_pages(origins_.settled(origin), origins_.not_done(origin));
  for (std::uint32_t page = 0; page < pages.size(); ++page)
    out.push_back(Reply{event.peer, protocol::Introduced{introduce.request, log_, head_, page,
                                                         static_cast<std::uint32_t>(pages.size()),
                                                         std::move(pages[page])}});
  go_on(introduce.origin, out);
}

// Another attempt of its task counts: it settles nothing, and no failure is to be made good.
bool Settler::is_copys_end(const ResultRecord& result) const {
  if (planted("copys-end-not-logged")) return false;
  return (result.is_copy || result.may_have_copy) && origins_.is_settled(result.id) &&
         copies_.is_other(result.id, result.lease);
}

void Settler::take_copy(const ResultRun& run, OpenBatch& open, Actions& out) {
  auto copy = run;
  copy.first.is_final = false;
  copy.first.is_copy = true;
  if (!open.fits(copy)) close(open, out);
  open.add(copy, head_);
}

// Its own end may have come since its ventilator read the log, and counts then.
void Settler::take_lost(const ResultRun& run, OpenBatch& open, Actions& out) {
  for (auto rest = run;; rest = rest.behind(1)) {
    const auto& copy = rest.first;
    if (!origins_.is_settled(copy.id) || copies_.is_other(copy.id, copy.lease))
      take_copy(rest.alone(), open, out);
    if (rest.count == 1) return;
  }
}

void Settler::remember(const ResultRun& run) {
  const auto& [origin, seq] = run.first.id;
  const auto& [start, number] = run.first.lease;
  for (std::uint32_t i = 0; i < run.count; ++i) {
    const TaskId task{origin, seq + i};
    const Lease lease{start, number + i};
    run.first.is_copy ? copies_.remember_copy(task, lease) : copies_.remember_end(task, lease);
  }
}

bool Settler::is_news(const ResultRecord& result) {
  const auto& [origin, seq] = result.id;
  if (result.is_final) {
    if (origins_.settle(origin, {seq, seq}, result.state) == 0 && !planted("later-result-taken"))
      return false;  // The first record won.
    failures_.forget(origin, seq, seq);
    under_way_.forget(origin, seq, seq);
    return true;
  }
  if (origins_.is_settled(result.id)) return false;
  if (planted("failure-settles")) origins_.settle(origin, {seq, seq}, result.state);
  under_way_.forget(origin, seq, seq);
  return failures_.take(result.id, result.lease);
}

void Settler::count(const ResultRun& run, std::uint64_t offset) {
  const auto& [origin, seq] = run.first.id;
  if (!run.first.is_final) return;
  counts_[static_cast<std::size_t>(run.first.state)] += run.count;
  if (run.first.state == TaskState::kDead) letters_.add(origin, seq, run.last());
  projects_.count(run, offset);
}

// Only what ends now: what is loaded was measured before.
void Settler::measure(const ResultRun& run) {
  const auto& result = run.first;
  auto& kind = kinds_.of(result.kind);
  const auto state = result.is_final ? static_cast<std::size_t>(result.state) : 0;
  kind.ends[state] += run.count;
  const bool has_run = result.state == TaskState::kDone || result.state == TaskState::kFailed;
  if (has_run) kind.runs.add(std::chrono::milliseconds(result.run_ms()), run.count);
}

// News goes into the open batch: one for each stretch of equal projects.
void Settler::take(const ResultRun& run, OpenBatch& open, Actions& out) {
  const auto& settled = origins_.settled(run.first.id.origin);
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
    origins_.settle(run.first.id.origin, {run.first.id.seq, run.last()}, run.first.state);
    failures_.forget(run.first.id.origin, run.first.id.seq, run.last());
    under_way_.forget(run.first.id.origin, run.first.id.seq, run.last());
  } else if (is_copys_end(run.first)) {
    remember(run);
    return take_copy(run, open, out);
  } else if (run.first.is_copy || !is_news(run.first)) {
    return;
  }
  if (run.first.may_have_copy && run.first.is_final) remember(run);
  if (!open.fits(run)) close(open, out);
  count(run, head_ + open.count());
  measure(run);
  open.add(run, head_);
}

void Settler::close(OpenBatch& open, Actions& out) {
  if (open.count() == 0) return;
  head_ += open.count();
  out.push_back(open.take());
}

}  // namespace eole::sink
