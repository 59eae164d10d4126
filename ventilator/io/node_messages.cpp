#include <algorithm>
#include <chrono>

#include "common/base/counted.hpp"
#include "common/base/text.hpp"
#include "common/process/hash.hpp"
#include "common/protocol/answer.hpp"
#include "common/protocol/histogram_view.hpp"
#include "ventilator/core/tenancy.hpp"
#include "ventilator/io/node.hpp"
#include "ventilator/io/queries.hpp"

// What comes in: each message becomes an event of the core, or an answer.
namespace eole::ventilator {

using net::Role;
using net::Sender;
using protocol::Value;

namespace {

constexpr std::size_t kKeyBytesMax = 256;
constexpr std::size_t kControlBytesMax = 1 << 20;  // Whatever is wished, a person wrote it.

}  // namespace

void Node::take_messages() {
  const auto on_message = [this](auto& message, const Sender& from) { return on(message, from); };
  from_peers_.take<protocol::Submit>({Role::kSubmit}, on_message);
  from_peers_.take<protocol::Cancel>({Role::kSubmit}, on_message);
  from_peers_.take<protocol::Control>({Role::kSubmit}, on_message);
  from_peers_.take<protocol::Query>({Role::kObserve}, on_message);
  from_peers_.take<protocol::Hello>({Role::kWork}, on_message);
  from_peers_.take<protocol::Beat>({Role::kWork}, on_message);
  from_peers_.take<protocol::Credit>({Role::kWork}, on_message);
  from_peers_.take<protocol::Goodbye>({Role::kWork}, on_message);
  from_sink_.take<protocol::Settled>({}, on_message);
  from_sink_.take<protocol::LogHead>({}, on_message);
  from_sink_.take<protocol::Introduced>({}, on_message);
  from_sink_.take<protocol::Refused>({}, on_message);
}

// ---- From clients.

Expected<void> Node::on(protocol::Submit& submit, const Sender& from) {
  const auto count = protocol::count_grouped_tasks(submit.payload);
  if (!count) return count.error();
  if (*count != submit.count)
    return Error{text("submit: says ", counted(submit.count, "task"), ", has ", *count)};
  if (submit.key.size() > kKeyBytesMax)
    return Error{text("submit: key of ", submit.key.size(), " bytes, limit ", kKeyBytesMax),
                 ErrorCode::kTooLarge};
  if (is_own_key(submit.key)) return Error{"submit: key begins with a zero byte"};
  if (const Within within(submit.within); !within.is_all()) {
    auto groups = bound_to(within, submit.payload);
    if (!groups) return Error{text("submit: ", groups.error().message), groups.error().code};
    submit.payload = std::move(*groups);
    submit.key = within.own(submit.key);
  }
  if (submit.payload.size() > protocol::kPayloadBytesMax)  // No pipe could carry it on.
    return Error{
        text("submit: ", submit.payload.size(), " bytes, limit ", protocol::kPayloadBytesMax),
        ErrorCode::kTooLarge};
  std::string hash;
  if (!submit.key.empty()) {  // Who says it again has a trace of its own for that.
    const auto untraced = protocol::without_traces(submit.payload);
    hash = process::sha256(untraced ? *untraced : submit.payload);
  }
  tell_core(Submitted{from.peer, std::move(submit), std::move(hash), journal_.is_full(),
                      transport_.unix_ms()});
  return {};
}

Expected<void> Node::on(protocol::Cancel& cancel, const Sender& from) {
  SeqRanges seqs;
  if (!seqs.decode(cancel.payload)) return Error{"cancel: bad ranges"};
  if (seqs.count() > protocol::kTasksPerMessageMax)
    return Error{text("cancel: ", seqs.count(), " tasks, limit ", protocol::kTasksPerMessageMax),
                 ErrorCode::kTooLarge};
  CancelAsked asked{from.peer, cancel.request, cancel.origin, {}, Within(std::move(cancel.within))};
  for (const auto& [first, last] : seqs.ranges()) asked.ranges.push_back({first, last});
  tell_core(std::move(asked));
  return {};
}

Expected<void> Node::on(protocol::Control& control, const Sender& from) {
  if (Core::is_operators(control.what) && !authority_.allows(from.user, Role::kAdmin))
    return Error{text("control ", control.what, ": this key does not have the role admin"),
                 ErrorCode::kDenied};
  if (control.payload.size() > kControlBytesMax)
    return Error{text("control ", control.what, ": ", control.payload.size(), " bytes, limit ",
                      kControlBytesMax),
                 ErrorCode::kTooLarge};
  auto options = Value::from_msgpack(control.payload);
  if (!options || options->as<Value::Map>() == nullptr)
    return Error{text("control ", control.what, ": its payload is not one msgpack map")};
  tell_core(ControlAsked{from.peer, control.request, std::move(control.what), std::move(*options),
                         journal_.is_full(), Within(std::move(control.within))});
  return {};
}

Value Node::metrics() {
  Value::Array kinds;
  for (const auto& [kind, waits] : waits_.all())
    kinds.push_back(Value::Map{{"kind", kind}, {"waits", protocol::view_of(waits)}});
  double oldest = 0;
  if (const auto seq = core_.oldest_queued())
    if (const auto specs = journal_.specs(*seq, 1); specs.count > 0)
      oldest = static_cast<double>(transport_.unix_ms() - specs.submitted_unix_ms) / 1000;
  return Value::Map{{"kinds", std::move(kinds)},
                    {"oldest_queued_seconds", std::max(oldest, 0.0)},
                    {"redelivered", core_.redelivered()},
                    {"log_lag", core_.log_lag()},
                    {"disk_free_bytes", journal_.free_bytes()},
                    {"commits", protocol::view_of(commits_)}};
}

Expected<void> Node::on(protocol::Query& query, const Sender& from) {
  const bool is_own = query.what == "metrics";
  if (is_own && !query.within.empty())
    return Error{text("query metrics: tells of all projects, not of ", query.within),
                 ErrorCode::kOutside};
  auto answer = is_own ? Expected<Value>(metrics()) : answer_to(query, core_, journal_);
  if (!answer) return answer.error();
  if (query.what == "status" && query.within.empty())
    answer->set("journal_commit_us", protocol::percentiles_of(commits_));
  peers_.send_to(from.peer,
                 protocol::encode_answer(protocol::Answer{query.request, answer->to_msgpack()}));
  return {};
}

// ---- From workers.

Expected<void> Node::on(protocol::Hello& hello, const Sender& from) {
  ByteReader reader(hello.payload);
  auto runners = protocol::read_runners(reader);
  if (!runners) return runners.error();
  auto held = protocol::decode_held(reader.rest());
  if (!held) return held.error();
  hello.payload.clear();
  users_[from.peer] = {from.user, hello.name};
  tell_core(HelloReceived{from.peer, std::move(hello), std::move(*held), from.user,
                          std::move(*runners)});
  return {};
}

Expected<void> Node::on(protocol::Beat& beat, const Sender& from) {
  auto held = protocol::decode_held(beat.payload);
  if (!held) return held.error();
  beat.payload.clear();
  tell_core(BeatReceived{from.peer, std::move(beat), std::move(*held), from.user});
  return {};
}

void Node::on(protocol::Credit& credit, const Sender& from) {
  tell_core(CreditReceived{from.peer, credit, from.user});
}

void Node::on(protocol::Goodbye& goodbye, const Sender& from) {
  tell_core(GoodbyeReceived{from.peer, {goodbye.start, goodbye.run, goodbye.hello}, from.user});
}

// ---- From the sink.

void Node::on(protocol::Settled& settled, const Sender&) {
  auto settlement = protocol::decode_settlement(settled.payload);
  if (!settlement) return;
  settled.payload.clear();
  tell_core(SettledReceived{std::move(settled), std::move(*settlement)});
}

void Node::on(protocol::LogHead& log, const Sender&) {
  has_listeners_ = log.wants_news != 0;
  tell_core(SettledReceived{{0, log.log, log.head, log.head, log.head, {}}, {}});
}

void Node::on(protocol::Introduced& introduced, const Sender&) {
  if (!introduced_.take(introduced.page, introduced.pages, introduced.payload)) return;
  tell_core(IntroducedReceived{static_cast<std::uint32_t>(introduced.request), introduced.log,
                               introduced.offset, introduced_.settled(), introduced_.not_done()});
  introduced_ = {};
}

void Node::on(protocol::Refused& refused, const Sender&) { tell_core(SinkRefused{refused.reason}); }

}  // namespace eole::ventilator
