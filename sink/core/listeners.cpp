#include "sink/core/listeners.hpp"

#include <algorithm>

#include "common/protocol/event.hpp"

namespace eole::sink {

namespace {

std::size_t shared_size(std::string_view one, std::string_view other) {
  return static_cast<std::size_t>(
      std::mismatch(one.begin(), one.end(), other.begin(), other.end()).first - one.begin());
}

}  // namespace

void Listeners::hear(std::string_view prefix, const std::string& user) {
  topic_bytes_ += prefix.size() + 1;
  if (!protocol::is_event_topic(prefix)) return;
  if (const auto known = wishes_.find(prefix); known != wishes_.end()) {
    known->second.is_shared |= known->second.user != user;
  } else if (wishes_.size() < kTopicsHeardMax) {
    wishes_.emplace(prefix, Wish{user});
  } else {
    wants_all_ = true;
  }
}

void Listeners::leave(std::string_view prefix, const std::optional<std::string>& user) {
  const auto known = wishes_.find(prefix);
  if (known == wishes_.end()) return;
  const auto& wish = known->second;
  if (!user || (wish.user == *user && !wish.is_shared)) wishes_.erase(known);
}

// Of all prefixes that lie before the topic the last is looked at; if it is none of the topic's,
// those are no longer than what the two share.
bool Listeners::wants(std::string_view topic) const {
  if (wants_all_) return true;
  for (auto at = wishes_.upper_bound(topic); at != wishes_.begin();) {
    const auto& prefix = std::prev(at)->first;
    const auto shared = shared_size(prefix, topic);
    if (shared == prefix.size()) return true;
    topic = topic.substr(0, shared);
    at = wishes_.upper_bound(topic);
  }
  return false;
}

}  // namespace eole::sink
