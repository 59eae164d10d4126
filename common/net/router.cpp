#include "common/net/router.hpp"

#include <algorithm>

namespace eole::net {

void Router::route(Received&& received) const {
  const Sender from{std::move(received.peer), std::move(received.user)};
  const auto head = protocol::HeadReader::parse(received.message.head);
  if (!head) return refuse_(from, {0, head.error().message});
  for (const auto& row : rows_)
    if (row.name == head->name()) return row.take(*head, std::move(received.message.payload), from);
  refuse_(from, {0, text("message ", head->name(), " is not for ", owner_)});
}

Expected<Within> Router::within_of(const Sender& from, const std::string& asked) const {
  return authority_->within(from.user).narrowed(asked);
}

std::optional<std::string> Router::missing_role(const Sender& from,
                                                const std::vector<Role>& roles) const {
  if (authority_ == nullptr) return std::nullopt;
  std::string names;
  for (const auto role : roles) {
    if (authority_->allows(from.user, role)) return std::nullopt;
    names += text(names.empty() ? "" : " or ", to_text(role));
    if (role == Role::kObserve) names += " or submit";  // Who may submit may look.
  }
  return text(": this key does not have the role ", names);
}

}  // namespace eole::net
