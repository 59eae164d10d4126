#include "sink/core/core.hpp"

#include <algorithm>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/value.hpp"

namespace eole::sink {

using protocol::put_result;
using protocol::read_result;
using protocol::ResultRecord;
using protocol::TaskState;
using protocol::Value;

namespace {
constexpr std::size_t kReasonBytesMax = 1024;  // Of a failure, as the ventilator keeps it.
}

void Core::load_batch(const protocol::ResultBatch& batch) {
  ByteReader reader(batch.records);
  for (std::uint32_t i = 0; i < batch.count; ++i) {
    const auto result = read_result(reader);
    if (!result) break;
    if (result->is_final) {
      if (!planted("settled-forgotten-at-restart"))
        origins_[result->id.origin].settled.add(result->id.seq, result->id.seq);
      failed_.erase(result->id);
    } else {
      failed_[result->id] = result->lease;
    }
    count(*result);
  }
  if (batch.run != 0) {
    auto& accepted = accepted_[batch.run];
    accepted = std::max(accepted, batch.level);
  }
  head_ = batch.first_offset + batch.count;
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
  // A count that the bytes cannot hold is a lie, and must not become an allocation.
  if (results.count > results.payload.size() / ResultRecord::kHeaderBytes) return;
  std::vector<std::pair<ResultRecord, std::string_view>> records;
  records.reserve(results.count);
  std::vector<Bytes> replaced;  // Bodies of results that could not be taken as they are.
  replaced.reserve(results.count);
  ByteReader reader(results.payload);
  for (auto number = results.first; number <= last; ++number) {
    const auto before = reader.rest();
    auto result = read_result(reader);
    // A message that lies about itself is dropped whole: its sender is broken, not its tasks.
    if (!result) return;
    auto raw = before.substr(0, before.size() - reader.rest().size());
    if (number <= accepted) continue;
    if (!origins_.contains(result->id.origin)) return;  // It waits for its introduction.
    std::string problem;
    if (result->body.size() > protocol::kInlineBytesMax + 4096)
      problem = text("result of ", result->body.size(), " bytes, limit ", protocol::kInlineBytesMax,
                     " (larger ones are artifacts)");
    for (std::size_t at = 0; at < result->artifacts.size(); at += 32) {
      const auto artifact = result->artifacts.substr(at, 32);
      if (std::find(event.missing.begin(), event.missing.end(), artifact) != event.missing.end())
        problem = text("artifact ", hex(artifact), " is not in the sink");
    }
    if (!problem.empty()) {
      result->state = TaskState::kFailed;
      result->is_final = true;
      result->artifacts = {};
      const auto body = Value(Value::Map{{"error", problem}}).to_msgpack();
      result->body = body;
      Bytes rewritten;
      put_result(rewritten, *result);
      replaced.push_back(std::move(rewritten));
      raw = replaced.back();
      ByteReader again(raw);
      result = read_result(again);
    }
    records.emplace_back(*result, raw);
  }
  if (!reader.is_done()) return;
  accepted = last;
  take(results.run, last, results.worker, records, out);
  out.push_back(PublishAck{results.run, accepted + (planted("acknowledge-one-more") ? 1 : 0)});
}

void Core::on(const VerdictsReceived& event, Actions& out) {
  const auto& verdicts = event.verdicts;
  if (!origins_.contains(verdicts.origin)) return;
  std::vector<std::pair<ResultRecord, std::string_view>> records;
  ByteReader reader(verdicts.payload);
  while (!reader.is_done()) {
    const auto before = reader.rest();
    const auto result = read_result(reader);
    if (!result || result->id.origin != verdicts.origin || !result->is_final) return;
    records.emplace_back(*result, before.substr(0, before.size() - reader.rest().size()));
  }
  take(0, 0, "", records, out);
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
    if (!failed_.empty()) failed_.erase(result.id);
    return true;
  }
  if (settled.contains(result.id.seq)) return false;
  if (planted("failure-settles")) settled.add(result.id.seq, result.id.seq);
  const auto [known, is_new] = failed_.try_emplace(result.id, result.lease);
  if (!is_new && known->second >= result.lease) return false;
  known->second = result.lease;
  return true;
}

void Core::count(const ResultRecord& result) {
  if (result.is_final) ++counts_[static_cast<std::size_t>(result.state)];
}

void Core::take(RunId run, std::uint64_t level, std::string_view worker,
                const std::vector<std::pair<ResultRecord, std::string_view>>& records,
                Actions& out) {
  protocol::ResultBatch batch{head_, run, level, 0, worker, {}};
  Bytes kept;
  std::string_view project;
  const auto close = [&] {
    if (batch.count == 0) return;
    batch.records = kept;
    out.push_back(AppendBatch{encode_batch(batch), std::string(project)});
    head_ += batch.count;
    batch.first_offset = head_;
    batch.count = 0;
    kept.clear();
  };
  for (const auto& [result, raw] : records) {
    if (!is_news(result)) continue;
    count(result);
    if (result.project != project) close();
    project = result.project;
    kept += raw;
    ++batch.count;
  }
  close();
}

void project(const protocol::ResultBatch& batch, Origin origin, protocol::Settlement& out) {
  ByteReader reader(batch.records);
  for (std::uint32_t i = 0; i < batch.count; ++i) {
    const auto result = read_result(reader);
    if (!result) return;
    if (result->id.origin != origin) continue;
    if (result->is_final) {
      out.add(result->id.seq);
    } else {
      auto reason = error_of(*result).substr(0, kReasonBytesMax);
      out.failures.push_back({result->id.seq, result->lease, std::move(reason)});
    }
  }
}

std::string error_of(const ResultRecord& result) {
  const auto body = Value::from_msgpack(result.body);
  return body ? (*body)["error"].text_or("") : "";
}

}  // namespace eole::sink
