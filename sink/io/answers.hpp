#pragma once
#include <cstdint>
#include <optional>
#include <variant>

#include "common/base/expected.hpp"
#include "common/base/time.hpp"
#include "common/protocol/head.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/value.hpp"
#include "sink/core/events.hpp"
#include "sink/core/groups.hpp"
#include "sink/io/history.hpp"
#include "sink/io/history_index.hpp"
#include "sink/io/line_store.hpp"

namespace eole::sink {

/// Letters of one discard within a prefix: each is looked for in the log.
constexpr std::uint64_t kLettersWithinMax = 1000;
constexpr Duration kPageTime = 20ms;  // Of one answer: others wait for theirs meanwhile.

/// What the settler knew, when somebody asked, of the task or the project in question.
struct Known {
  KnownTask task;
  std::optional<Projects::Project> project;
  std::vector<GroupView> groups = {};  // A page of them, or the one that was asked for.
};

/// What somebody wants to read of the log.
struct Question {
  Peer peer;
  std::variant<protocol::Read, protocol::Follow, protocol::Query, protocol::Discard> message;
  Known known;

  std::uint64_t request() const;
  std::size_t bytes() const;
  /// The same once more: nobody answered it yet.
  bool is_same(const Question& other) const {
    return message.index() == other.message.index() && request() == other.request();
  }
};
/// A whole message, for whom it is meant; or what he may discard, in the place of what he asked
/// for.
struct Answer {
  Peer peer;
  protocol::Message message;
  std::optional<protocol::Discard> discard = {};
};

/// What is read of the log for it; a refusal if that cannot be. Damage to an old record is named to
/// who wants to read it. `index`, `lines`: none if there is no place for it.
Answer answer_to(const Question& question, History& history, Duration page_time = kPageTime,
                 HistoryIndex* index = nullptr, LineStore* lines = nullptr);

/// What is answered to people from the log. Lists come in pages of bounded size and time.
/// Errors: no such query, or an option that makes no sense.
Expected<protocol::Value> answer_to(const protocol::Query& query, const Known& known,
                                    History& history, Duration page_time = kPageTime,
                                    HistoryIndex* index = nullptr, LineStore* lines = nullptr);

}  // namespace eole::sink
