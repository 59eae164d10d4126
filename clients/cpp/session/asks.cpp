#include "clients/cpp/session/asks.hpp"

#include <utility>

#include "common/base/text.hpp"
#include "common/protocol/codec.hpp"
#include "common/protocol/value.hpp"

namespace eole::client {

Asks::Asks(Session& session, const std::string& endpoint, std::string who)
    : Part(session), core_(std::move(who)), role_(world(), endpoint) {
  watch(role_);
}

namespace {

// A copy of a control that comes late is known by it.
void put_id(protocol::Control& control, std::uint64_t random) {
  auto options = protocol::Value::from_msgpack(control.payload);
  if (!options || options->as<protocol::Value::Map>() == nullptr) return;
  options->set("id", hex(random));
  control.payload = options->to_msgpack();
}

// A page of the log, as an answer like any.
protocol::Answer answer_of(protocol::Records records) {
  const protocol::Value page = protocol::Value::Map{
      {"next", records.next}, {"records", protocol::Blob{std::move(records.payload)}}};
  return {records.request, page.to_msgpack()};
}
protocol::Answer answer_of(const protocol::Gone& gone) {
  const protocol::Value page = protocol::Value::Map{{"kept_from", gone.kept_from}};
  return {gone.request, page.to_msgpack()};
}

}  // namespace

std::uint64_t Asks::ask(Question question, OnAnswer on_answer, Duration patience) {
  const auto request = ++last_request_;
  if (auto* control = std::get_if<protocol::Control>(&question)) put_id(*control, world().random());
  std::visit([&](auto& one) { one.request = request; }, question);
  waiting_.emplace(request, std::move(on_answer));
  AskActions actions;
  core_.on_event(Asked{std::move(question), patience}, world().now(), actions);
  perform(std::move(actions));
  return request;
}

void Asks::turn(TimePoint now) {
  AskActions actions;
  if (role_->due())
    while (auto received = role_->receive()) take(std::move(*received), now, actions);
  if (role_.is_turned_away())
    core_.on_event(QuestionRefused{turned_away()}, now, actions);
  core_.on_deadline(now, actions);
  perform(std::move(actions));
}

void Asks::take(net::Received received, TimePoint now, AskActions& out) {
  const auto head = protocol::HeadReader::parse(received.message.head);
  if (!head) return;
  if (head->name() == protocol::Answer::kName) {
    auto answer = protocol::decode<protocol::Answer>(*head, std::move(received.message.payload));
    if (answer) core_.on_event(AnswerReceived{std::move(*answer)}, now, out);
  } else if (head->name() == protocol::Records::kName) {
    auto records = protocol::decode<protocol::Records>(*head, std::move(received.message.payload));
    if (records) core_.on_event(AnswerReceived{answer_of(std::move(*records))}, now, out);
  } else if (head->name() == protocol::Gone::kName) {
    const auto gone = protocol::decode<protocol::Gone>(*head, {});
    if (gone) core_.on_event(AnswerReceived{answer_of(*gone)}, now, out);
  } else if (head->name() == protocol::Refused::kName) {
    auto refused = protocol::decode<protocol::Refused>(*head, {});
    if (refused) core_.on_event(QuestionRefused{std::move(*refused)}, now, out);
  }
}

void Asks::perform(AskActions actions) {
  for (auto& action : actions) {
    if (const auto* send = std::get_if<SendQuestion>(&action)) {
      std::visit([&](const auto& one) { role_->send(protocol::encode(one)); }, send->question);
      continue;
    }
    auto& ended = std::get<QuestionEnded>(action);
    const auto waiting = waiting_.extract(ended.request);
    if (!waiting) continue;
    waiting.mapped()(ended.error ? Expected<protocol::Value>(*ended.error)
                                 : core_.read(ended.answer));
  }
}

}  // namespace eole::client
