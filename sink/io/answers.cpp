#include "sink/io/answers.hpp"

#include <algorithm>
#include <utility>

#include "common/base/text.hpp"
#include "common/base/within.hpp"
#include "common/process/log.hpp"
#include "common/process/system.hpp"
#include "common/protocol/answer.hpp"
#include "common/protocol/query_options.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/result_view.hpp"
#include "common/storage/disk.hpp"
#include "sink/io/status.hpp"

namespace eole::sink {

using protocol::encode;
using protocol::encode_answer;
using protocol::Message;
using protocol::ResultBatch;
using protocol::Value;

namespace {

constexpr std::int64_t kPageLettersMax = 1000;
constexpr std::size_t kPageBytesMax = 1 << 20;  // Of letters or parts; one at least.
constexpr std::size_t kPagePartitionsMax = 1024;  // Of groups that are listed.

// A task's final record, or its last one.
Value result(History& history, const TaskId& id, const KnownTask& known, const Within& within) {
  const auto found = history.find(id, known);
  if (!found && !within.is_all()) return {};  // Nobody knows whose it was.
  if (!found && known.is_settled) {
    return Value::Map{{"id", to_text(id)},
                      {"state", to_text(known.state)},
                      {"is_kept", false},
                      {"error", "settled; its result is no longer kept"}};
  }
  if (!found) return {};
  const auto batch = protocol::read_batch(found->batch);
  protocol::ResultReader reader(batch->records);
  for (auto offset = batch->first_offset; offset < found->offset; ++offset) reader.next();
  const auto record = reader.next();
  return within.has(record->project) ? view_of(*record, batch->worker, found->offset) : Value();
}

// Of a dead letter, for its replay.
Value spec(History& history, const TaskId& id, const KnownTask& known, const Within& within) {
  const auto found = history.find(id, known);
  if (!found) return {};
  const auto batch = protocol::read_batch(found->batch);
  protocol::ResultReader reader(batch->records);
  while (const auto record = reader.next())
    if (record->id == id && record->is_final && within.has(record->project))
      if (const auto body = Value::from_msgpack(record->body)) return (*body)["spec"];
  return {};
}

// Of a part that was not done, or that another task did anew.
bool tells_of_missing(const protocol::ResultRecord& record) {
  return record.state != protocol::TaskState::kDone ||
         record.body.find("instead_of") != record.body.npos;
}

// How each task of a project ended, in pages in the log's order from the offset `from` on: null if
// the log has counted none. Parts that are no longer kept are not left out in silence. With
// `missing`, only what says which parts were not done, without values.
Expected<Value> parts(History& history, const std::optional<Projects::Project>& found,
                      const Value& options, Duration page_time) {
  const auto name = options["project"].text_or("");
  if (!found) return Value();
  const auto from = options["from"].is_null()
                        ? found->first_offset
                        : static_cast<std::uint64_t>(options["from"].int_or(0));
  if (from < history.kept_from())
    return Error{text("parts of project ", name, ": its results from offset ", from,
                      " on are wanted, those from ", history.kept_from(), " on are kept"),
                 ErrorCode::kUnknown};
  const bool is_missing = options["missing"] == Value(true);
  const auto until = process::now() + page_time;
  Value::Array list;
  std::size_t bytes = 0;
  const auto next = history.visit_project(
      name, from, found->last_offset,
      [&](const protocol::ResultRecord& record, const ResultBatch& batch, std::uint64_t offset) {
        constexpr std::size_t kAroundBody = 256;  // What a view says besides, about.
        if (is_missing && !tells_of_missing(record)) return true;
        auto view = view_of(record, batch.worker, offset);
        if (is_missing)
          view = Value::Map{
              {"id", view["id"]}, {"state", view["state"]}, {"instead_of", view["instead_of"]}};
        bytes += kAroundBody + (is_missing ? 0 : record.body.size());
        list.push_back(std::move(view));
        return bytes < kPageBytesMax;
      },
      [&] { return process::now() >= until; });
  std::uint64_t tasks = 0;
  for (const auto count : found->counts) tasks += count;
  return Value(Value::Map{
      {"parts", std::move(list)}, {"tasks", tasks}, {"next", next ? Value(*next) : Value()}});
}

// Every attempt of a task that the log knows, newest first.
Value attempts(History& history, const TaskId& id, const KnownTask& known, const Value& options,
               const Within& within, Duration page_time) {
  const auto head = history.head();
  const auto before = static_cast<std::uint64_t>(options["before"].int_or(
      static_cast<std::int64_t>(std::min<std::uint64_t>(head, INT64_MAX))));
  const auto until = process::now() + page_time;
  Value::Array list;
  std::size_t bytes = 0;
  bool is_outside = false;
  const auto next = history.visit_attempts(
      id, known, std::min(before, head),
      [&](const protocol::ResultRecord& record, const ResultBatch& batch, std::uint64_t offset) {
        is_outside = !within.has(record.project);  // Then so are all of this task.
        if (is_outside) return false;
        bytes += record.body.size();
        list.push_back(view_of(record, batch.worker, offset));
        if (within.is_all() && record.lease != Lease{})
          list.back().set("lease", to_text(record.lease));
        if (within.is_all() && batch.pid != 0) list.back().set("pid", batch.pid);
        return bytes < kPageBytesMax;
      },
      [&] { return process::now() >= until; });
  return Value::Map{{"attempts", std::move(list)},
                    {"next", next && !is_outside ? Value(*next) : Value()}};
}

// A page of the list of dead letters, behind the offset `after`.
Expected<Value> dead(History& history, const Value& options, const Within& within,
                     Duration page_time) {
  const auto project = options["project"].text_or("");
  const auto most = options["most"].int_or(kPageLettersMax);
  if (most < 1 || most > kPageLettersMax)
    return Error{text("dead: most ", most, ", limits 1 and ", kPageLettersMax)};
  const auto* after = options["after"].as<std::int64_t>();
  const auto from =  // Beyond the end of any log is none.
      after == nullptr || *after < 0 ? 0 : static_cast<std::uint64_t>(*after) + 1;
  const auto until = process::now() + page_time;
  Value::Array letters;
  std::size_t bytes = 0;
  Value next;
  const auto go_on = history.visit_dead(
      from,
      [&](const protocol::ResultRecord& record, const ResultBatch& batch, std::uint64_t offset) {
        if (within.has(record.project) && (project.empty() || record.project == project)) {
          auto view = view_of(record, batch.worker, offset);
          bytes += view.to_msgpack().size();
          letters.push_back(std::move(view));
        }
        const bool is_full = static_cast<std::int64_t>(letters.size()) >= most ||
                             bytes >= kPageBytesMax || process::now() >= until;
        if (is_full) next = offset;
        return !is_full;
      },
      [&] { return process::now() >= until; });
  if (go_on) next = *go_on - 1;
  return Value(Value::Map{{"letters", std::move(letters)}, {"next", std::move(next)}});
}

// What is left of the log of a project that is compacted, from the offset `from` on.
Expected<Value> compacted(History& history, const Value& options, const Within& within) {
  const auto project = options["project"].text_or("");
  const auto from = options["from"].int_or(0);
  if (from < 0) return Error{text("compacted: from ", from, ", at least 0")};
  if (!within.has(project)) return Error{text("compacted: project ", project, " is not known")};
  auto left = history.left_of(project, static_cast<std::uint64_t>(from), kPageBytesMax);
  return Value(Value::Map{{"from", left.from},
                          {"batches", protocol::Blob{std::move(left.batches)}},
                          {"next", left.next},
                          {"kept_from", history.kept_from()}});
}

Value::Array partitions_of(const GroupView& group, const Lag& lag, const auto& seconds_since) {
  Value::Array partitions;
  for (std::size_t i = 0; i < group.cursors.size(); ++i) {
    const auto& of = lag.partitions[i];
    partitions.push_back(Value::Map{
        {"partition", i},
        {"owner", group.owners[i].empty() ? Value() : Value(group.owners[i])},
        {"cursor", group.cursors[i]},
        {"lag_records", of.records},
        {"lag_seconds", of.records == 0 ? 0.0 : seconds_since(of.oldest_unix_ms)}});
  }
  return partitions;
}

Value::Array members_of(const GroupView& group, std::int64_t unix_ms) {
  Value::Array members;
  for (const auto& member : group.members)
    members.push_back(Value::Map{{"name", member.name},
                                 {"heard_unix_ms", unix_ms - member.silent / 1ms},
                                 {"partitions", member.partitions},
                                 {"unacknowledged", member.unacknowledged}});
  return members;
}

std::uint64_t unacknowledged_of(const GroupView& group) {
  std::uint64_t sum = 0;
  for (const auto& member : group.members) sum += member.unacknowledged;
  return sum;
}

// A page of groups with how far each is behind, with `each` also the partitions of the first ones;
// of one that was asked for by name also these, and what a move to the offset `to` would skip and
// repeat. Null: there is no such group.
Expected<Value> groups(const protocol::Query& query, const Known& known, const Value& options,
                       History& history, Duration page_time) {
  const bool is_one = !options["group"].is_null();
  if (is_one && known.groups.empty()) return Value();
  const auto* said = options["to"].as<std::int64_t>();
  const auto to = said == nullptr ? history.head() : static_cast<std::uint64_t>(*said);
  if (to > history.head())
    return Error{text("groups: offset ", to, " is beyond the log's head ", history.head())};
  const auto until = process::now() + page_time * (is_one ? 5 : 1);  // One is worth a look.
  const auto now = process::unix_ms();
  const auto seconds = [&](std::int64_t unix_ms) {
    return unix_ms == 0 ? 0.0
                        : static_cast<double>(std::max<std::int64_t>(0, now - unix_ms)) / 1000;
  };
  const bool has_each = is_one || options["each"] == Value(true);
  std::size_t partitions = 0;
  Value::Array list;
  for (const auto& group : known.groups) {
    const auto lag = history.lag(group.cursors, to, has_each, Within(query.within),
                                 [&] { return process::now() >= until; });
    const auto lowest = *std::min_element(group.cursors.begin(), group.cursors.end());
    const auto kept_from = history.kept_from();
    Value view = Value::Map{{"group", group.name},
                            {"members", group.members.size()},
                            {"partitions", group.cursors.size()},
                            {"lag_records", lag.records},
                            {"lag_seconds", lag.records == 0 ? 0.0 : seconds(lag.oldest_unix_ms)},
                            {"lag_is_exact", lag.is_exact},
                            {"gone_records", lowest < kept_from ? kept_from - lowest : 0},
                            {"cursor", lowest},
                            {"generation", group.generation},
                            {"is_settled", group.is_settled},
                            {"holds_log", group.is_holding},
                            {"commits", group.commits},
                            {"unacknowledged", unacknowledged_of(group)},
                            {"redelivered", group.redelivered},
                            {"head", history.head()}};
    partitions += group.cursors.size();
    if (has_each && partitions <= kPagePartitionsMax)
      view.set("each", partitions_of(group, lag, seconds));
    if (is_one) {
      view.set("each_member", members_of(group, now));
      if (said != nullptr) {
        view.set("skips", lag.records);
        view.set("repeats", lag.ahead);
      }
      return view;
    }
    list.push_back(std::move(view));
  }
  const bool is_more = known.groups.size() == kPageGroupsMax;
  return Value(Value::Map{{"groups", std::move(list)},
                          {"next", is_more ? Value(known.groups.back().name) : Value()}});
}

Expected<Message> answer(const protocol::Read& read, const Known&, History& history, Duration,
                         HistoryIndex*, LineStore*) {
  const bool is_this = read.log == 0 || read.log == history.log();
  if (is_this && read.offset < history.kept_from())
    return encode(protocol::Gone{read.request, history.log(), read.offset, history.kept_from(),
                                 history.head()});
  auto records = history.read(read);
  if (!records) return records.error();
  return encode_answer(std::move(*records));
}

Expected<Message> answer(const protocol::Follow& follow, const Known&, History& history, Duration,
                         HistoryIndex*, LineStore*) {
  auto settled = history.follow(follow);
  if (!settled) return settled.error();
  return encode_answer(std::move(*settled));
}

Expected<Message> answer(const protocol::Query& query, const Known& known, History& history,
                         Duration page_time, HistoryIndex* index, LineStore* lines) {
  auto value = answer_to(query, known, history, page_time, index, lines);
  if (!value) return value.error();
  return encode_answer(protocol::Answer{query.request, value->to_msgpack()});
}

// Answered by the node, which discards what is left of it.
Expected<Message> answer(const protocol::Discard&, const Known&, History&, Duration,
                         HistoryIndex*, LineStore*) {
  return Error{"discard: not answered here"};
}

// Those of these letters, which are all on the list, whose projects are within.
protocol::Discard within(const protocol::Discard& asked, History& history) {
  SeqRanges seqs;
  SeqRanges inside;
  (void)seqs.decode(asked.payload);
  const Within within(asked.within);
  const KnownTask known{true, true, protocol::TaskState::kDead};
  for (const auto& [first, last] : seqs.ranges())
    for (auto seq = first; seq <= last; ++seq) {
      const auto view = result(history, {asked.origin, seq}, known, within);
      if (!view.is_null()) inside.add(seq, seq);
    }
  return {asked.request, asked.origin, inside.encode(), asked.within};
}

}  // namespace

std::uint64_t Question::request() const {
  return std::visit([](const auto& one) { return one.request; }, message);
}

std::size_t Question::bytes() const {
  const auto* query = std::get_if<protocol::Query>(&message);
  const auto* discard = std::get_if<protocol::Discard>(&message);
  return sizeof(Question) + peer.size() +
         (query == nullptr ? 0 : query->what.size() + query->payload.size()) +
         (discard == nullptr ? 0 : discard->payload.size());
}

Answer answer_to(const Question& question, History& history, Duration page_time,
                 HistoryIndex* index, LineStore* lines) {
  Expected<Message> message = Error{};
  try {
    if (const auto* discard = std::get_if<protocol::Discard>(&question.message))
      return {question.peer, {}, within(*discard, history)};
    message = std::visit(
        [&](const auto& asked) {
          return answer(asked, question.known, history, page_time, index, lines);
        },
        question.message);
  } catch (const storage::StorageFailure& damage) {
    process::log_error(damage.what());
    message = Error{text("log: ", damage.what()), ErrorCode::kDamaged};
  }
  if (!message) message = encode(protocol::refused(question.request(), message.error()));
  return {question.peer, std::move(*message)};
}

Expected<Value> answer_to(const protocol::Query& query, const Known& known, History& history,
                          Duration page_time, HistoryIndex* index, LineStore* lines) {
  const auto options = protocol::options_of(query);
  if (!options) return options.error();
  const TaskId id{query.origin, query.seq};
  const Within within(query.within);
  if (query.what == "result") return result(history, id, known.task, within);
  if (query.what == "spec") return spec(history, id, known.task, within);
  if (query.what == "attempts")
    return attempts(history, id, known.task, *options, within, page_time);
  if (query.what == "compacted") return compacted(history, *options, Within(query.within));
  if (query.what == "parts") return parts(history, known.project, *options, page_time);
  if (query.what == "groups") return groups(query, known, *options, history, page_time);
  if (query.what == "dead") return dead(history, *options, within, page_time);
  if (query.what == "offset_at")
    return Value(Value::Map{{"offset", history.offset_at((*options)["unix_ms"].int_or(0))}});
  if (index != nullptr && (query.what == "history" || query.what == "counts"))
    return index->answer(query, *options, history, page_time);
  if (query.what == "logs" && !within.is_all())
    return Error{text("query logs: tells of all projects, not of ", within.prefix()),
                 ErrorCode::kOutside};
  if (lines != nullptr && query.what == "logs")
    return lines->answer(*options, process::unix_ms(), page_time);
  return Error{text("query ", query.what, ": not known")};
}

}  // namespace eole::sink
