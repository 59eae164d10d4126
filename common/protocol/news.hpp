#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/protocol/event.hpp"
#include "common/protocol/messages.hpp"

namespace eole::protocol {

constexpr std::size_t kNewsItemsMax = 1024;  // Of one message.
constexpr std::size_t kNewsMembersMax = 16;  // Of one item, in `more`.

/// One thing that happened just now.
struct NewsItem {
  std::string event;         // "accepted", "joined" …
  std::string about;         // "task", "project", "worker" or "schedule".
  std::string name = {};     // Of that; a task's is its id.
  std::string project = {};  // Of a task, or the project itself.
  std::string kind = {};     // Of a task.
  Value::Map more = {};
  std::int64_t unix_ms = 0;
  bool operator==(const NewsItem&) const = default;
};

/// Each of at most kNewsItemsMax.
std::vector<News> encode_news(std::string_view role, const std::vector<NewsItem>& items);
/// Errors: not such a list, too many, a word that no news has.
Expected<std::vector<NewsItem>> decode_news(const News& news);

/// "shop.echo.started"; of what is no task, a word that is no kind's name stands in its place:
/// "shop.%project.over", ".%worker.joined".
std::string topic_of(const NewsItem& item);
/// `number`: of the sink's news, which has no offset.
Event event_of(const NewsItem& item, std::string_view source, std::uint64_t number);

}  // namespace eole::protocol
