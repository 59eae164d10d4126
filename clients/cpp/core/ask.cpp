#include "clients/cpp/core/ask.hpp"

#include <algorithm>

#include "clients/cpp/core/silence.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/refusal.hpp"

namespace eole::client {

namespace {
constexpr Duration kRepeat = 1s;
}

void AskCore::on_event(AskEvent event, TimePoint now, AskActions& out) {
  std::visit([&](auto& concrete) { on(concrete, now, out); }, event);
}

void AskCore::on(Asked& event, TimePoint now, AskActions& out) {
  const auto request = request_of(event.question);
  if (open_.size() >= kQuestionsMax && !planted("asked-without-a-bound")) {
    out.emplace_back(QuestionEnded{request,
                                   Error{text(open_.size(), " questions to ", who_,
                                              " wait for answers, limit ", kQuestionsMax),
                                         ErrorCode::kFull},
                                   {}});
    return;
  }
  const auto [open, is_new] = open_.try_emplace(
      request, Open{std::move(event.question), event.patience, now + event.patience, {}});
  invariant(is_new, "two questions with one number");
  set_due(open->second, now);
  out.emplace_back(SendQuestion{open->second.question});
}

void AskCore::on(AnswerReceived& event, TimePoint /*now*/, AskActions& out) {
  const auto open = open_.find(event.answer.request);
  if (open != open_.end()) end(open, std::nullopt, std::move(event.answer.payload), out);
}

void AskCore::on(QuestionRefused& event, TimePoint /*now*/, AskActions& out) {
  const auto error = protocol::error_of(who_, event.refused);
  if (event.refused.request != 0) {
    const auto open = open_.find(event.refused.request);
    if (open != open_.end()) end(open, error, {}, out);
    return;
  }
  while (!open_.empty()) end(open_.begin(), error, {}, out);
}

void AskCore::set_due(Open& open, TimePoint now) {
  open.due = std::min(now + kRepeat, open.give_up);
  due_.emplace(open.due, request_of(open.question));
}

void AskCore::end(Opens::iterator open, std::optional<Error> error, Bytes answer, AskActions& out) {
  due_.erase({open->second.due, open->first});
  out.emplace_back(QuestionEnded{open->first, std::move(error), std::move(answer)});
  open_.erase(open);
}

Expected<protocol::Value> AskCore::read(std::string_view answer) const {
  auto value = protocol::Value::from_msgpack(answer);
  if (value) return value;
  return Error{text(who_, ": an answer that cannot be read: ", value.error().message),
               ErrorCode::kDamaged};
}

void AskCore::on_deadline(TimePoint now, AskActions& out) {
  while (!due_.empty() && due_.begin()->first <= now) {
    const auto open = open_.find(due_.begin()->second);
    if (now >= open->second.give_up) {
      end(open, silence_of(who_, open->second.patience), {}, out);
      continue;
    }
    due_.erase(due_.begin());
    set_due(open->second, now);
    if (!planted("question-not-repeated")) out.emplace_back(SendQuestion{open->second.question});
  }
}

std::optional<TimePoint> AskCore::next_deadline() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

}  // namespace eole::client
