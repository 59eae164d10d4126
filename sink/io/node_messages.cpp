#include <algorithm>
#include <utility>

#include "common/base/text.hpp"
#include "common/base/within.hpp"
#include "common/process/hash.hpp"
#include "common/process/log.hpp"
#include "common/protocol/answer.hpp"
#include "common/protocol/log_lines.hpp"
#include "common/protocol/value.hpp"
#include "sink/io/node.hpp"
#include "sink/io/status.hpp"

// What comes in: each message becomes an event of the core, or an answer from the log.
namespace eole::sink {

using net::Role;
using net::Sender;
using protocol::encode_answer;
using protocol::Value;

namespace {
constexpr std::size_t kIntroductionsMax = 16;  // Whose pages are not all here.
constexpr std::int64_t kPartitionsUnsaid = 8;
constexpr std::uint64_t kLogDroppedMax = 1'000'000'000;  // That a peer says it left out.

Error no_room() { return {"storage full: the sink's disk has no room", ErrorCode::kFull}; }

}  // namespace

void Node::take_messages() {
  const auto on_message = [this](auto& message, const Sender& from) { return on(message, from); };
  from_workers_.take<protocol::Results>({Role::kWork}, on_message);
  from_workers_.take<protocol::Verdicts>({Role::kSettle}, on_message);
  from_workers_.take<protocol::Announce>({Role::kSettle}, on_message);
  from_workers_.take<protocol::Progress>({Role::kWork}, on_message);
  from_workers_.take<protocol::News>({Role::kWork, Role::kSettle}, on_message);
  from_workers_.take<protocol::LogLines>({Role::kWork, Role::kSettle, Role::kSubmit}, on_message);
  from_askers_.take<protocol::Introduce>({Role::kSettle}, on_message);
  from_askers_.take<protocol::Follow>({Role::kSettle}, on_message);
  from_askers_.take<protocol::Read>({Role::kObserve}, on_message);
  from_askers_.take<protocol::Query>({Role::kObserve, Role::kWork}, on_message);
  from_askers_.take<protocol::Discard>({Role::kSubmit}, on_message);
  from_askers_.take<protocol::Attend>({Role::kObserve}, on_message);
  from_askers_.take<protocol::Control>({Role::kSubmit}, on_message);
}

// ---- What settles tasks.

void Node::on(protocol::Results& results, const Sender& from) {
  if (log_.is_full()) return;  // Unacknowledged: the worker sends it again.
  if (results.payload.size() > protocol::kPayloadBytesMax)  // No reader could have it.
    return process::log_warning(text("results of ", results.worker, ": ", results.payload.size(),
                                     " bytes, limit ", protocol::kPayloadBytesMax));
  const auto named = log_.core().artifacts_named(results, from.user);
  if (!named) return process::log_warning(named.error().message);
  auto missing = artifacts_.missing(*named, artifact_time());
  log_.core().on_event(ResultsReceived{std::move(results), std::move(missing), from.user},
                       actions_);
}

void Node::on(protocol::Verdicts& verdicts, const Sender&) {
  if (!log_.is_full()) log_.core().on_event(VerdictsReceived{std::move(verdicts)}, actions_);
}

void Node::on(protocol::Announce& announce, const Sender&) {
  if (!log_.core().origins().why_not_followed(announce.origin, announce.nonce))
    readers_.hear_numbers(announce.origin, announce.read, now_);
  log_.core().on_event(AnnounceReceived{announce}, actions_);
}

void Node::on(protocol::Progress& progress, const Sender&) {
  const TaskId id{progress.origin, progress.seq};
  if (auto& core = log_.core(); progress.stream.empty())
    core.under_way().hear(id, progress.project, progress.done, progress.total, core.origins());
  if (!listeners_.is_empty()) {
    protocol::NewsItem item{"output",      "task", to_text(id),         progress.project,
                            progress.kind, {},     transport_.unix_ms()};
    if (progress.stream.empty()) {
      item.event = "progress";
      item.more = {{"worker", progress.worker},
                   {"done", progress.done},
                   {"total", progress.total},
                   {"text", progress.text}};
    } else {
      item.more = {
          {"worker", progress.worker}, {"stream", progress.stream}, {"output", progress.payload}};
    }
    publish_news(item, "/eole/worker");
  }
  publisher_.publish("progress." + to_text(id), protocol::encode(std::move(progress)));
}

// Late news finds nobody; what makes no sense is left out.
void Node::on(protocol::News& news, const Sender& from) {
  const bool is_allowed =
      (news.role == "worker" && authority_.allows(from.user, Role::kWork)) ||
      (news.role == "ventilator" && authority_.allows(from.user, Role::kSettle));
  if (listeners_.is_empty() || !is_allowed) return;
  const auto items = protocol::decode_news(news);
  if (!items) return process::log_warning(items.error().message);
  for (const auto& item : *items) publish_news(item, "/eole/" + news.role);
}

// Whom a key may speak for it may also log as. What makes no sense, or is too much, is left out.
void Node::on(protocol::LogLines& lines, const Sender& from) {
  const auto speaks_as = [&](std::string_view role, Role needed) {
    return lines.role == role && authority_.allows(from.user, needed);
  };
  const bool is_allowed = speaks_as("worker", Role::kWork) || speaks_as("gateway", Role::kSubmit) ||
                          speaks_as("relay", Role::kSubmit) ||
                          speaks_as("ventilator", Role::kSettle) ||
                          speaks_as("sink", Role::kSettle);
  const auto count = protocol::count_log_lines(lines.payload);
  if (!is_allowed || !count) return;
  auto peer = text(lines.role, "-",
                   from.user.empty() ? "local" : hex(process::sha256(from.user)).substr(0, 16));
  const auto left_out = log_rates_.take(peer, lines.payload.size(), *count, transport_.now());
  if (!left_out) return;
  lines.dropped = std::min(lines.dropped, kLogDroppedMax) + *left_out;
  history_.keep({std::move(peer), std::move(lines), *count});
}

// ---- Who asks.

Expected<void> Node::on(protocol::Introduce& introduce, const Sender& from) {
  const std::pair key{introduce.origin, introduce.nonce};
  if (introductions_.size() >= kIntroductionsMax && !introductions_.contains(key))
    introductions_.clear();  // Each is told again until it is answered.
  auto& pages = introductions_[key];
  if (!pages.take(introduce.page, introduce.pages, introduce.payload)) return {};
  introduce.payload.clear();
  log_.core().on_event(IntroduceReceived{from.peer, std::move(introduce), pages.settled()},
                       actions_);
  introductions_.erase(key);
  const auto& core = log_.core();
  if (!core.origins().why_not_followed(key.first, key.second))
    readers_.hear_numbers(key.first, core.head(), now_);  // It hears of all before.
  return {};
}

void Node::on(protocol::Follow& follow, const Sender& from) {
  questions_.push_back({from.peer, follow, {}});
}

void Node::on(protocol::Read& read, const Sender& from) {
  questions_.push_back({from.peer, std::move(read), {}});
}

Expected<void> Node::on(protocol::Query& query, const Sender& from) {
  // A worker reads what its tasks take of others' results, and no more.
  const bool is_for_workers = query.what == "result" || query.what == "parts";
  if (!is_for_workers && !authority_.allows(from.user, Role::kObserve))
    return Error{text("query: this key does not have the role observe or submit, which ",
                      query.what, " needs"),
                 ErrorCode::kDenied};
  questions_.push_back({from.peer, std::move(query), {}});
  return {};
}

// Durable before it is answered, as everything that is appended.
Expected<void> Node::on(protocol::Discard& discard, const Sender& from) {
  SeqRanges seqs;
  if (log_.is_full()) return no_room();
  if (!seqs.decode(discard.payload)) return Error{"discard: bad ranges"};
  if (discard.within.empty()) {
    take_off(from.peer, discard.request, discard.origin, seqs);
    return {};
  }
  const auto letters = log_.core().letters().of(discard.origin, seqs);
  if (letters.count() > kLettersWithinMax)
    return Error{text("discard: ", letters.count(), " letters, limit ", kLettersWithinMax,
                      " within a prefix"),
                 ErrorCode::kTooLarge};
  discard.payload = letters.encode();
  questions_.push_back({from.peer, std::move(discard), {}});
  return {};
}

// What cannot be kept is not answered: it is said again.
Expected<void> Node::on(protocol::Attend& attend, const Sender& from) {
  auto& core = log_.core();
  if (log_.is_full()) return {};
  if (!Within(attend.within).has(attend.group))
    return Error{text("group ", attend.group, ": is not within ", attend.within),
                 ErrorCode::kOutside};
  return core.groups().attend(from.peer, from.user, attend, core.log(), core.head(),
                              transport_.now(), actions_);
}

Expected<void> Node::on(protocol::Control& control, const Sender& from) {
  if (log_.is_full()) return no_room();
  const auto wish = Value::from_msgpack(control.payload);
  if (!wish) return Error{text("control ", control.what, ": ", wish.error().message)};
  auto& core = log_.core();
  const auto name = (*wish)["group"].text_or("");
  if (!Within(control.within).has(name))
    return Error{text("group ", name, ": is not within ", control.within), ErrorCode::kOutside};
  const auto now = transport_.now();
  Value answer = Value::Map{{"group", name}};
  if (control.what == "group_delete") {
    answer.set("was_there", core.groups().remove(name, actions_));
  } else if (control.what == "group_remove_member") {
    const auto member = (*wish)["member"].text_or("");
    const auto count = core.groups().remove_member(name, member);
    answer.set("was_there", count.has_value());
    answer.set("removed", count.value_or(0));
  } else if (control.what == "group_create" || control.what == "group_move") {
    const auto& from_said = (*wish)["from"];
    const auto* number = from_said.as<std::int64_t>();
    const auto word = from_said.text_or("");
    if (word != "earliest" && word != "latest" && (number == nullptr || *number < 0))
      return Error{text("group ", name, ": from is earliest, latest or an offset")};
    const auto offset = word == "earliest" ? log_.kept_from()
                        : word == "latest" ? core.head()
                                           : static_cast<std::uint64_t>(*number);
    if (offset > core.head())
      return Error{
          text("group ", name, ": offset ", offset, " is beyond the log's head ", core.head())};
    answer.set("from", offset);
    if (control.what == "group_move") {
      const auto wish_number = std::max<std::int64_t>((*wish)["wish"].int_or(0), 0);
      answer.set("was_there",
                 core.groups().move(name, offset, static_cast<std::uint64_t>(wish_number),
                                    core.log(), now, actions_));
    } else {
      const auto partitions = (*wish)["partitions"].int_or(kPartitionsUnsaid);
      const auto count =
          static_cast<std::uint32_t>(std::clamp<std::int64_t>(partitions, 0, UINT32_MAX));
      const auto is_new = core.groups().create(name, count, offset, now, actions_);
      if (!is_new) return is_new.error();
      answer.set("partitions", partitions);
      answer.set("created", *is_new);
    }
  } else {
    return Error{text("control ", control.what, ": not known to a sink")};
  }
  look_at_groups();
  actions_.push_back(Reply{from.peer, protocol::Answer{control.request, answer.to_msgpack()}});
  return {};
}

// ---- Answering. What is read must be durable: questions wait for the commit of their turn, so
// that who asks costs none of his own. The history reads; what finds no room with it is asked
// again.

void Node::answer_questions() {
  for (auto& question : std::exchange(questions_, {})) {
    const auto request = question.request();
    const auto peer = question.peer;
    const auto done = answer(std::move(question));
    if (!done) queries_.send_to(peer, protocol::encode(protocol::refused(request, done.error())));
  }
}

Expected<void> Node::answer(Question&& question) {
  if (const auto* follow = std::get_if<protocol::Follow>(&question.message)) {
    const auto why = log_.core().origins().why_not_followed(follow->origin, follow->nonce);
    if (why && follow->log == log_.core().log()) return Error{*why};
    if (!why) readers_.hear(follow->origin, follow->offset, now_);
  } else if (const auto* query = std::get_if<protocol::Query>(&question.message)) {
    const LogStatus judged{options_.retention, transport_.unix_ms(),
                           readers_.gone(log_.core().origins(), now_), commits_, held_by_};
    if (auto value = answer_at_once(*query, log_, judged)) {
      if (!*value) return value->error();
      if (query->what == "status" && query->within.empty()) artifacts_.tell(**value);
      queries_.send_to(question.peer,
                       encode_answer(protocol::Answer{query->request, (*value)->to_msgpack()}));
      return {};
    }
    question.known = known_to(*query, log_, now_);
  }
  history_.ask(std::move(question));
  return {};
}

void Node::take_off(const Peer& peer, std::uint64_t request, Origin origin, const SeqRanges& seqs) {
  auto letters = log_.core().discard(origin, seqs);
  const Value answer = Value::Map{{"discarded", letters.count()}};
  if (letters.count() > 0) actions_.push_back(AppendDiscard{origin, std::move(letters)});
  actions_.push_back(Reply{peer, protocol::Answer{request, answer.to_msgpack()}});
}

}  // namespace eole::sink
