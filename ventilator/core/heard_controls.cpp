#include "ventilator/core/heard_controls.hpp"

#include <utility>

#include "common/base/planted.hpp"
#include "common/protocol/refusal.hpp"

namespace eole::ventilator {

using protocol::Value;

namespace {

constexpr std::size_t kHeardMax = 256;

// An answer is a map; why it was refused is a list.
Value to_value(const Expected<Value>& answer) {
  if (answer) return *answer;
  const auto& why = answer.error();
  return Value::Array{why.message, std::string(protocol::name_of(why.code))};
}

}  // namespace

std::optional<Reply> HeardControls::answer_before(const Peer& peer, std::uint64_t request,
                                                  const std::string& id) const {
  const auto* kept = id.empty() ? nullptr : wishes_.find(list_, id);
  if (kept == nullptr || planted("late-control-taken-for-news")) return std::nullopt;
  const auto value = Value::from_msgpack(*kept);
  const auto* why = value ? value->as<Value::Array>() : nullptr;
  if (why == nullptr || why->size() < 2) return Reply{peer, protocol::Answer{request, *kept}};
  return Reply{peer, protocol::Refused{request, (*why)[0].text_or(""), (*why)[1].text_or("")}};
}

void HeardControls::remember(const std::string& id, const Expected<Value>& answer,
                             bool is_storage_full, Actions& out) {
  if (id.empty()) return;
  const auto put = [&](const std::string& which, Bytes value) {
    wishes_.put(list_, which, value);
    if (!is_storage_full) out.push_back(JournalWish{list_, which, std::move(value)});
  };
  while (const auto oldest = wishes_.first_of(list_, kHeardMax)) {
    if (planted("controls-known-for-ever")) break;
    put(*oldest, {});
  }
  auto value = to_value(answer).to_msgpack();
  if (!wishes_.why_refused(list_, id, value)) put(id, std::move(value));
}

}  // namespace eole::ventilator
